package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	s, dir := site(t), t.TempDir()
	got := shoal(t, "-d", dir, s.URL+"/plain/a.jpg", host(s.URL)+"/chunked/b.jpg", s.URL+"/close/c.jpg")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Empty(t, got.stdout)
	require.Regexp(t, `^shoal: 3 fetched; 27 B in \S+\n$`, got.stderr)
	require.Equal(t, []string{"a.jpg", "b.jpg", "c.jpg"}, names(t, dir))
	for _, name := range names(t, dir) {
		require.Equal(t, "It's"+name, content(t, dir, name))
	}
}

// TestOneSaysNothing: a single fetch that succeeds has nothing to tell.
func TestOneSaysNothing(t *testing.T) {
	require.Equal(t, said{status: exitOK}, shoal(t, "-d", t.TempDir(), site(t).URL+"/plain/a.jpg"))
}

func TestFolderIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	require.Equal(t, exitOK, shoal(t, "-d", dir, site(t).URL+"/plain/a.jpg").status)
	require.Equal(t, "It'sa.jpg", content(t, dir, "a.jpg"))
}

func TestOutputReplaces(t *testing.T) {
	s, name := site(t), filepath.Join(t.TempDir(), "mine")
	require.NoError(t, os.WriteFile(name, []byte("something longer than before"), 0o600))
	require.Equal(t, said{status: exitOK}, shoal(t, "-o", name, s.URL+"/plain/a.jpg"))
	require.Equal(t, "It'sa.jpg", content(t, name))
	require.Equal(t, []string{"mine"}, names(t, filepath.Dir(name)))

	require.Equal(t, exitFailed, shoal(t, "-o", name, s.URL+"/none/b.jpg").status)
	require.Equal(t, exitFailed, shoal(t, "-o", name, s.URL+"/cut/b.jpg").status)
	require.Equal(t, "It'sa.jpg", content(t, name), "a fetch that failed replaced the file")
	require.Equal(t, []string{"mine"}, names(t, filepath.Dir(name)))
}

func TestSecondRunSkips(t *testing.T) {
	s, dir := site(t), t.TempDir()
	urls := []string{s.URL + "/plain/a.jpg", s.URL + "/plain/b.jpg"}
	require.Equal(t, exitOK, shoal(t, append(urls, "-d", dir)...).status)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("mine now"), 0o600))
	s.Close()
	got := shoal(t, append(urls, "-d", dir)...)
	require.Equal(t, exitOK, got.status)
	require.Regexp(t, `^shoal: 0 fetched, 2 skipped; 0 B in \S+\n$`, got.stderr)
	require.Equal(t, "mine now", content(t, dir, "a.jpg"))
}

func TestListFile(t *testing.T) {
	s, dir := site(t), t.TempDir()
	list := listFile(t, "# two files", "", s.URL+"/plain/a.jpg", "  "+host(s.URL)+"/plain/b.jpg\r")
	got := shoal(t, "-i", list, "-d", dir)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Equal(t, []string{"a.jpg", "b.jpg"}, names(t, dir))
}

// TestBadLines: lines that are no URLs fail as a fetch does, with the place
// where they stand, and those around them are fetched. The list of what failed
// leaves out what cannot be tried again.
func TestBadLines(t *testing.T) {
	s := site(t)
	bad := []string{s.URL + "/plain/a.jpg", strings.Repeat("x", 70_000), "http://h:port/", `{"name":"x"}`, s.URL + "/plain/b.jpg"}
	for _, from := range []string{"file", "pipe"} {
		t.Run(from, func(t *testing.T) {
			dir, failed := t.TempDir(), filepath.Join(t.TempDir(), "failed")
			args, stdin := []string{"-i", listFile(t, bad...), "-d", dir, "--json", "--failed", failed}, io.Reader(nil)
			if from == "pipe" {
				args[1], stdin = "-", strings.NewReader(strings.Join(bad, "\n"))
			}
			got := shoalFrom(t, stdin, args...)
			require.Equal(t, exitFailed, got.status)
			require.Contains(t, got.stderr, ":2: "+strings.Repeat("x", 80)+"…: request: the line is longer than 65536 bytes\n")
			require.Contains(t, got.stderr, ":3: http://h:port/: request: ")
			require.Contains(t, got.stderr, `:4: {"name":"x"}: request: the JSON object has no "url"`)
			require.Equal(t, []string{"a.jpg", "b.jpg"}, names(t, dir))
			all := records(t, got.stdout)
			require.Len(t, all, 5)
			for line := 2; line <= 4; line++ {
				require.Equal(t, "request", all[line].Error.Phase)
			}
			again := lines(content(t, failed))
			require.Len(t, again, 3)
			require.Contains(t, again[0]+again[1]+again[2], `"url":"http://h:port/"`)
			require.NotContains(t, content(t, failed), "xxx")
		})
	}
}

