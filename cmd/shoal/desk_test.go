package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
)

var loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1")}

// twoHosts are flags that give one server the names one.test and two.test, and
// the URLs that begin with them.
func twoHosts(s *httptest.Server) (flags []string, one, two string) {
	_, port, _ := strings.Cut(host(s.URL), ":")
	flags = []string{"--loops", "2", "--resolve", "one.test:*:127.0.0.1", "--resolve", "two.test:*:127.0.0.1"}
	return flags, "http://one.test:" + port, "http://two.test:" + port
}

// TestLoopsShareConnections: -j is for all loops together, --max-per-host for
// each host as ever.
func TestLoopsShareConnections(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		most int
	}{
		{"per host", []string{"--max-per-host", "3"}, 6},
		{"in all", []string{"-j", "5", "--max-per-host", "9"}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			crowd := &crowd{expected: c.most, full: make(chan struct{})}
			s := httptest.NewServer(crowd)
			defer s.Close()
			flags, one, two := twoHosts(s)
			var urls []string
			for i := range 20 {
				urls = append(urls, fmt.Sprintf("%s/%d", []string{one, two}[i%2], i))
			}
			got := shoal(t, append(append(flags, c.args...), "-d", t.TempDir(), "-i", listFile(t, urls...))...)
			require.Equal(t, exitOK, got.status, got.stderr)
			crowd.mu.Lock()
			defer crowd.mu.Unlock()
			require.Equal(t, c.most, crowd.most)
		})
	}
}

// TestNamesWithLoops: names are given out in the order of the input, and to the
// same URLs, however many loops fetch them in whatever order.
func TestNamesWithLoops(t *testing.T) {
	s := site(t)
	var urls []string
	for i := range 300 {
		way := []string{"plain/same", "chunked/same", "none/same", "plain/other"}[i%4]
		urls = append(urls, s.URL+"/"+way, fmt.Sprintf(`{"url":"%s/plain/%d","name":"given"}`, s.URL, i))
	}
	urls = append(urls, "ftp://h/same", "http://u:p@h/same", "http://h:0/same", "no URL://", s.URL+"/plain/same")
	paths := func(loops string, dir string) map[int]string {
		got := shoal(t, "--json", "--loops", loops, "-d", dir, "-i", listFile(t, urls...))
		require.Equal(t, exitFailed, got.status)
		found := map[int]string{}
		for line, r := range records(t, got.stdout) {
			found[line] = fmt.Sprint(r.Outcome, strings.TrimPrefix(r.Path, dir))
		}
		require.Len(t, found, len(urls))
		return found
	}
	spread(t)
	dir := t.TempDir()
	want := paths("1", t.TempDir())
	require.Equal(t, want, paths("3", dir))
	for line, path := range paths("2", dir) {
		require.Equal(t, strings.Replace(want[line], "saved", "skipped", 1), path)
	}
}

// TestMaxFailedWithLoops: what the loops have begun meanwhile is finished, and
// all else is left.
func TestMaxFailedWithLoops(t *testing.T) {
	s := site(t)
	flags, one, two := twoHosts(s)
	var urls []string
	for i := range 4000 {
		urls = append(urls, fmt.Sprintf("%s/%s/%d", []string{one, two}[i%2], []string{"plain", "none"}[i/2%2], i))
	}
	rest := filepath.Join(t.TempDir(), "rest")
	got := shoal(t, append(flags, "--max-failed", "10", "--rest", rest, "--json", "-d", t.TempDir(), "-i", listFile(t, urls...))...)
	require.Equal(t, exitStopped, got.status)
	require.Contains(t, got.stderr, "--max-failed")
	all, failed := records(t, got.stdout), 0
	for _, r := range all {
		if r.Outcome == "failed" {
			failed++
		}
	}
	require.Greater(t, failed, 10)
	left := lines(content(t, rest))
	require.Greater(t, len(left), 1000)
	require.Len(t, left, 4000-len(all))
	for _, line := range left {
		var e entry
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		require.NotContains(t, all, e.Line)
		require.Equal(t, urls[e.Line-1], e.URL)
		require.Equal(t, fmt.Sprint(e.Line-1), e.Name)
	}
}

