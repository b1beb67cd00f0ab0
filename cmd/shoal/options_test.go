package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seen is a request as a server saw it.
type seen struct {
	Proto, Host string
	Header      http.Header
}

// mirror is a server that answers with the request it saw.
func mirror(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(seen{r.Proto, r.Host, r.Header})
	}))
	t.Cleanup(s.Close)
	return s
}

// fetchSeen has the mirror say what it saw of one fetch.
func fetchSeen(t *testing.T, args ...string) (s seen) {
	t.Helper()
	got := shoal(t, append(args, "-o", "-")...)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &s))
	return s
}

func TestRequestFlags(t *testing.T) {
	s := mirror(t)
	usual := fetchSeen(t, s.URL)
	require.Equal(t, "HTTP/1.1", usual.Proto)
	require.Equal(t, host(s.URL), usual.Host)
	require.Equal(t, http.Header{"User-Agent": {"shoal/" + version}, "Accept": {"*/*"}, "Accept-Encoding": {"identity"}}, usual.Header)

	got := fetchSeen(t, s.URL, "-0", "-A", "me", "-H", "Host: there", "-H", "accept: image/*", "-H", "X-A: 1", "-H", "X-A: 2", "-H", "X-B;", "-H", "X-C: 3", "-H", "X-C:", "-H", "Accept-Encoding:")
	require.Equal(t, seen{"HTTP/1.0", "there", http.Header{"User-Agent": {"me"}, "Accept": {"image/*"}, "X-A": {"1", "2"}, "X-B": {""}}}, got)
}

// TestResolve: the name exists for --resolve alone.
func TestResolve(t *testing.T) {
	s := mirror(t)
	_, port, _ := strings.Cut(host(s.URL), ":")
	url := "http://shoal.invalid:" + port + "/"
	got := fetchSeen(t, url, "--resolve", "shoal.invalid:"+port+":127.0.0.1", "-4")
	require.Equal(t, "shoal.invalid:"+port, got.Host)
	failed := shoal(t, url, "--resolve", "shoal.invalid:*:127.0.0.1", "-6", "-o", os.DevNull)
	require.Equal(t, exitFailed, failed.status)
	require.Contains(t, failed.stderr, ": lookup: ")
}

// TestIgnoredFlags: what a command line for curl has besides changes nothing.
func TestIgnoredFlags(t *testing.T) {
	s, dir := site(t), t.TempDir()
	got := shoal(t, "-LOZfSq", "--parallel", "--parallel-max", "3", "-P", dir, s.URL+"/moved/a.jpg")
	require.Equal(t, said{status: exitOK}, got)
	require.Equal(t, "It'sa.jpg", content(t, dir, "a.jpg"))
}

func TestStandardOutput(t *testing.T) {
	s := site(t)
	require.Equal(t, said{exitOK, "It'sa.jpg", ""}, shoal(t, "-o", "-", s.URL+"/chunked/a.jpg"))
	require.Equal(t, exitUsage, shoal(t, "-o", "-", s.URL+"/plain/a", s.URL+"/plain/b").status)
	require.Equal(t, exitUsage, shoal(t, "-o", "-", "--json", s.URL+"/plain/a").status)
	got := shoal(t, "-o", "-", s.URL+"/none/a.jpg")
	require.Equal(t, exitFailed, got.status)
	require.Empty(t, got.stdout)
}

func TestDiscarded(t *testing.T) {
	s, record := site(t), filepath.Join(t.TempDir(), "json")
	got := shoal(t, "-o", os.DevNull, "--json="+record, s.URL+"/plain/a.jpg", s.URL+"/plain/b.jpg")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Empty(t, got.stdout)
	for _, r := range records(t, content(t, record)) {
		require.Equal(t, "saved", r.Outcome)
		require.Equal(t, int64(9), r.Bytes)
		require.Empty(t, r.Path)
	}
}

func TestSaveErrors(t *testing.T) {
	s, dir := site(t), t.TempDir()
	got := shoal(t, "--save-errors", "--json", "-d", dir, s.URL+"/none/a.txt")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Equal(t, 404, records(t, got.stdout)[1].Status)
	require.Equal(t, "404 page not found\n", content(t, dir, "a.txt"))
}

func TestOverwrite(t *testing.T) {
	s, dir := site(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("something longer than before"), 0o600))
	require.Equal(t, exitOK, shoal(t, "-d", dir, s.URL+"/plain/a.jpg").status)
	require.Equal(t, "something longer than before", content(t, dir, "a.jpg"))
	require.Equal(t, exitFailed, shoal(t, "--overwrite", "-d", dir, s.URL+"/cut/a.jpg").status)
	require.Equal(t, "something longer than before", content(t, dir, "a.jpg"))
	require.Equal(t, exitOK, shoal(t, "--overwrite", "-d", dir, s.URL+"/plain/a.jpg").status)
	require.Equal(t, "It'sa.jpg", content(t, dir, "a.jpg"))
}

