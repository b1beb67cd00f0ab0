package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/state"
)

// editions is a server of texts that change: each path has one, and validators of it.
type editions struct {
	*httptest.Server
	dated bool // Last-Modified, and no ETag

	mu      sync.Mutex
	edition map[string]int
	status  map[int]int // how often each was answered
}

func newEditions(t *testing.T) *editions {
	e := &editions{edition: map[string]int{}, status: map[int]int{}}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *editions) text(path string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.textOf(path)
}

func (e *editions) textOf(path string) string {
	return strings.Repeat(fmt.Sprintf("%s, edition %d\n", path, e.edition[path]), 100)
}

func (e *editions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var changed time.Time
	if e.dated {
		changed = time.Date(2026, 1, 1+e.edition[r.URL.Path], 0, 0, 0, 0, time.UTC)
	} else {
		w.Header().Set("ETag", strconv.Quote(strconv.Itoa(e.edition[r.URL.Path])))
	}
	s := &statusSeen{ResponseWriter: w, status: 200}
	http.ServeContent(s, r, "x.txt", changed, strings.NewReader(e.textOf(r.URL.Path)))
	e.status[s.status]++
}

// revise brings out another edition.
func (e *editions) revise(path string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.edition[path]++
}

// answers are how often each status was answered since the last time.
func (e *editions) answers() map[int]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.status
	e.status = map[int]int{}
	return was
}

type statusSeen struct {
	http.ResponseWriter
	status int
}

func (s *statusSeen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// TestState: the second run asks whether anything has changed, by either
// validator, and fetches what has; at every number of connections and loops.
func TestState(t *testing.T) {
	for _, how := range [][]string{{"-j", "1"}, {"-j", "50"}, {"-j", "50", "--loops", "2"}} {
		for _, dated := range []bool{false, true} {
			t.Run(fmt.Sprint(how, dated), func(t *testing.T) {
				e, dir, file := newEditions(t), t.TempDir(), filepath.Join(t.TempDir(), "state")
				e.dated = dated
				var urls []string
				for n := range 40 {
					urls = append(urls, fmt.Sprintf("%s/%d.txt", e.URL, n))
				}
				urls = append(urls, strings.Replace(e.URL, "127.0.0.1", "localhost", 1)+"/40.txt")
				args := append([]string{"-d", dir, "-i", listFile(t, urls...), "--state", file, "--json"}, how...)
				got := shoal(t, args...)
				require.Equal(t, exitOK, got.status, got.stderr)
				require.Equal(t, map[int]int{200: 41}, e.answers())
				for _, r := range records(t, got.stdout) {
					sum := sha256.Sum256([]byte(content(t, r.Path)))
					require.Equal(t, hex.EncodeToString(sum[:]), r.SHA256)
				}

				e.revise("/7.txt")
				require.NoError(t, os.Remove(filepath.Join(dir, "8.txt")))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "9.txt"), []byte("damaged"), 0o600))
				got = shoal(t, args...)
				require.Equal(t, exitOK, got.status, got.stderr)
				require.Contains(t, got.stderr, "3 fetched, 38 not modified; ")
				require.Equal(t, map[int]int{200: 3, 304: 38}, e.answers())
				outcomes := map[string]int{}
				for _, r := range records(t, got.stdout) {
					outcomes[r.Outcome]++
					require.FileExists(t, r.Path)
				}
				require.Equal(t, map[string]int{"saved": 3, "not_modified": 38}, outcomes)
				require.Len(t, names(t, dir), 41)
				for _, name := range names(t, dir) {
					require.Equal(t, e.text("/"+name), content(t, dir, name))
				}
			})
		}
	}
}

// TestStateOneFile: -o is remembered too, and its file kept when it is the same.
func TestStateOneFile(t *testing.T) {
	e, name, file := newEditions(t), filepath.Join(t.TempDir(), "name"), filepath.Join(t.TempDir(), "state")
	for range 2 {
		require.Equal(t, exitOK, shoal(t, "-o", name, "--state", file, e.URL+"/a.txt").status)
		require.Equal(t, e.text("/a.txt"), content(t, name))
	}
	require.Equal(t, map[int]int{200: 1, 304: 1}, e.answers())
	require.Equal(t, exitOK, shoal(t, "-o", name+"2", "--state", file, e.URL+"/a.txt").status)
	require.Equal(t, map[int]int{200: 1}, e.answers(), "another file is not what is known")
}

