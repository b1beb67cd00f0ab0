package save_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
)

// These tests save from a real server into a real folder, over the real kernel.

// serve starts a server whose every path answers with the path itself.
func serve(t *testing.T) *httptest.Server {
	return serveWith(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
}

func serveWith(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// outcome is what became of one request.
type outcome struct {
	fetch.Outcome
	name string
	err  error
}

// run fetches paths of a server into a sink with a Fetcher of its own, and
// gives what became of each, in the order of the paths.
func run(t *testing.T, s *httptest.Server, sink fetch.Sink, paths ...string) []outcome {
	t.Helper()
	k, err := kernel.New()
	require.NoError(t, err)
	return runOn(t, k, s, sink, paths...)
}

func runOn(t *testing.T, k kernel.Kernel, s *httptest.Server, sink fetch.Sink, paths ...string) []outcome {
	t.Helper()
	f, err := fetch.NewOn(k, offload.New(4, func() { _ = k.Wake() }), fetch.Options{Sink: sink})
	require.NoError(t, err)
	defer f.Close()
	requests := func(yield func(fetch.Request) bool) {
		for n, path := range paths {
			if !yield(fetch.Request{URL: s.URL + path, Tag: n}) {
				return
			}
		}
	}
	all := make([]outcome, len(paths))
	for res, err := range f.Fetch(context.Background(), requests) {
		all[res.Request.Tag.(int)] = outcome{res.Outcome, res.Name, err}
	}
	return all
}

// content reads a folder: what is in its files, by name.
func content(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	files := map[string]string{}
	for _, e := range entries {
		p, err := os.ReadFile(filepath.Join(folder, e.Name()))
		require.NoError(t, err)
		files[e.Name()] = string(p)
	}
	return files
}

// TestSecondRun finds all that the first one saved, under the same names, and
// leaves it alone. Names that collide are no exception.
func TestSecondRun(t *testing.T) {
	asked := make(chan string, 100)
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		fmt.Fprint(w, r.URL.Path)
	})
	out := t.TempDir()
	paths := []string{"/1/a.jpg", "/2/a.jpg", "/3/A.JPG", "/4/a-2.jpg", "/", "/5/", "/b.jpg"}
	names := []string{"a.jpg", "a-2.jpg", "A-3.JPG", "a-2-2.jpg", "index.html", "index-2.html", "b.jpg"}
	want := map[string]string{}
	for n, o := range run(t, s, save.Dir(out), paths...) {
		require.Equal(t, outcome{fetch.Fetched, names[n], nil}, o)
		want[names[n]] = paths[n]
	}
	require.Equal(t, want, content(t, out))
	require.Len(t, asked, len(paths))

	for n, o := range run(t, s, save.Dir(out), paths...) {
		require.Equal(t, outcome{fetch.Skipped, names[n], nil}, o)
	}
	require.Equal(t, want, content(t, out))
	require.Len(t, asked, len(paths), "nothing is asked of the server")
}

// TestRunAfterALostFile fetches what is not there, and that alone.
func TestRunAfterALostFile(t *testing.T) {
	s, out := serve(t), t.TempDir()
	paths := []string{"/1/a.jpg", "/2/a.jpg", "/3/a.jpg"}
	run(t, s, save.Dir(out), paths...)
	require.NoError(t, os.Remove(filepath.Join(out, "a-2.jpg")))
	require.NoError(t, os.WriteFile(filepath.Join(out, "a.jpg"), []byte("edited"), 0o666))
	got := run(t, s, save.Dir(out), paths...)
	require.Equal(t, []outcome{{fetch.Skipped, "a.jpg", nil}, {fetch.Fetched, "a-2.jpg", nil}, {fetch.Skipped, "a-3.jpg", nil}}, got)
	require.Equal(t, map[string]string{"a.jpg": "edited", "a-2.jpg": "/2/a.jpg", "a-3.jpg": "/3/a.jpg"}, content(t, out))
}

