package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRecord: whatever a record says, its line says too, and is one line.
func FuzzRecord(f *testing.F) {
	for _, r := range several[:4] {
		f.Add(r.URL, r.Path, r.Complete, r.Size, r.SHA256[:], r.ETag, r.LastModified)
	}
	f.Fuzz(func(t *testing.T, url, path string, complete bool, size int64, sum []byte, etag, modified string) {
		r := Record{URL: "x" + url, Path: path, Complete: complete, Size: max(size, 0), ETag: etag, LastModified: modified}
		copy(r.SHA256[:], sum)
		line, err := r.appendLine(nil)
		if err != nil {
			return
		}
		first, whole := cutLine(line)
		require.True(t, whole)
		require.Len(t, first, len(line))
		got, ok := parse(line)
		require.True(t, ok)
		require.Equal(t, r, got)
	})
}

// FuzzTruncation cuts a file of some records anywhere and writes anything after
// the cut: the records before it are there.
func FuzzTruncation(f *testing.F) {
	name := filepath.Join(f.TempDir(), "state")
	s := open(f, name)
	ends := make([]int64, len(several))
	for i, r := range several {
		put(f, s, r)
		ends[i] = s.end
	}
	require.NoError(f, s.Close())
	whole, err := os.ReadFile(name)
	require.NoError(f, err)
	for _, end := range ends {
		f.Add(uint(end), []byte("\x00\x00\x00"))
		f.Add(uint(end-1), []byte("\n\n\t\n"))
		f.Add(uint(end+20), []byte(header))
	}
	f.Fuzz(func(t *testing.T, cut uint, junk []byte) {
		text := whole[:max(uint(len(header)), cut%uint(len(whole)+1))]
		name := filepath.Join(t.TempDir(), "state")
		require.NoError(t, os.WriteFile(name, append(text[:len(text):len(text)], junk...), 0o600))
		s := open(t, name)
		for i, r := range several {
			if ends[i] <= int64(len(text)) {
				requireRecord(t, s, r)
			}
		}
		put(t, s, Record{URL: "http://after/"})
		require.NoError(t, s.Close())
		s = open(t, name)
		requireRecord(t, s, Record{URL: "http://after/"})
		require.NoError(t, s.Close())
	})
}