// TestStateNames: a name that is another URL's is not taken for what was asked
// for, in whatever order they come.
func TestStateNames(t *testing.T) {
	e, dir, file := newEditions(t), t.TempDir(), filepath.Join(t.TempDir(), "state")
	run := func(urls ...string) said {
		got := shoal(t, append([]string{"-s", "--json", "-d", dir, "--state", file}, urls...)...)
		require.Equal(t, exitOK, got.status)
		return got
	}
	a, b, c := e.URL+"/a/x.txt", e.URL+"/b/x.txt", e.URL+"/c/x.txt"
	run(a)
	for range 2 {
		run(b)
		run(c, a, b)
		run(b, c, a)
		require.Equal(t, []string{"x-2.txt", "x-3.txt", "x.txt"}, names(t, dir))
		for name, path := range map[string]string{"x.txt": "/a/x.txt", "x-2.txt": "/b/x.txt", "x-3.txt": "/c/x.txt"} {
			require.Equal(t, e.text(path), content(t, dir, name))
		}
	}
	require.Equal(t, 3, e.answers()[200])
	require.NoError(t, os.WriteFile(filepath.Join(dir, "y.txt"), []byte("mine"), 0o600))
	require.Contains(t, run(e.URL+"/y.txt").stdout, `"skipped"`, "nobody knows whose that is")
	require.Equal(t, "mine", content(t, dir, "y.txt"))
}

// TestSkipComplete: what is known is not asked for, though its file has been taken
// elsewhere (aria2/aria2#2366), and its name is nobody else's; but a file that is
// not what it was is fetched.
func TestSkipComplete(t *testing.T) {
	e, dir, file := newEditions(t), t.TempDir(), filepath.Join(t.TempDir(), "state")
	list := listFile(t, e.URL+"/a/x.txt", e.URL+"/b/x.txt", e.URL+"/c/x.txt")
	args := []string{"-d", dir, "-i", list, "--state", file, "--skip-complete", "--json"}
	require.Equal(t, exitOK, shoal(t, args...).status)
	e.answers()
	require.NoError(t, os.Remove(filepath.Join(dir, "x.txt")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x-3.txt"), []byte("damaged"), 0o600))
	require.NoError(t, os.WriteFile(list, []byte(content(t, list)+e.URL+"/d/x.txt\n"), 0o600))
	got := shoal(t, args...)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stderr, "2 fetched, 2 skipped")
	require.Len(t, records(t, got.stdout), 4)
	require.Equal(t, map[int]int{200: 2}, e.answers())
	require.Equal(t, []string{"x-2.txt", "x-3.txt", "x-4.txt"}, names(t, dir))
	require.Equal(t, e.text("/c/x.txt"), content(t, dir, "x-3.txt"))
	require.Equal(t, e.text("/d/x.txt"), content(t, dir, "x-4.txt"))
}

// TestStateIsLocked: one run at a time has a state file; one that is none is left
// alone.
func TestStateIsLocked(t *testing.T) {
	e, dir, file := newEditions(t), t.TempDir(), filepath.Join(t.TempDir(), "state")
	s, err := state.Open(file)
	require.NoError(t, err)
	got := shoal(t, "-d", dir, "--state", file, e.URL+"/a.txt")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "another run is using this state file")
	require.NoError(t, s.Close())
	require.Equal(t, exitOK, shoal(t, "-d", dir, "--state", file, e.URL+"/a.txt").status)

	mine := listFile(t, "http://mine/")
	got = shoal(t, "-d", dir, "--state", mine, e.URL+"/a.txt")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, mine+": not a state file")
	require.Equal(t, "http://mine/\n", content(t, mine))
}

// TestStateKilled kills runs at random moments: what they have remembered is so,
// and in the end all is there and known.
func TestStateKilled(t *testing.T) {
	urls, texts, _ := slowShelf(t, 120, 200)
	dir, list, file := t.TempDir(), listFile(t, urls...), filepath.Join(t.TempDir(), "state")
	dice := rand.New(rand.NewPCG(5, 6))
	args := []string{"-s", "-d", dir, "-i", list, "-j", "6", "-C", "-", "--state", file}
	killed := 0
	for range 8 {
		p := startShoal(t, args...)
		time.Sleep(time.Duration(30+dice.IntN(60)) * time.Millisecond)
		require.NoError(t, p.Process.Kill())
		if p.end(t) != exitOK {
			killed++
		}
		checkState(t, file, texts)
	}
	require.GreaterOrEqual(t, killed, 3)
	require.Equal(t, exitOK, shoal(t, args...).status)
	known := checkState(t, file, texts)
	t.Logf("%d of 8 were killed, %d files are known", killed, known)
	require.GreaterOrEqual(t, known, len(urls)-killed*6, "each kill may come between a rename and its record")
	for name, text := range texts {
		require.Equal(t, string(text), content(t, dir, name))
	}
}

// checkState compares what a state file knows with what is there.
func checkState(t *testing.T, file string, texts map[string][]byte) (known int) {
	t.Helper()
	s, err := state.Open(file)
	require.NoError(t, err)
	defer s.Close()
	for line := range bytes.Lines([]byte(content(t, file))) {
		if fields := bytes.Split(line, []byte("\t")); len(fields) > 2 {
			r, ok, err := s.Get(string(fields[1]))
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, string(texts[filepath.Base(r.Path)]), content(t, r.Path))
		}
	}
	return s.Len()
}
