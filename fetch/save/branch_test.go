package save_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
)

// named is a Branch whose names have been asked for before.
type named struct {
	*save.Branch
	answers map[string]outcome // by URL
}

func (n named) Reserve(r *fetch.Request) (string, error) {
	o := n.answers[r.URL]
	return o.name, o.err
}

// TestBranches: two Fetchers at once save into one folder, under the names that
// it gave in the order of the input, and skip what it had.
func TestBranches(t *testing.T) {
	s, out := serve(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(out, "old.jpg"), []byte("mine"), 0o600))
	k, err := kernel.New()
	require.NoError(t, err)
	defer k.Close()
	folder := save.Dir(out)
	require.NoError(t, folder.Attach(k, nil))
	defer folder.Detach()

	paths := [2][]string{}
	answers, want := map[string]outcome{}, map[string]string{"old.jpg": "mine"}
	for i := range 200 {
		path := fmt.Sprintf("/%d/a.jpg", i)
		if i == 7 {
			path = "/old.jpg"
		}
		name, err := folder.Reserve(&fetch.Request{URL: s.URL + path})
		answers[s.URL+path] = outcome{name: name, err: err}
		paths[i%2] = append(paths[i%2], path)
		if err == nil {
			want[name] = path
		}
	}
	require.Equal(t, outcome{name: "old.jpg", err: fetch.ErrSkip}, answers[s.URL+"/old.jpg"])
	ended := make(chan []outcome)
	for _, some := range paths {
		go func() { ended <- run(t, s, named{folder.Branch(), answers}, some...) }()
	}
	skipped := 0
	for range paths {
		for _, o := range <-ended {
			require.NoError(t, o.err)
			if o.Outcome == fetch.Skipped {
				skipped++
			}
		}
	}
	require.Equal(t, 1, skipped)
	require.Equal(t, want, content(t, out))
}

// TestBranchOverwrites as its Folder does.
func TestBranchOverwrites(t *testing.T) {
	s, out := serve(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(out, "a"), []byte("old"), 0o600))
	answers := map[string]outcome{s.URL + "/a": {name: "a"}}
	keep, replace := save.Dir(out), save.Dir(out)
	replace.Overwrite = true
	require.ErrorIs(t, run(t, s, named{keep.Branch(), answers}, "/a")[0].err, os.ErrExist)
	require.Equal(t, map[string]string{"a": "old"}, content(t, out))
	require.NoError(t, run(t, s, named{replace.Branch(), answers}, "/a")[0].err)
	require.Equal(t, map[string]string{"a": "/a"}, content(t, out))
}
