package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
)

// These tests end runs before their time, in every way there is, and run them
// again: in the end everything must be there, and at no time half of anything.

// shelf is a server of so many different files, which takes its time over each.
type shelf struct {
	*httptest.Server
	files int
	pause time.Duration
	gate  chan struct{} // nil, or what a file must get from here to become whole

	mu     sync.Mutex
	served int
	reach  map[int]chan struct{}
}

func newShelf(t *testing.T, files int, pause time.Duration) *shelf {
	return (&shelf{files: files, pause: pause}).serve(t)
}

// newGatedShelf gives so many files at once, and of the others their first halves
// until its gate is closed: a run that is to be disturbed cannot be over before.
func newGatedShelf(t *testing.T, files, atOnce int) *shelf {
	gate := make(chan struct{}, files)
	for range atOnce {
		gate <- struct{}{}
	}
	return (&shelf{files: files, gate: gate}).serve(t)
}

func (s *shelf) serve(t *testing.T) *shelf {
	s.reach = map[int]chan struct{}{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// text is a file's content: some are larger than any buffer.
func (s *shelf) text(name string) []byte {
	var n int
	fmt.Sscanf(name, "%d", &n)
	return bytes.Repeat([]byte(name+"\n"), 1+n%7*5000)
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := s.text(strings.TrimPrefix(r.URL.Path, "/"))
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	half := len(text) / 2
	_, _ = w.Write(text[:half])
	w.(http.Flusher).Flush()
	time.Sleep(s.pause)
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-r.Context().Done():
			return
		}
	}
	_, _ = w.Write(text[half:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	if c := s.reach[s.served]; c != nil {
		close(c)
	}
}

// after gives a channel that closes when so many files have been served.
func (s *shelf) after(served int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan struct{})
	s.reach[s.served+served] = c
	return c
}

func (s *shelf) list(t *testing.T) string {
	var urls []string
	for i := range s.files {
		urls = append(urls, fmt.Sprintf("%s/%d.txt", s.URL, i))
	}
	return listFile(t, urls...)
}

// check looks at every file under a final name; temporary ones are counted.
func (s *shelf) check(t *testing.T, dir string) (whole, temporary int) {
	t.Helper()
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".shoal-") {
			temporary++
			continue
		}
		require.True(t, content(t, dir, name) == string(s.text(name)), "%s is not what was served", name)
		whole++
	}
	return whole, temporary
}

// toEnd is what is said when a signal has been heard.
const toEnd = "under way have 5s to end"

// TestSignals: each of the three ends a run in good order, the same command
// completes it, and so does what --rest has written.
func TestSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, again := range []string{"the same command", "the rest"} {
			t.Run(fmt.Sprint(signal, ", then ", again), func(t *testing.T) {
				s, dir, rest := newGatedShelf(t, 200, 30), t.TempDir(), filepath.Join(t.TempDir(), "rest")
				list, some := s.list(t), s.after(30)
				p := startShoal(t, "-d", dir, "-i", list, "-j", "4", "--rest", rest)
				<-some
				require.NoError(t, p.Process.Signal(signal))
				p.says(t, toEnd)
				close(s.gate)
				require.Equal(t, 128+int(signal), p.end(t), p.stderr.String())
				whole, temporary := s.check(t, dir)
				require.Zero(t, temporary)
				require.GreaterOrEqual(t, whole, 30)
				require.LessOrEqual(t, whole, 30+4)
				require.Contains(t, p.stderr.String(), fmt.Sprintf("%s: %d URLs left: run the same command again to go on\n", signal, 200-whole))
				require.Len(t, lines(content(t, rest)), 200-whole)
				require.NotContains(t, p.stderr.String(), " failed")

				if again == "the rest" {
					list = rest
				}
				p = startShoal(t, "-d", dir, "-i", list)
				require.Equal(t, exitOK, p.end(t), p.stderr.String())
				whole, temporary = s.check(t, dir)
				require.Equal(t, []int{200, 0}, []int{whole, temporary})
			})
		}
	}
}

// TestInterruptedPipe: what the producer has still to say is left for --rest.
func TestInterruptedPipe(t *testing.T) {
	s, dir, rest := newGatedShelf(t, 200, 10), t.TempDir(), filepath.Join(t.TempDir(), "rest")
	list, err := os.Open(s.list(t))
	require.NoError(t, err)
	defer list.Close()
	some := s.after(10)
	p := &process{Cmd: exec.Command("sh", "-c", `cat "$2" | "$0" -d "$1" -i - -j 4 --rest "$3"`, program(t), dir, list.Name(), rest)}
	p.Stderr = &p.stderr
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, p.Start())
	<-some
	require.NoError(t, syscall.Kill(-p.Process.Pid, syscall.SIGINT))
	p.says(t, toEnd)
	close(s.gate)
	p.end(t)
	whole, temporary := s.check(t, dir)
	require.Zero(t, temporary)
	require.GreaterOrEqual(t, whole, 10)
	require.LessOrEqual(t, whole, 10+4)
	require.Len(t, lines(content(t, rest)), 200-whole, p.stderr.String())
}

