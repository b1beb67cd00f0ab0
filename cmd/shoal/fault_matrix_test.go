package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// faultFiles is how many files a run under faults has.
func faultFiles() int {
	if testing.Short() {
		return 200
	}
	return 2000
}

// small are the contents of smallFiles: noise, of some hundred bytes to some KB.
var small = sync.OnceValue(func() (bodies []string) {
	noise := rand.NewChaCha8([32]byte{})
	for n := range faultFiles() {
		body := make([]byte, 100+n*7919%3600)
		_, _ = noise.Read(body)
		bodies = append(bodies, string(body))
	}
	return bodies
})

// smallFiles serves /WAY/N, the file number N in one of the three ways to know
// the end of a body.
func smallFiles(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way, number, _ := strings.Cut(r.URL.Path[1:], "/")
		n, err := strconv.Atoi(number)
		if err != nil || n >= len(small()) {
			http.NotFound(w, r)
			return
		}
		body := small()[n]
		switch way {
		case "length":
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		case "chunked":
			_, _ = io.WriteString(w, body[:len(body)/3])
			w.(http.Flusher).Flush()
			body = body[len(body)/3:]
		case "close":
			speak(w, "HTTP/1.1 200 OK\r\n\r\n"+body)
			return
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestFaultMatrix fetches many small files under each fault alone, and under
// mixtures that a seed makes. Each file is what was served or is not there, with
// an error that the fault explains; nothing hangs
// (github.com/curl/curl/issues/14263).
func TestFaultMatrix(t *testing.T) {
	var specs []string
	for _, fault := range []string{
		"recv-max=7", "recv-again=50", "send-max=3", "send-again=20", "reset-at=4096", "connect-fail=5", "write-max=11",
		"file-slow=5ms,file-slow-in=1",
	} {
		specs = append(specs, fault+",seed=1")
	}
	for seed := range 10 {
		specs = append(specs, mixture(seed))
	}
	s := smallFiles(t)
	var urls []string
	for n := range faultFiles() {
		urls = append(urls, fmt.Sprintf("%s/%s/%d", s.URL, ways[n%len(ways)], n))
	}
	list := listFile(t, urls...)
	for _, spec := range specs {
		t.Run(spec, func(t *testing.T) { underFaults(t, spec, list) })
	}
}

// mixture is a few faults that a seed chooses, at least one.
func mixture(seed int) string {
	chance := rand.New(rand.NewPCG(uint64(seed), 1))
	between := func(least, most int) int { return least + chance.IntN(most-least+1) }
	words := []string{
		fmt.Sprint("recv-max=", between(50, 2000)),
		fmt.Sprint("recv-again=", between(1, 60)),
		fmt.Sprint("send-max=", between(5, 60)),
		fmt.Sprint("send-again=", between(1, 60)),
		fmt.Sprint("reset-at=", between(1000, 20_000)),
		fmt.Sprint("connect-fail=", between(1, 30)),
		fmt.Sprint("write-max=", between(50, 2000)),
		fmt.Sprintf("file-slow=%dus,file-slow-in=%d", between(1, 2000), between(1, 3)),
	}
	chance.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	words = append(words[:between(2, 6)], fmt.Sprint("seed=", seed))
	return strings.Join(words, ",")
}

// underFaults runs the command over the list and compares what it says with what
// is in the folder.
func underFaults(t *testing.T, spec, list string) {
	dir := t.TempDir()
	got := inTime(t, func() said {
		return shoal(t, "--fault", spec, "--retry", "0", "--no-host-down", "--json", "-i", list, "-d", dir, "-j", "64", "--max-per-host", "64")
	})
	kinds := []string{}
	if strings.Contains(spec, "reset-at") {
		kinds = append(kinds, "reset")
	}
	if strings.Contains(spec, "connect-fail") {
		kinds = append(kinds, "refused")
	}
	all := records(t, got.stdout)
	require.Len(t, all, faultFiles(), got.stderr)
	saved, failed := 0, map[string]int{}
	for n := range faultFiles() {
		r, path := all[n+1], filepath.Join(dir, strconv.Itoa(n))
		if r.Error != nil {
			require.Equal(t, "failed", r.Outcome)
			require.Contains(t, kinds, r.Error.Kind, "%s: %s", r.URL, r.Error.Message)
			require.NoFileExists(t, path)
			failed[r.Error.Kind]++
			continue
		}
		require.Equal(t, "saved", r.Outcome)
		require.Equal(t, path, r.Path)
		require.True(t, small()[n] == content(t, path), "%s is not what was served", path)
		saved++
	}
	require.Len(t, names(t, dir), saved, "something else is in the folder")
	require.NotZero(t, saved)
	if testing.Short() {
		return // of so few files chance may spare all
	}
	for _, kind := range kinds {
		require.NotZero(t, failed[kind], "the fault did nothing")
	}
	status := exitOK
	if len(kinds) > 0 {
		status = exitFailed
	}
	require.Equal(t, status, got.status)
	require.Contains(t, got.stderr, "--fault "+spec+"\n")
}

// inTime waits for a run, and shows what everybody waits for if it does not end.
func inTime(t *testing.T, run func() said) said {
	t.Helper()
	done := make(chan said, 1)
	go func() { done <- run() }()
	select {
	case got := <-done:
		return got
	case <-time.After(3 * time.Minute):
		stacks := make([]byte, 1<<20)
		t.Fatalf("the run hangs:\n%s", bytes.TrimSpace(stacks[:runtime.Stack(stacks, true)]))
	}
	panic("not reached")
}

// TestMixture: the mixtures leave out no fault.
func TestMixture(t *testing.T) {
	var all []string
	for seed := range 10 {
		for part := range strings.SplitSeq(mixture(seed), ",") {
			name, _, _ := strings.Cut(part, "=")
			all = append(all, name)
		}
	}
	for _, w := range new(faultValue).words() {
		require.True(t, slices.Contains(all, w.name), w.name)
	}
}
