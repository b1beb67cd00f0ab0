package save_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

// TestStaleTemps: what a killed run left goes after a day, and nothing else does.
func TestStaleTemps(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for name, age := range map[string]time.Duration{
		".shoal-abc-1": 25 * time.Hour,
		".shoal-abc-2": 23 * time.Hour,
		".shoaling":    100 * time.Hour,
		"old.jpg":      100 * time.Hour,
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, now.Add(-age), now.Add(-age)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".shoal-abc-3"), 0o700))
	require.NoError(t, os.Chtimes(filepath.Join(dir, ".shoal-abc-3"), now.Add(-48*time.Hour), now.Add(-48*time.Hour)))
	f, err := fetch.New(fetch.Options{Sink: save.Dir(dir)})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	require.Equal(t, []string{".shoal-abc-2", ".shoal-abc-3", ".shoaling", "old.jpg"}, left)
}

// fetchNamed fetches a path once for each name, and gives the results' names by
// the names asked for.
func fetchNamed(t *testing.T, sink fetch.Sink, url string, wanted ...string) map[string]*fetch.Result {
	t.Helper()
	f, err := fetch.New(fetch.Options{Sink: sink})
	require.NoError(t, err)
	defer f.Close()
	got := map[string]*fetch.Result{}
	requests := func(yield func(fetch.Request) bool) {
		for _, name := range wanted {
			if !yield(fetch.Request{URL: url, Name: name, Tag: name}) {
				return
			}
		}
	}
	for res, err := range f.Fetch(context.Background(), requests) {
		require.NoError(t, err)
		got[res.Request.Tag.(string)] = res
	}
	return got
}

// TestNamesThatAreAskedFor stand in the place of those from URLs, and are held
// to the same rules.
func TestNamesThatAreAskedFor(t *testing.T) {
	s, dir := serve(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "there.jpg"), []byte("before"), 0o600))
	long := strings.Repeat("x", 248) + "-2.jpg"
	got := fetchNamed(t, save.Dir(dir), s.URL+"/from-the-url", "a-2.jpg", "100%25.jpg", "../../up", ".hidden", "con", "there.jpg", long, "")
	for wanted, want := range map[string]string{
		"a-2.jpg": "a-2.jpg", "100%25.jpg": "100%25.jpg", "../../up": "___.._up", ".hidden": "_hidden", "con": "_con", "there.jpg": "there.jpg", long: long, "": "from-the-url",
	} {
		require.Equal(t, want, got[wanted].Name)
		outcome, text := fetch.Fetched, "/from-the-url"
		if wanted == "there.jpg" {
			outcome, text = fetch.Skipped, "before"
		}
		require.Equal(t, outcome, got[wanted].Outcome)
		content, err := os.ReadFile(filepath.Join(dir, want))
		require.NoError(t, err)
		require.Equal(t, text, string(content))
	}
}

// TestOverwrite: a file that was there gives way once the new one is whole, and
// two of one run still do not share a name.
func TestOverwrite(t *testing.T) {
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none/a" {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, r.URL.Path)
	})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("something longer than before"), 0o600))
	folder := func() *save.Folder {
		d := save.Dir(dir)
		d.Overwrite = true
		return d
	}
	require.Error(t, run(t, s, folder(), "/none/a")[0].err)
	text, err := os.ReadFile(filepath.Join(dir, "a"))
	require.NoError(t, err)
	require.Equal(t, "something longer than before", string(text))
	got := run(t, s, folder(), "/1/a", "/2/a")
	require.Equal(t, []outcome{{fetch.Fetched, "a", nil}, {fetch.Fetched, "a-2", nil}}, got)
	for name, want := range map[string]string{"a": "/1/a", "a-2": "/2/a"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}

func TestWriter(t *testing.T) {
	var text bytes.Buffer
	require.Equal(t, []outcome{{fetch.Fetched, "", nil}}, run(t, serve(t), save.Writer(&text), "/a"))
	require.Equal(t, "/a", text.String())
}

func TestDiscard(t *testing.T) {
	require.Equal(t, []outcome{{fetch.Fetched, "", nil}, {fetch.Fetched, "", nil}}, run(t, serve(t), save.Discard(), "/a", "/a"))
}
