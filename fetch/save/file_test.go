package save_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

// TestFile saves under the name it was told, and replaces a file of that name
// only when the new one is whole.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "picture")
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		w.Write([]byte("version"))
		if r.URL.Path != "/half" {
			w.Write([]byte(r.URL.Path))
		}
	})
	for _, version := range []string{"/1", "/2"} {
		got := run(t, s, save.File(path), version)[0]
		require.Equal(t, outcome{fetch.Fetched, "picture", nil}, got)
		require.Equal(t, map[string]string{"picture": "version" + version}, content(t, filepath.Dir(path)))
	}
	require.Error(t, run(t, s, save.File(path), "/half")[0].err)
	require.Equal(t, map[string]string{"picture": "version/2"}, content(t, filepath.Dir(path)))
}

// TestFileHasRoomForOne: a second URL is refused, and does not replace the
// first.
func TestFileHasRoomForOne(t *testing.T) {
	s, path := serve(t), filepath.Join(t.TempDir(), "picture")
	got := run(t, s, save.File(path), "/1", "/2")
	require.NoError(t, got[0].err)
	require.ErrorContains(t, got[1].err, path+" is the place of one file")
	require.Equal(t, map[string]string{"picture": "/1"}, content(t, filepath.Dir(path)))
}

// TestFileInPlaceOf: only a regular file is replaced, also when a name comes to
// be something else after New.
func TestFileInPlaceOf(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(at("folder"), 0o777))
	require.NoError(t, os.WriteFile(at("regular"), []byte("old"), 0o666))
	require.NoError(t, os.Symlink("regular", at("link")))
	require.NoError(t, os.Symlink("nowhere", at("dangling")))
	for _, name := range []string{"folder", "link", "dangling"} {
		_, err := fetch.New(fetch.Options{Sink: save.File(at(name))})
		require.EqualError(t, err, at(name)+" is there and is not a regular file")
	}
	for _, path := range []string{at("folder") + "/.", at("folder") + "/..", "/"} {
		_, err := fetch.New(fetch.Options{Sink: save.File(path)})
		require.ErrorContains(t, err, "a folder, not a file")
	}

	s := serveWith(t, func(http.ResponseWriter, *http.Request) {
		if err := os.Mkdir(at("late"), 0o777); err != nil {
			panic(err)
		}
	})
	got := run(t, s, save.File(at("late")), "/x")[0]
	require.Error(t, got.err)
	require.DirExists(t, at("late"))
	left, err := filepath.Glob(at(".shoal-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestPath is where a result's name stands.
func TestPath(t *testing.T) {
	require.Equal(t, filepath.Join("out", "a.jpg"), save.Dir("out").Path("a.jpg"))
	require.Equal(t, filepath.Join("x", "y"), save.File("x/y").Path("y"))
	require.Equal(t, "y", save.File("y").Path("y"))
}