// TestNothingHalf: while a body comes it has a temporary name, and when it
// breaks off, at its first byte or late, or is refused, nothing is left.
func TestNothingHalf(t *testing.T) {
	out := t.TempDir()
	during := make(chan []string, 10)
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		var size int
		fmt.Sscanf(r.URL.Path, "/%d", &size)
		w.Header().Set("Content-Length", "3000000")
		w.Write(make([]byte, size))
		w.(http.Flusher).Flush()
		during <- waitForOne(out, size > 0)
		panic(http.ErrAbortHandler)
	})
	for _, size := range []int{0, 1, 100_000, 2_000_000} {
		got := run(t, s, save.Dir(out), fmt.Sprintf("/%d", size))[0]
		require.Equal(t, fetch.Failed, got.Outcome)
		var e *fetch.Error
		require.ErrorAs(t, got.err, &e)
		require.Equal(t, fetch.PhaseReceive, e.Phase)
		for _, name := range <-during {
			require.True(t, strings.HasPrefix(name, ".shoal-"), "%s while only half of it is there", name)
		}
		require.Empty(t, slices.Collect(maps.Keys(content(t, out))), "%d bytes", size)
	}
}

// waitForOne waits until there is a file in a folder, if one is to come, and
// lists it.
func waitForOne(folder string, comes bool) (names []string) {
	for len(names) == 0 {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return []string{err.Error()}
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if !comes {
			return names
		}
	}
	return names
}

// TestRefusedIsNotSaved: the page that says that there is no picture is none.
func TestRefusedIsNotSaved(t *testing.T) {
	s, out := serveWith(t, http.NotFound), t.TempDir()
	got := run(t, s, save.Dir(out), "/a.jpg")[0]
	require.ErrorContains(t, got.err, "404")
	require.Empty(t, content(t, out))
}

// TestLeftEarly: a Fetch that is left in the middle leaves no temporary name.
func TestLeftEarly(t *testing.T) {
	out := t.TempDir()
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			waitForOne(out, true) // until the other has begun
			return
		}
		w.Write(make([]byte, 100_000))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	real, err := kernel.New()
	require.NoError(t, err)
	k := &tardy{Kernel: real} // so that no worker does it, by which Close would have to be waited for
	f, err := fetch.NewOn(k, offload.New(4, func() { _ = k.Wake() }), fetch.Options{Sink: save.Dir(out)})
	require.NoError(t, err)
	defer f.Close()
	for res := range f.Fetch(context.Background(), slices.Values([]fetch.Request{{URL: s.URL + "/slow"}, {URL: s.URL + "/quick"}})) {
		require.Equal(t, "quick", res.Name)
		break
	}
	require.Equal(t, map[string]string{"quick": ""}, content(t, out))
}

// TestSizes are saved whole: nothing at all, one piece, many, and what goes by
// splice.
func TestSizes(t *testing.T) {
	sizes := []int{0, 1, 10_000, 300_000, 5_000_000}
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		var size int
		fmt.Sscanf(r.URL.Path, "/%d", &size)
		w.Header().Set("Content-Length", fmt.Sprint(size))
		w.Write(pattern(size))
	})
	out := t.TempDir()
	var paths []string
	for _, size := range sizes {
		paths = append(paths, fmt.Sprintf("/%d.jpg", size))
	}
	for _, got := range run(t, s, save.Dir(out), paths...) {
		require.NoError(t, got.err)
	}
	for name, got := range content(t, out) {
		var size int
		fmt.Sscanf(name, "%d", &size)
		require.True(t, string(pattern(size)) == got, "%s: %d bytes, or others", name, len(got))
	}
	require.Len(t, content(t, out), len(sizes))
}

// pattern is content in which no piece is like another.
func pattern(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

// TestFolderIsMade, with its parents.
func TestFolderIsMade(t *testing.T) {
	s, out := serve(t), filepath.Join(t.TempDir(), "a", "b", "c")
	require.NoError(t, run(t, s, save.Dir(out), "/x.jpg")[0].err)
	require.Equal(t, map[string]string{"x.jpg": "/x.jpg"}, content(t, out))
	info, err := os.Stat(filepath.Join(out, "x.jpg"))
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular())
	require.Zero(t, info.Mode().Perm()&0o111, "nothing that is fetched can be run")
}

