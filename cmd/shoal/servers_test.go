package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
	"github.com/shoalfetch/shoal/internal/view"
)

// lowKeepAlive is so low a number of requests for a connection that the end of
// one is nothing special.
const lowKeepAlive = 20

// realSite is a folder from which a real server serves files.
type realSite struct {
	root      string // with files/
	address   string
	keepAlive int // requests that a connection may serve, 0 being one
	bodies    map[string][]byte
	urls      []string
}

// TestServers: what the servers of this world serve comes byte by byte, however
// many connections there are and however soon the servers close them.
func TestServers(t *testing.T) {
	files := 1000
	if testing.Short() || raceEnabled {
		files = 600 // more than the most connections, so that some serve two
	}
	for _, server := range realServers {
		t.Run(server.name, func(t *testing.T) {
			s := newRealSite(t, files, lowKeepAlive)
			server.start(t, s)
			for _, jobs := range []int{1, 32, 512} {
				t.Run(fmt.Sprint("-j ", jobs), func(t *testing.T) {
					all := s.fetchAll(t, jobs)
					require.NotZero(t, reusedOf(all))
					if server.limits { // Apache counts from the second request on
						require.GreaterOrEqual(t, files-reusedOf(all), files/(lowKeepAlive+1))
					}
				})
			}
			t.Run("--compressed", func(t *testing.T) {
				if server.name == "lighttpd" && !hasDeflate() {
					t.Skip("NOT TESTED against lighttpd: its mod_deflate is not where Debian has it")
				}
				s.fetchCompressed(t, server.chunks)
			})
			t.Run("-r", func(t *testing.T) { s.fetchRanges(t) })
			t.Run("redirect", func(t *testing.T) { s.fetchMoved(t) })
		})
		t.Run(server.name+" without keep-alive", func(t *testing.T) {
			s := newRealSite(t, files, 0)
			server.start(t, s)
			require.Zero(t, reusedOf(s.fetchAll(t, 32)))
		})
	}
}

// TestServerStops: a server that stops in the middle of a run, with or without a
// goodbye, and comes back, costs nothing but tries.
func TestServerStops(t *testing.T) {
	server := lighttpd
	for name, signal := range map[string]syscall.Signal{"gracefully": syscall.SIGINT, "abruptly": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			s := newRealSite(t, 300, lowKeepAlive)
			running := server.start(t, s)
			dir := t.TempDir()
			args := s.args(t, dir, 32, "--limit-rate", "2M", "--no-host-down", "--retry", "20", "--retry-delay", "100ms")
			done := make(chan said, 1)
			go func() { done <- shoal(t, args...) }()
			awaitFiles(t, dir, 50)
			require.NoError(t, running.Process.Signal(signal))
			_ = running.Wait()
			server.start(t, s)
			got := <-done
			require.Equal(t, exitOK, got.status, got.stderr)
			require.Positive(t, triedAgain(records(t, got.stdout)), "the server stopped too late")
			s.requireWhole(t, dir, len(s.urls))
		})
	}
}

// TestServerKilled: a server that is killed and stays away leaves whole files,
// and for each other one a reason.
func TestServerKilled(t *testing.T) {
	server := lighttpd
	s := newRealSite(t, 300, lowKeepAlive)
	running := server.start(t, s)
	dir := t.TempDir()
	args := s.args(t, dir, 32, "--limit-rate", "2M", "--no-host-down", "--retry", "0")
	done := make(chan said, 1)
	go func() { done <- shoal(t, args...) }()
	awaitFiles(t, dir, 50)
	require.NoError(t, running.Process.Kill())
	got := <-done
	require.Equal(t, exitFailed, got.status, got.stderr)
	s.requireSavedOrFailed(t, dir, records(t, got.stdout))
}

// newRealSite makes the folder. Others may read it: a server that was started by
// root serves as somebody else.
func newRealSite(t *testing.T, files, keepAlive int) *realSite {
	t.Helper()
	root, err := os.MkdirTemp("", "shoal-test")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(root) })
	require.NoError(t, os.Chmod(root, 0o755))
	s := &realSite{root: root, address: porttest.Free(t), keepAlive: keepAlive, bodies: map[string][]byte{}}
	require.NoError(t, os.Mkdir(filepath.Join(root, "files"), 0o755))
	noise := rand.NewChaCha8([32]byte{})
	for i := range files {
		name, body := fmt.Sprintf("%04d.jpg", i), make([]byte, realSizeOf(i))
		_, _ = noise.Read(body)
		if i%2 == 0 {
			name = fmt.Sprintf("%04d.txt", i)
			for j := range body {
				body[j] = "aeinst \n"[body[j]%8]
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(root, "files", name), body, 0o644))
		s.bodies[name] = body
		s.urls = append(s.urls, s.url("files", name))
	}
	return s
}

