package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/porttest"
)

// TestMannerFlags: the flags in the engine's terms.
func TestMannerFlags(t *testing.T) {
	for _, c := range []struct {
		flags string
		want  fetch.Manners
	}{
		{"", fetch.Manners{Adapt: true, GiveUp: true}},
		{"--no-adapt --no-host-down", fetch.Manners{}},
		{"--rate 30/m --rate-per-host 2/s --wait 1.5", fetch.Manners{Rate: 0.5, RatePerHost: 2, Wait: 1500 * time.Millisecond, Adapt: true, GiveUp: true}},
		{"--limit-rate 1M --limit-rate-each 64k", fetch.Manners{BytesPerSecond: 1 << 20, BytesPerSecondEach: 64 << 10, Adapt: true, GiveUp: true}},
	} {
		var s settings
		cmd := command(&s, func() error { return nil })
		cmd.SetArgs(append(strings.Fields(c.flags), "http://h/"))
		require.NoError(t, cmd.Execute())
		require.Equal(t, c.want, s.manners.policy(), c.flags)
	}
	for flag, want := range map[string]string{
		"--rate=10": "as in 10/s", "--rate=0/s": "above 0", "--rate-per-host=1/w": "s, m, h or d",
		"--wait=-1": "a time is", "--limit-rate=0": "a size is", "--limit-rate-each=x": "a size is",
	} {
		got := shoal(t, flag, "http://127.0.0.1:9/")
		require.Equal(t, exitUsage, got.status, flag)
		require.Contains(t, got.stderr, want)
	}
}

// TestShareOfManners: what holds for the run is shared out, and what holds for
// a host is not.
func TestShareOfManners(t *testing.T) {
	whole := fetch.Manners{Rate: 9, RatePerHost: 2, Wait: time.Second, BytesPerSecond: 1000, BytesPerSecondEach: 10, Adapt: true, GiveUp: true}
	each := whole
	each.Rate, each.BytesPerSecond = 3, 333
	require.Equal(t, each, shareOfManners(whole, 3))
	require.Equal(t, fetch.Manners{}, shareOfManners(fetch.Manners{}, 3))
	require.Equal(t, fetch.Manners{BytesPerSecond: 1}, shareOfManners(fetch.Manners{BytesPerSecond: 2}, 3))
}

// clock is a server that notes when it is asked, and what it has sent since.
type clock struct {
	*httptest.Server
	mu    sync.Mutex
	asked []time.Time
}

func newClock(t *testing.T, size int) *clock {
	c := &clock{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked = append(c.asked, time.Now())
		c.mu.Unlock()
		_, _ = w.Write(make([]byte, size))
	}))
	t.Cleanup(c.Close)
	return c
}

// times is when it was asked.
func (c *clock) times() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

// pages are so many URLs of it.
func (c *clock) pages(n int) (urls []string) {
	for i := range n {
		urls = append(urls, c.URL+"/"+strconv.Itoa(i))
	}
	return urls
}

// TestRatesAtTheCommand: no run is faster than its limits let it be, with one
// connection as with many. How much slower it may be is a busy machine's business.
func TestRatesAtTheCommand(t *testing.T) {
	for _, conns := range []string{"1", "50"} {
		for _, c := range []struct {
			flags string
			least time.Duration
		}{
			{"--rate 50/s", 129 * time.Millisecond}, // twenty, of which a quarter of a second's come at once
			{"--rate-per-host 50/s", 129 * time.Millisecond},
			{"--wait 0.02", 190 * time.Millisecond},
			{"--limit-rate 400k", 350 * time.Millisecond}, // 200 KB, of which a tenth of a second's come at once
			{"--limit-rate-each 400k", 0},                 // how much is left to wait depends on how many share the pages
		} {
			s := newClock(t, 10<<10)
			dir := t.TempDir()
			began := time.Now()
			args := append(strings.Fields(c.flags), "-s", "-j", conns, "--max-per-host", conns, "-d", dir, "-i", listFile(t, s.pages(20)...))
			require.Equal(t, said{}, shoal(t, args...))
			require.GreaterOrEqual(t, time.Since(began), c.least, c.flags)
			require.Len(t, names(t, dir), 20)
			require.Len(t, s.times(), 20)
		}
	}
}

// TestTooMany: a host that takes no more than one request at once, and says so
// with 429, is fetched from to the end, because it is asked for less.
func TestTooMany(t *testing.T) {
	var mu sync.Mutex
	under, refused := 0, 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		under++
		full := under > 2
		if full {
			refused++
		}
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		if full {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		fmt.Fprint(w, r.URL.Path)
		mu.Lock()
		under--
		mu.Unlock()
	}))
	t.Cleanup(s.Close)
	var urls []string
	for i := range 60 {
		urls = append(urls, fmt.Sprintf("%s/%d", s.URL, i))
	}
	got := shoal(t, "-v", "--retry", "9", "--retry-delay", "1ms", "--max-per-host", "8", "-d", t.TempDir(), "-i", listFile(t, urls...))
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stderr, "its host has trouble: at most 4 requests to it at once from now on")
}

// TestHostRestsExplained: -v tells that a host is left alone; a signal or a limit
// on failures ends such a run as any other.
func TestHostRestsExplained(t *testing.T) {
	dead, urls := porttest.Closed(t), []string{}
	for i := range 20 {
		urls = append(urls, fmt.Sprintf("http://%s/%d", dead, i))
	}
	got := shoal(t, "-v", "--retry", "0", "--max-failed", "4", "-j", "1", "-d", t.TempDir(), "-i", listFile(t, urls...))
	require.Equal(t, exitStopped, got.status)
	require.Contains(t, got.stderr, "its host cannot be reached, 5 times in a row: it is left alone for 1m0s")
	require.Zero(t, got.stdout)
}