// TestIdlePipe: a producer that says nothing keeps no run from ending.
func TestIdlePipe(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	s, dir := newShelf(t, 1, 0), t.TempDir()
	p := &process{Cmd: exec.Command(program(t), "-d", dir, "-i", "-", "--json")}
	p.Stdin, p.Stderr = in, &p.stderr
	recorded, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	in.Close()
	fmt.Fprintf(out, "%s/0.txt\n", s.URL)
	_, err = recorded.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 143, p.end(t))
	require.Equal(t, "shoal: terminated: the list was not read to its end: run the same command again to go on\n", p.stderr.String())
	whole, temporary := s.check(t, dir)
	require.Equal(t, []int{1, 0}, []int{whole, temporary})
}

// TestSecondSignal: what hangs gets some seconds after the first signal, none
// after the second.
func TestSecondSignal(t *testing.T) {
	begun := make(chan struct{}, 2)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "It's")
		w.(http.Flusher).Flush()
		begun <- struct{}{}
		<-r.Context().Done()
	}))
	defer s.Close()
	for _, second := range []bool{false, true} {
		dir := t.TempDir()
		p := startShoal(t, "-d", dir, s.URL)
		<-begun
		began := time.Now()
		require.NoError(t, p.Process.Signal(os.Interrupt))
		p.says(t, "1 "+toEnd)
		if second {
			require.NoError(t, p.Process.Signal(os.Interrupt))
		}
		require.Equal(t, 130, p.end(t))
		if second {
			require.Less(t, time.Since(began), grace)
			continue
		}
		require.GreaterOrEqual(t, time.Since(began), grace)
		require.Empty(t, names(t, dir))
		require.Contains(t, p.stderr.String(), "1 URL left: run the same command again")
	}
}

// TestStatusSignal: a line about where the run stands, and the run goes on.
func TestStatusSignal(t *testing.T) {
	s, dir := newGatedShelf(t, 60, 10), t.TempDir()
	some := s.after(10)
	p := startShoal(t, "-d", dir, "-i", s.list(t), "-j", "4")
	<-some
	require.NoError(t, p.Process.Signal(statusSignals[0]))
	p.says(t, "in flight")
	close(s.gate)
	require.Equal(t, exitOK, p.end(t))
	said := lines(p.stderr.String())
	require.Len(t, said, 2)
	require.Regexp(t, `^shoal: .*\d+ done, \d in flight`, said[0])
	require.Contains(t, said[1], "60 fetched")
}

// TestKilled kills a run at random moments, which nothing can tidy up after.
func TestKilled(t *testing.T) {
	s, dir := newShelf(t, 1000, 4*time.Millisecond), t.TempDir()
	list := s.list(t)
	dice := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for range 20 {
		some := s.after(1 + dice.IntN(5)) // however long the program takes to start
		p := startShoal(t, "-d", dir, "-i", list, "-j", "6")
		select {
		case <-some:
		case <-time.After(10 * time.Second):
		}
		time.Sleep(time.Duration(dice.IntN(6000)) * time.Microsecond)
		require.NoError(t, p.Process.Kill())
		if p.end(t) != 0 {
			killed++
		}
		s.check(t, dir)
	}
	before, temporary := s.check(t, dir)
	t.Logf("%d of 20 were killed; %d files were whole, %d temporary ones left", killed, before, temporary)
	require.GreaterOrEqual(t, killed, 10)
	require.Positive(t, temporary, "none was killed in the middle of a file")
	old := time.Now().Add(-25 * time.Hour)
	for _, name := range names(t, dir) {
		if strings.HasPrefix(name, ".shoal-") {
			require.NoError(t, os.Chtimes(filepath.Join(dir, name), old, old))
		}
	}
	p := startShoal(t, "-d", dir, "-i", list)
	require.Equal(t, exitOK, p.end(t), p.stderr.String())
	whole, temporary := s.check(t, dir)
	require.Equal(t, []int{1000, 0}, []int{whole, temporary})
}

// TestReaderLeaves: a reader that has had enough ends the run, and nobody hears
// of it (as in shoal --json … | head -1).
func TestReaderLeaves(t *testing.T) {
	s, dir := newGatedShelf(t, 200, 2), t.TempDir()
	p := &process{Cmd: exec.Command(program(t), "--json", "-j", "4", "-d", dir, "-i", s.list(t))}
	p.Stderr = &p.stderr
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	one := make([]byte, 20)
	_, err = out.Read(one)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	for range 4 {
		s.gate <- struct{}{}
	}
	require.Equal(t, 141, p.end(t))
	whole, temporary := s.check(t, dir)
	require.LessOrEqual(t, whole, 2+4)
	require.Zero(t, temporary)
	require.Empty(t, p.stderr.String())
	close(s.gate)

	p = &process{Cmd: exec.Command(program(t), "-o", "-", s.URL+"/"+strings.Repeat("9", 7)+"6")}
	p.Stderr = &p.stderr
	out, err = p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	require.NoError(t, out.Close())
	require.Equal(t, 141, p.end(t))
	require.Empty(t, p.stderr.String())
}