// TestStrict: a line that is no URL ends the run. What was begun before is
// finished, what stands after it is not begun.
func TestStrict(t *testing.T) {
	s := site(t)
	for _, bad := range []string{"http://h:port/", `{"url":`} {
		dir := t.TempDir()
		got := shoal(t, "--strict", "-d", dir, "-i", listFile(t, s.URL+"/plain/a.jpg", bad, s.URL+"/plain/b.jpg"))
		require.Equal(t, exitUsage, got.status)
		require.Contains(t, got.stderr, "list:2: ")
		require.Contains(t, got.stderr, "--strict")
		require.NotContains(t, names(t, dir), "b.jpg")
		for _, name := range names(t, dir) {
			require.Equal(t, "It's"+name, content(t, dir, name))
		}
	}
}

// TestSlowProducer has a producer that says nothing while a fetch is under way:
// its body must go on coming, and its result be told, before the next line is
// there.
func TestSlowProducer(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "It's")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/a.jpg" {
			close(begun)
			<-finish
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	defer s.Close()
	dir := t.TempDir()
	stdin, producer := io.Pipe()
	results, stdout := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- runToo([]string{"-i", "-", "-d", dir, "--json"}, stdin, stdout, io.Discard)
		stdout.Close()
	}()
	const patience = 20 * time.Second
	defer time.AfterFunc(patience, func() {
		results.CloseWithError(errors.New("the run stood still"))
	}).Stop()

	fmt.Fprintf(producer, "%s/a.jpg\n", s.URL)
	select {
	case <-begun:
	case <-time.After(patience):
		require.Fail(t, "the first fetch waits for the second line")
	}
	close(finish)
	records := bufio.NewReader(results)
	first, err := records.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, first, "/a.jpg")
	require.Equal(t, "It's/a.jpg", content(t, dir, "a.jpg"))

	fmt.Fprintf(producer, "%s/b.jpg\n", s.URL)
	second, err := records.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, second, "/b.jpg")
	producer.Close()
	require.Equal(t, exitOK, <-status)
	require.Equal(t, []string{"a.jpg", "b.jpg"}, names(t, dir))
}

// crowd is a server that counts the requests it has at once. None is answered
// before as many are there as are expected, and then some time for more to come.
type crowd struct {
	mu        sync.Mutex
	now, most int
	expected  int
	full      chan struct{}
	opened    sync.Once
}

func (c *crowd) ServeHTTP(http.ResponseWriter, *http.Request) {
	c.count(1)
	select {
	case <-c.full:
	case <-time.After(10 * time.Second):
	}
	time.Sleep(30 * time.Millisecond)
	c.count(-1)
}

func (c *crowd) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
	if c.now == c.expected {
		c.opened.Do(func() { close(c.full) })
	}
}

// TestConnections holds -j and --max-per-host to what the server sees.
func TestConnections(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		most int
	}{
		{"per host", []string{"--max-per-host", "3"}, 3},
		{"in all", []string{"-j", "2", "--max-per-host", "9"}, 2},
		{"by default", nil, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			crowd := &crowd{expected: c.most, full: make(chan struct{})}
			s := httptest.NewServer(crowd)
			defer s.Close()
			var urls []string
			for i := range 20 {
				urls = append(urls, fmt.Sprintf("%s/%d", s.URL, i))
			}
			got := shoal(t, slices.Concat(c.args, []string{"-d", t.TempDir()}, urls)...)
			require.Equal(t, exitOK, got.status, got.stderr)
			crowd.mu.Lock()
			defer crowd.mu.Unlock()
			require.Equal(t, c.most, crowd.most)
		})
	}
}
