package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/porttest"
)

// tries is a server that answers the nth request for a path, from 1, as it is
// told, and counts them.
type tries struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
}

func newTries(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, nth int)) *tries {
	s := &tries{seen: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen[r.URL.Path]++
		nth := s.seen[r.URL.Path]
		s.mu.Unlock()
		answer(w, r, nth)
	}))
	t.Cleanup(s.Close)
	return s
}

// counts is how often each path was asked for.
func (s *tries) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// reset breaks a connection off.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// TestRetriedStatuses asks for each status, of which the flags say what is tried
// again (aria2/aria2#2295, #1421, #1229, #1133).
func TestRetriedStatuses(t *testing.T) {
	usual := []int{408, 425, 429, 500, 502, 503, 504, 522, 524}
	fives := func(status int) bool { return status >= 500 && status < 600 }
	for _, c := range []struct {
		flags string
		again func(status int) bool
	}{
		{"", func(status int) bool { return slices.Contains(usual, status) }},
		{"--retry=0", func(int) bool { return false }},
		{"--retry-on=404,5xx", func(status int) bool { return status == 404 || fives(status) }},
		{"--retry-on=usual,403", func(status int) bool { return status == 403 || slices.Contains(usual, status) }},
		{"--retry-on=reset,4XX --retry-on=599", func(status int) bool { return status/100 == 4 || status == 599 }},
		{"--retry-on=status", func(int) bool { return true }},
		{"--retry-on=dns", func(int) bool { return false }},
		{"--retry-all-errors", func(int) bool { return true }},
	} {
		t.Run(c.flags, func(t *testing.T) {
			s := newTries(t, func(w http.ResponseWriter, r *http.Request, nth int) {
				if nth == 1 {
					status, _ := strconv.Atoi(r.URL.Path[1:])
					w.WriteHeader(status)
				}
				fmt.Fprint(w, r.URL.Path)
			})
			var urls []string
			for status := 400; status < 600; status++ {
				urls = append(urls, fmt.Sprintf("%s/%d", s.URL, status))
			}
			args := append(strings.Fields(c.flags), "-s", "--json", "--retry-delay", "1ms", "-d", t.TempDir(), "-i", listFile(t, urls...))
			got := records(t, shoal(t, args...).stdout)
			require.Len(t, got, 200)
			for line, r := range got {
				want, tries := "failed", 1
				if c.again(line + 399) {
					want, tries = "saved", 2
				}
				require.Equal(t, []any{want, tries}, []any{r.Outcome, r.Attempts}, "status %d", line+399)
			}
		})
	}
}