func TestLimits(t *testing.T) {
	s := site(t)
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			fmt.Fprint(w, "It's")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}))
	defer stuck.Close()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--max-filesize", "8", s.URL + "/plain/a.jpg"}, "more than 8 body bytes"},
		{[]string{"--max-redirs", "0", s.URL + "/moved/a.jpg"}, "status: 302 Found"},
		{[]string{"-m", "0.1", stuck.URL + "/body"}, "not done within 100ms (total timeout)"},
		{[]string{"--first-byte-timeout", "0.1", stuck.URL}, "no answer within 100ms"},
		{[]string{"--stall-timeout", "100ms", stuck.URL + "/body"}, "no further byte for 100ms"},
	} {
		dir := t.TempDir()
		got := shoal(t, append(c.args, "-d", dir)...)
		require.Equal(t, exitFailed, got.status)
		require.Contains(t, got.stderr, c.want)
		require.Empty(t, names(t, dir))
	}
	require.Equal(t, said{status: exitOK}, shoal(t, "--max-filesize", "9", "--max-redirs", "1", "-o", os.DevNull, s.URL+"/moved/a.jpg"))
}

// TestSeveralLists are read one after the other, and messages name them.
func TestSeveralLists(t *testing.T) {
	s, dir := site(t), t.TempDir()
	one, two := listFile(t, s.URL+"/plain/a.jpg", s.URL+"/none/x"), listFile(t, s.URL+"/plain/b.jpg", s.URL+"/none/y")
	got := shoalFrom(t, strings.NewReader(s.URL+"/plain/c.jpg"), "-d", dir, "-i", one, "-i", "-", "-i", two)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, one+":2: "+s.URL+"/none/x: status")
	require.Contains(t, got.stderr, two+":2: "+s.URL+"/none/y: status")
	require.Equal(t, []string{"a.jpg", "b.jpg", "c.jpg"}, names(t, dir))
}

// TestFailEarly ends with the first failure, and with its status, whatever
// succeeds later (github.com/curl/curl/issues/6939).
func TestFailEarly(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
			return
		}
		<-r.Context().Done()
	}))
	defer s.Close()
	urls := []string{s.URL + "/none"}
	for i := range 50 {
		urls = append(urls, fmt.Sprintf("%s/%d", s.URL, i))
	}
	dir, began := t.TempDir(), time.Now()
	got := shoal(t, append(urls, "--fail-early", "-d", dir)...)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "--fail-early")
	require.Less(t, time.Since(began), 10*time.Second, "it waited for those under way")
	require.LessOrEqual(t, asked.Load(), int32(7))
	require.Empty(t, names(t, dir))
	require.Equal(t, 1, len(lines(shoal(t, "--fail-early", "-d", dir, s.URL+"/none").stderr)), "one failed URL is one line")
}

// TestMaxFailed ends when too many have failed; what is under way is finished,
// and --rest says what was not begun.
func TestMaxFailed(t *testing.T) {
	s := site(t)
	var urls []string
	for i := range 300 {
		urls = append(urls, fmt.Sprintf("%s/%s/%d", s.URL, []string{"plain", "none"}[i%2], i))
	}
	for most, failures := range map[string]int{"10": 11, "20%": 50} {
		dir, rest := t.TempDir(), filepath.Join(t.TempDir(), "rest")
		got := shoal(t, "--max-failed", most, "--rest", rest, "--max-per-host", "1", "--json", "-d", dir, "-i", listFile(t, urls...))
		require.Equal(t, exitStopped, got.status)
		require.Contains(t, got.stderr, "--max-failed")
		failed := 0
		all := records(t, got.stdout)
		for _, r := range all {
			if r.Outcome == "failed" {
				failed++
			}
		}
		require.InDelta(t, failures, failed, 2)
		left := lines(content(t, rest))
		require.Len(t, left, 300-len(all))
		for _, line := range left {
			var e entry
			require.NoError(t, json.Unmarshal([]byte(line), &e))
			require.NotContains(t, all, e.Line)
			require.Equal(t, urls[e.Line-1], e.URL)
		}
	}
}

// TestReportsSpareTheList: to write over what is being read would lose it.
func TestReportsSpareTheList(t *testing.T) {
	list := listFile(t, site(t).URL+"/none/a")
	before := content(t, list)
	for _, flag := range []string{"--failed", "--rest", "--json"} {
		got := shoal(t, "-d", t.TempDir(), "-i", list, flag+"="+list)
		require.Equal(t, exitUsage, got.status)
		require.Equal(t, before, content(t, list))
	}
}

// TestFullDisk: when nothing more can be written the run ends, and says what to
// do.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("NOT TESTED a full disk: there is no /dev/full here")
	}
	s := site(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	var stderr strings.Builder
	require.Equal(t, exitStopped, runToo([]string{"-o", "-", s.URL + "/plain/a"}, strings.NewReader(""), full, &stderr))
	require.Contains(t, stderr.String(), "no space left on device: free space and run the same command again\n")
	for _, flag := range []string{"--json=/dev/full", "--failed=/dev/full"} {
		got := shoal(t, flag, "-d", t.TempDir(), s.URL+"/none/a")
		require.Equal(t, exitStopped, got.status)
		require.Contains(t, got.stderr, "no space left")
	}
}