// realSizeOf is the size of file number i in bytes: none in one of 100, 100 to
// 300 KB in two, else 1 to 10 KB.
func realSizeOf(i int) int {
	switch i % 100 {
	case 0:
		return 0
	case 51, 52:
		return 100<<10 + i*7919%(200<<10)
	}
	return 1<<10 + i*7919%(9<<10)
}

func (s *realSite) url(folder, name string) string {
	return "http://" + s.address + "/" + folder + "/" + name
}

func (s *realSite) port() string {
	_, port, _ := net.SplitHostPort(s.address)
	return port
}

// args fetch all files into dir, over so many connections.
func (s *realSite) args(t *testing.T, dir string, jobs int, more ...string) []string {
	t.Helper()
	n := strconv.Itoa(jobs)
	return append([]string{"-i", listFile(t, s.urls...), "-d", dir, "-j", n, "--max-per-host", n, "--json"}, more...)
}

// fetchAll fetches each file and requires it to be what was served.
func (s *realSite) fetchAll(t *testing.T, jobs int, more ...string) map[int]view.Record {
	t.Helper()
	dir := t.TempDir()
	got := shoal(t, s.args(t, dir, jobs, more...)...)
	require.Equal(t, exitOK, got.status, got.stderr)
	s.requireWhole(t, dir, len(s.urls))
	return records(t, got.stdout)
}

// fetchCompressed: the server's gzip is there when it is asked for, and gone
// from what --compressed saves.
func (s *realSite) fetchCompressed(t *testing.T, chunks bool) {
	const name = "0002.txt"
	file := filepath.Join(t.TempDir(), "gz")
	got := shoal(t, "-H", "Accept-Encoding: gzip", "-o", file, s.url("files", name))
	require.Equal(t, exitOK, got.status, got.stderr)
	packed := content(t, file)
	require.Less(t, len(packed), len(s.bodies[name]))
	unpacked, err := gzip.NewReader(bytes.NewReader([]byte(packed)))
	require.NoError(t, err)
	body, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.Equal(t, s.bodies[name], body)

	ends := map[string]int{}
	for _, r := range s.fetchAll(t, 32, "--compressed") {
		ends[r.End]++
	}
	require.Equal(t, chunks, ends["chunked"] > 0, ends)
	require.NotZero(t, ends["length"], ends)
}

// fetchRanges fetches the three kinds of parts.
func (s *realSite) fetchRanges(t *testing.T) {
	const name = "0001.jpg"
	body := s.bodies[name]
	for asked, want := range map[string][]byte{"100-299": body[100:300], "500-": body[500:], "-50": body[len(body)-50:]} {
		file := filepath.Join(t.TempDir(), "part")
		got := shoal(t, "-r", asked, "-o", file, s.url("files", name))
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Equal(t, string(want), content(t, file), asked)
	}
}

// fetchMoved follows the server's redirects.
func (s *realSite) fetchMoved(t *testing.T) {
	dir := t.TempDir()
	var moved []string
	for _, url := range s.urls[:100] {
		moved = append(moved, s.url("moved", filepath.Base(url)))
	}
	got := shoal(t, "-d", dir, "--json", "-i", listFile(t, moved...))
	require.Equal(t, exitOK, got.status, got.stderr)
	for _, r := range records(t, got.stdout) {
		require.Len(t, r.Hops, 2)
		require.Equal(t, s.url("files", filepath.Base(r.Path)), r.FinalURL)
	}
	s.requireWhole(t, dir, len(moved))
}

// requireWhole: in dir are so many files, and each is what was served.
func (s *realSite) requireWhole(t *testing.T, dir string, files int) {
	t.Helper()
	saved := names(t, dir)
	require.Len(t, saved, files)
	for _, name := range saved {
		body, known := s.bodies[name]
		require.True(t, known, name)
		require.True(t, string(body) == content(t, dir, name), "%s is not what was served", name)
	}
}

// requireSavedOrFailed: each URL is either a whole file in dir, or has failed
// with a reason and left nothing.
func (s *realSite) requireSavedOrFailed(t *testing.T, dir string, all map[int]view.Record) {
	t.Helper()
	require.Len(t, all, len(s.urls))
	saved := 0
	for _, r := range all {
		if r.Outcome == "saved" {
			saved++
			continue
		}
		require.Equal(t, "failed", r.Outcome)
		require.NotNil(t, r.Error)
		require.NotEmpty(t, r.Error.Kind)
		require.NotEmpty(t, r.Error.Message)
	}
	s.requireWhole(t, dir, saved)
}

func reusedOf(all map[int]view.Record) (reused int) {
	for _, r := range all {
		if r.Reused {
			reused++
		}
	}
	return reused
}

func triedAgain(all map[int]view.Record) (again int) {
	for _, r := range all {
		if r.Attempts > 1 {
			again++
		}
	}
	return again
}

// awaitFiles waits until so many files are in dir.
func awaitFiles(t *testing.T, dir string, files int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(names(t, dir)) >= files }, 20*time.Second, time.Millisecond)
}