// fickle is a server of files that all have one name, of which every third
// fails the first time.
func fickle(t *testing.T, files int) (urls []string) {
	var mu sync.Mutex
	visits := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		visits[r.URL.Path]++
		first := visits[r.URL.Path] == 1
		mu.Unlock()
		var n int
		fmt.Sscanf(r.URL.Path, "/%d/", &n)
		if first && n%3 == 0 {
			speak(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nIt's")
			return
		}
		fmt.Fprint(w, "It's ", n)
	}))
	t.Cleanup(s.Close)
	for i := range files {
		urls = append(urls, fmt.Sprintf("%s/%d/Same%%20name.jpg", s.URL, i))
	}
	return urls
}

// checkFickle wants each file to have the name that its place in the list gives
// it.
func checkFickle(t *testing.T, dir string, files int) {
	t.Helper()
	require.Len(t, names(t, dir), files)
	for i := range files {
		name := "Same name.jpg"
		if i > 0 {
			name = fmt.Sprintf("Same name-%d.jpg", i+1)
		}
		require.Equal(t, fmt.Sprint("It's ", i), content(t, dir, name))
	}
}

// TestFailedAgain: the list of those that failed gives each the name that it
// would have had, whether one fetch goes on at a time or fifty
// (github.com/curl/curl/issues/15261).
func TestFailedAgain(t *testing.T) {
	for _, conns := range []string{"1", "50"} {
		t.Run("-j "+conns, func(t *testing.T) {
			urls := fickle(t, 90)
			dir, failed := t.TempDir(), filepath.Join(t.TempDir(), "failed")
			usual := []string{"-s", "--retry", "0", "-d", dir, "-j", conns, "--max-per-host", conns}
			got := shoal(t, append(usual, "-i", listFile(t, urls...), "--failed", failed)...)
			require.Equal(t, said{status: exitFailed}, got)
			require.Len(t, names(t, dir), 60)
			require.Len(t, lines(content(t, failed)), 30)
			for _, line := range lines(content(t, failed)) {
				var e entry
				require.NoError(t, json.Unmarshal([]byte(line), &e))
				require.Equal(t, []any{urls[e.Line-1], "receive", "truncated"}, []any{e.URL, e.Phase, e.Kind})
			}
			got = shoal(t, append(usual, "--json", "-i", failed)...)
			require.Equal(t, exitOK, got.status, got.stderr)
			require.Len(t, lines(got.stdout), 30)
			for line := range records(t, got.stdout) {
				require.Zero(t, (line-1)%3, "lines are those of the first list")
			}
			checkFickle(t, dir, 90)
			got = shoal(t, append(usual, "--json", "-i", failed)...)
			require.Equal(t, exitOK, got.status)
			require.Equal(t, 30, strings.Count(got.stdout, `"skipped"`))
		})
	}
}

// TestRestAgain: what a run did not come to has its name too.
func TestRestAgain(t *testing.T) {
	urls := fickle(t, 90)
	dir, reports := t.TempDir(), t.TempDir()
	failed, rest := filepath.Join(reports, "failed"), filepath.Join(reports, "rest")
	got := shoal(t, "-s", "--retry", "0", "-d", dir, "-j", "1", "--max-failed", "9", "--failed", failed, "--rest", rest, "-i", listFile(t, urls...))
	require.Equal(t, exitStopped, got.status)
	require.NotEmpty(t, lines(content(t, rest)))
	require.Equal(t, exitFailed, shoal(t, "-s", "--retry", "0", "-d", dir, "-i", failed, "-i", rest, "--failed", failed+"-2").status)
	require.Equal(t, exitOK, shoal(t, "-s", "-d", dir, "-i", failed+"-2").status)
	checkFickle(t, dir, 90)
}

// TestNetworkIsGone: a list of which everything fails is not gone through to its
// end.
func TestNetworkIsGone(t *testing.T) {
	_, port, _ := strings.Cut(porttest.Closed(t), ":")
	var urls []string
	for i := range 6000 {
		urls = append(urls, fmt.Sprintf("http://127.0.0.%d:%s/%d", 1+i%2, port, i))
	}
	rest, failed := filepath.Join(t.TempDir(), "rest"), filepath.Join(t.TempDir(), "failed")
	began := time.Now()
	got := shoal(t, "--retry", "0", "--no-host-down", "-d", t.TempDir(), "-i", listFile(t, urls...), "--rest", rest, "--failed", failed)
	require.Equal(t, exitStopped, got.status)
	require.Contains(t, got.stderr, "waiting 5s for the network")
	require.Contains(t, got.stderr, "the network is gone")
	require.GreaterOrEqual(t, time.Since(began), lostPause)
	left := len(lines(content(t, rest)))
	require.Greater(t, left, 2000)
	require.Equal(t, 6000, left+len(lines(content(t, failed))))
}