// TestNoWayOut: whatever the path says, the file is in the folder.
func TestNoWayOut(t *testing.T) {
	s, parent := serve(t), t.TempDir()
	out := filepath.Join(parent, "out")
	for _, o := range run(t, s, save.Dir(out), "/..%2f..%2fevil", "/%2e%2e", "/a/..%5c..%5cevil", "/.bashrc", "/x%00y") {
		require.NoError(t, o.err)
		require.FileExists(t, filepath.Join(out, o.name))
		require.NotEqual(t, byte('.'), o.name[0])
	}
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// TestNothingIsReplaced: a file of the name that came during the fetch stays,
// and the fetch has failed.
func TestNothingIsReplaced(t *testing.T) {
	out := t.TempDir()
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		if err := os.WriteFile(filepath.Join(out, "a.jpg"), []byte("somebody else's"), 0o666); err != nil {
			panic(err)
		}
		fmt.Fprint(w, "ours")
	})
	got := run(t, s, save.Dir(out), "/a.jpg")[0]
	require.ErrorIs(t, got.err, syscall.EEXIST)
	require.ErrorContains(t, got.err, ": save: ")
	require.Equal(t, map[string]string{"a.jpg": "somebody else's"}, content(t, out))
}

// TestFolderRefused by New, in words that name it.
func TestFolderRefused(t *testing.T) {
	parent := t.TempDir()
	file := filepath.Join(parent, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	_, err := fetch.New(fetch.Options{Sink: save.Dir(file)})
	require.EqualError(t, err, "folder "+file+": not a directory")
	_, err = fetch.New(fetch.Options{Sink: save.Dir(filepath.Join(file, "below"))})
	require.EqualError(t, err, "folder "+filepath.Join(file, "below")+": not a directory")

	// The superuser is denied nothing: the kernel is made to deny it.
	for _, call := range []kernel.Call{kernel.CallOpenDir, kernel.CallReadDir} {
		k, err := kernel.New()
		require.NoError(t, err)
		denied := kernel.Inject(k, kernel.Faults{Nth: 1, Call: call, Errno: syscall.EACCES})
		_, err = fetch.NewOn(denied, offload.New(1, func() {}), fetch.Options{Sink: save.Dir(parent)})
		require.EqualError(t, err, "folder "+parent+": permission denied")
		require.NoError(t, k.Close())
	}
}

// TestFileDenied: a folder that can be read but not written to fails the
// fetch, not the run, and says why.
func TestFileDenied(t *testing.T) {
	s, out := serve(t), t.TempDir()
	k, err := kernel.New()
	require.NoError(t, err)
	denied := kernel.Inject(k, kernel.Faults{Nth: 1, Call: kernel.CallCreate, Errno: syscall.EACCES})
	got := runOn(t, denied, s, save.Dir(out), "/a.jpg")[0]
	require.EqualError(t, got.err, s.URL+"/a.jpg: save: permission denied")
	require.Empty(t, content(t, out))
}

// tardy is a kernel whose writes of a text take long, by its clock, and nothing
// else does. It notes what it is told to expect.
type tardy struct {
	kernel.Kernel
	text  string
	ahead time.Duration
	told  []bool
	busy  bool // others had the processor meanwhile
}

func (k *tardy) Delayed() time.Duration {
	if k.busy {
		return time.Second / 100
	}
	return 0
}

func (k *tardy) Now() time.Duration { return time.Hour + k.ahead }

func (k *tardy) Write(fd int, p []byte) (int, error) {
	if string(p) == k.text {
		k.ahead += time.Second / 100
	}
	return k.Kernel.Write(fd, p)
}

func (k *tardy) ExpectWaits(yes bool) {
	k.told = append(k.told, yes)
	k.Kernel.ExpectWaits(yes)
}

// TestSlowFileCalls: the kernel is told when file calls have become slow.
func TestSlowFileCalls(t *testing.T) {
	real, err := kernel.New()
	require.NoError(t, err)
	k := &tardy{Kernel: real, text: "/slow"}
	path := t.TempDir()
	for _, o := range runOn(t, k, serve(t), save.Dir(path), "/quick", "/slow") {
		require.NoError(t, o.err)
	}
	require.Equal(t, []bool{true}, k.told)
	require.Equal(t, map[string]string{"quick": "/quick", "slow": "/slow"}, content(t, path))
}

// TestBusyMachine: a call that took long because others had the processor says
// nothing of the disk.
func TestBusyMachine(t *testing.T) {
	real, err := kernel.New()
	require.NoError(t, err)
	k := &tardy{Kernel: real, text: "/slow", busy: true}
	for _, o := range runOn(t, k, serve(t), save.Dir(t.TempDir()), "/quick", "/slow") {
		require.NoError(t, o.err)
	}
	require.Empty(t, k.told)
}