// TestRetriedFailures goes through the ways in which a fetch can fail.
func TestRetriedFailures(t *testing.T) {
	trickster := newTries(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		switch r.URL.Path {
		case "/reset":
			reset(w)
		case "/cut":
			speak(w, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nIt's")
		case "/nothing":
			speak(w, "")
		case "/what":
			speak(w, "what?\r\n\r\n")
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/silence":
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	knowNoNames(t)
	for _, c := range []struct {
		kind, url string
		usually   bool
	}{
		{"reset", trickster.URL + "/reset", true},
		{"truncated", trickster.URL + "/cut", true},
		{"truncated", trickster.URL + "/nothing", true},
		{"timeout", trickster.URL + "/silence", true},
		{"refused", "http://" + porttest.Closed(t), true},
		{"malformed", trickster.URL + "/what", false},
		{"redirect", trickster.URL + "/round", false},
		{"certificate", secure.URL, false},
		{"dns", "http://no.such.invalid", false},
	} {
		t.Run(c.kind+c.url[strings.LastIndex(c.url, "/"):], func(t *testing.T) {
			for _, run := range []struct {
				flag  string
				again bool
			}{
				{"--retry=2", c.usually}, {"--retry-on=usual", c.usually}, {"--retry-all-errors", true},
				{"--retry-on=5xx," + c.kind, true}, {"--retry-on=404", false}, {"--retry=0", false},
			} {
				args := []string{run.flag, "-s", "--json", "--retry-delay", "1ms", "-d", t.TempDir(), c.url}
				if c.kind == "timeout" {
					args = append(args, "--stall-timeout", "50ms")
				}
				got := shoal(t, args...)
				r := records(t, got.stdout)[1]
				require.Equal(t, exitFailed, got.status)
				require.Equal(t, c.kind, r.Error.Kind)
				want := 1
				if run.again {
					want = 3
				}
				if c.kind == "redirect" {
					want *= r.Attempts / want // each hop is an attempt
				}
				require.Equal(t, want, r.Attempts, run.flag)
			}
		})
	}
}

// knowNoNames has a name server of the test's own say that there is no such name,
// whichever it is asked for: others may be silent, or out of order.
func knowNoNames(t *testing.T) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	go func() {
		for text := make([]byte, 512); ; {
			n, client, err := server.ReadFrom(text)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(text[:n]) != nil {
				continue
			}
			m.Response, m.RCode, m.Additionals = true, dnsmessage.RCodeNameError, nil
			if answer, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(answer, client)
			}
		}
	}()
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// TestEveryItemEnds: of servers that refuse at random each URL comes to an end,
// in one line, and the run too (curl/curl#5905); retries do not change of how
// many there are (rockdaboot/wget2#327).
func TestEveryItemEnds(t *testing.T) {
	for _, conns := range []string{"1", "50"} {
		t.Run("-j "+conns, func(t *testing.T) {
			var mu sync.Mutex
			chance := rand.New(rand.NewPCG(1, 2))
			s := newTries(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				mu.Lock()
				n := chance.IntN(4)
				mu.Unlock()
				if status := []int{200, 200, 429, 503}[n]; status != 200 {
					w.WriteHeader(status)
				}
				fmt.Fprint(w, r.URL.Path)
			})
			const items = 200
			var urls []string
			for i := range items {
				urls = append(urls, fmt.Sprintf("%s/%d", s.URL, i))
			}
			dir := t.TempDir()
			got := shoal(t, "--json", "--retry-delay", "1ms", "--no-adapt", "-j", conns, "--max-per-host", conns, "-d", dir, "-i", listFile(t, urls...))
			all := records(t, got.stdout)
			require.Len(t, all, items)
			saved, seen := 0, s.counts()
			for line, r := range all {
				tries := seen["/"+strconv.Itoa(line-1)]
				require.Equal(t, tries, r.Attempts)
				switch r.Outcome {
				case "saved":
					saved++
				default:
					require.Equal(t, 3, tries)
					require.Equal(t, "status", r.Error.Kind)
				}
			}
			require.Len(t, names(t, dir), saved)
			require.Greater(t, saved, items/2)
			require.Equal(t, exitFailed, got.status)
			require.Contains(t, got.stderr, fmt.Sprintf("%d fetched, %d failed", saved, items-saved))
		})
	}
}

// TestRetryAfterTooLong: a server that asks for a longer pause than there may be
// has its URL fail without it.
func TestRetryAfterTooLong(t *testing.T) {
	s := newTries(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "400")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	require.Equal(t, exitFailed, shoal(t, "-s", "-d", t.TempDir(), s.URL+"/a").status)
	require.Equal(t, exitFailed, shoal(t, "-s", "--retry-max-time", "399", "-d", t.TempDir(), s.URL+"/b").status)
	require.Equal(t, map[string]int{"/a": 1, "/b": 1}, s.counts())
}

// TestRetriesExplained: -v tells of the failure and of the next try.
func TestRetriesExplained(t *testing.T) {
	s := newTries(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
		if nth < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	got := shoal(t, "-v", "--retry-delay", "1ms", "-d", t.TempDir(), s.URL+"/a")
	require.Equal(t, exitOK, got.status)
	require.Contains(t, got.stderr, "has failed, and waits for retry 1")
	require.Contains(t, got.stderr, "has failed, and waits for retry 2")
	require.Equal(t, 2, strings.Count(got.stderr, "is tried again"))
}

func TestRetryFlags(t *testing.T) {
	for _, c := range []struct{ flag, want string }{
		{"--retry=-1", "from 0"},
		{"--retry-on=", `"" is no status`},
		{"--retry-on=99", `"99" is no status`},
		{"--retry-on=1000", "is no status"},
		{"--retry-on=0xx", "is no status"},
		{"--retry-on=10xx", "is no status"},
		{"--retry-on=404,disk", `"disk" is no status (404), no group of them (5xx), not usual, and no kind`},
		{"--retry-delay=0", "more than 0"},
		{"--retry-max-time=-1", "a time is"},
	} {
		got := shoal(t, c.flag, "http://127.0.0.1:9/")
		require.Equal(t, exitUsage, got.status, c.flag)
		require.Contains(t, got.stderr, c.want)
	}
	var r retries
	r.delay, r.maxTime = 2*longestPause, 0
	p := r.policy()
	require.Equal(t, fetch.Retry{Delay: 2 * longestPause, MaxDelay: 2 * longestPause, MaxTime: -1}, p)
}