// TestInterruptedLoops: a signal ends all of them, and the rest is the rest.
func TestInterruptedLoops(t *testing.T) {
	s, dir, rest := newGatedShelf(t, 200, 30), t.TempDir(), filepath.Join(t.TempDir(), "rest")
	flags, one, two := twoHosts(s.Server)
	var urls []string
	for i := range s.files {
		urls = append(urls, fmt.Sprintf("%s/%d.txt", []string{one, two}[i%2], i))
	}
	some := s.after(30)
	p := startShoal(t, append(flags, "-d", dir, "-j", "4", "--rest", rest, "-i", listFile(t, urls...))...)
	<-some
	require.NoError(t, p.Process.Signal(os.Interrupt))
	p.says(t, toEnd)
	close(s.gate)
	require.Equal(t, 130, p.end(t), p.stderr.String())
	whole, temporary := s.check(t, dir)
	require.Zero(t, temporary)
	require.GreaterOrEqual(t, whole, 30)
	require.LessOrEqual(t, whole, 30+4)
	require.Contains(t, p.stderr.String(), fmt.Sprintf("interrupt: %d URLs left: run the same command again to go on\n", 200-whole))
	require.Len(t, lines(content(t, rest)), 200-whole)
	p = startShoal(t, append(flags, "-d", dir, "-i", rest)...)
	require.Equal(t, exitOK, p.end(t), p.stderr.String())
	whole, temporary = s.check(t, dir)
	require.Equal(t, []int{200, 0}, []int{whole, temporary})
}

// TestExplainedLoops: each line says whose it is.
func TestExplainedLoops(t *testing.T) {
	s, dir := site(t), t.TempDir()
	flags, one, two := twoHosts(s)
	args := append(flags, "-v", "-d", dir, one+"/plain/a", two+"/plain/b")
	got := shoal(t, args...)
	require.Equal(t, exitOK, got.status)
	line := regexp.MustCompile(`^\[([12])\] +\d+\.\d{3} ms  (?:#1  |    ) (.*)$`)
	said := map[string]string{}
	for _, l := range lines(got.stderr) {
		if m := line.FindStringSubmatch(l); m != nil {
			said[m[1]] += m[2] + "\n"
			continue
		}
		require.Contains(t, l, "shoal: 2 fetched")
	}
	for n, url := range map[string]string{"1": one + "/plain/a", "2": two + "/plain/b"} {
		require.True(t, strings.HasPrefix(said[n], url+"\n"), said[n])
		require.Contains(t, said[n], "done: 200 OK")
	}
	require.Equal(t, 2, strings.Count(shoal(t, args...).stderr, "skipped: it is there already"))
}

// TestStatsOfLoops: the ledger is that of all.
func TestStatsOfLoops(t *testing.T) {
	s := site(t)
	flags, one, two := twoHosts(s)
	args := append(flags, "--stats", "--max-per-host", "1", "-d", t.TempDir())
	for i := range 10 {
		args = append(args, fmt.Sprintf("%s/plain/%d", []string{one, two}[i%2], i))
	}
	got := shoal(t, args...)
	require.Equal(t, exitOK, got.status)
	for call, want := range map[string]string{"socket": "2 +0.20", "send": "10 +1.00", "rename": "10 +1.00", "readdir": "1 +0.10"} {
		require.Regexp(t, `(?m)^`+call+` +`+want, got.stderr)
	}
	require.Contains(t, got.stderr, " 50 written,")
}

// TestLoopsFinishOrLeave: whatever call of one loop fails, and however a run is
// ended, each request has one ending.
func TestLoopsFinishOrLeave(t *testing.T) {
	s := site(t)
	_, one, two := twoHosts(s)
	known := &resolver{"ip", hosts{"one.test": loopback, "two.test": loopback}}
	fired := 0
	for nth := uint64(1); nth < 40; nth += 3 {
		k, err := kernel.New()
		require.NoError(t, err)
		broken := kernel.Inject(k, kernel.Faults{Nth: nth, Call: kernel.CallWait, Errno: syscall.EBADF})
		l := testLoops(t, fetch.Options{Resolver: known}, broken)
		source := &argFeed{}
		for i := range 1000 {
			source.urls = append(source.urls, fmt.Sprintf("%s/plain/%d", []string{one, two}[i%2], i))
		}
		ends := endingsOf(t, l, context.Background(), source, nil)
		require.Len(t, ends, source.next, "of what was pulled")
		if broken.Fired() {
			fired++
		} else {
			require.Len(t, ends, 1000)
		}
		for url, err := range ends {
			own := strings.HasPrefix(url, two) && errors.Is(err, syscall.EBADF) // the first is the other's
			require.True(t, err == nil || own || errors.Is(err, fetch.ErrStopped), "%s: %v", url, err)
		}
	}
	require.Greater(t, fired, 5)
}

// TestLoopsEnd ends a Fetch in the middle, in the three ways there are.
func TestLoopsEnd(t *testing.T) {
	s := newShelf(t, 0, time.Millisecond)
	_, one, two := twoHosts(s.Server)
	known := &resolver{"ip", hosts{"one.test": loopback, "two.test": loopback}}
	why := errors.New("enough")
	for _, way := range []string{"cancel", "stop", "break"} {
		t.Run(way, func(t *testing.T) {
			l := testLoops(t, fetch.Options{Resolver: known}, nil)
			source := &argFeed{}
			for i := range 2000 {
				source.urls = append(source.urls, fmt.Sprintf("%s/%d", []string{one, two}[i%2], i))
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			ends := endingsOf(t, l, ctx, source, func(ended int) bool {
				if ended == 20 && way == "cancel" {
					cancel(why)
				}
				if ended == 20 && way == "stop" {
					l.Stop()
				}
				return ended < 20 || way != "break"
			})
			switch way {
			case "cancel":
				require.Equal(t, source.next, len(ends))
				require.True(t, anyOf(ends, why))
			case "stop":
				require.Equal(t, source.next, len(ends))
				require.True(t, anyOf(ends, fetch.ErrStopped))
				require.False(t, anyOf(ends, context.Canceled))
			case "break":
				require.Len(t, ends, 20)
			}
			snapshot := l.Snapshot()
			require.Equal(t, int64(len(ends)), snapshot.Yielded)
			require.Equal(t, int64(source.next), snapshot.Admitted)
		})
	}
}

func testLoops(t *testing.T, o fetch.Options, broken kernel.Kernel) *loops {
	t.Helper()
	l := &loops{news: newBell(), deal: deal{loops: 2}}
	for i := range 2 {
		k := broken
		if i == 0 || broken == nil {
			real, err := kernel.New()
			require.NoError(t, err)
			k = real
		}
		f, err := fetcherOn(k, 4, o)
		require.NoError(t, err)
		l.lanes = append(l.lanes, &lane{fetcher: f, in: newInbox(l.news.ring), out: outbox{ring: l.news.ring}})
	}
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// endingsOf are the errors of a whole Fetch, by URL.
func endingsOf(t *testing.T, l *loops, ctx context.Context, source fetch.Source, goOn func(ended int) bool) map[string]error {
	t.Helper()
	ends := map[string]error{}
	for res, err := range l.FetchFrom(ctx, source) {
		require.NotContains(t, ends, res.Request.URL, "a second ending")
		ends[res.Request.URL] = err
		if goOn != nil && !goOn(len(ends)) {
			break
		}
	}
	return ends
}

func anyOf(ends map[string]error, target error) bool {
	for _, err := range ends {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func TestDeal(t *testing.T) {
	d := &deal{loops: 3}
	count := make([]int, 3)
	for i := range 30_000 {
		count[d.to(fmt.Sprintf("host%d.test", i))]++
	}
	for _, n := range count {
		require.InDelta(t, 10_000, n, 500)
	}
	first := *d
	for i := range 1000 {
		name := fmt.Sprintf("host%d.test", i)
		require.Equal(t, first.to(name), d.to(name))
	}
	few := &deal{loops: 2}
	require.Equal(t, []int{0, 1, 0, 1}, []int{few.to("a"), few.to("b"), few.to("a"), few.to("b")})
}

// TestInbox: the desk is called when half of a full inbox is free, not before,
// and never after in vain.
func TestInbox(t *testing.T) {
	rings := 0
	in := newInbox(func() { rings++ })
	for range inboxSize {
		require.True(t, in.offer(fetch.Request{}))
	}
	require.False(t, in.offer(fetch.Request{}))
	for range inboxSize/2 - 1 {
		in.Next()
	}
	require.Zero(t, rings)
	in.Next()
	require.Equal(t, 1, rings)
	require.Equal(t, inboxSize/2, in.waiting())
}
