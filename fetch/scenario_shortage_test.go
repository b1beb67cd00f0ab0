package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/sim"
)

// scarce is a kernel that refuses to make sockets, connections or files while
// it is told to.
type scarce struct {
	*sim.Kernel
	socket, connect, create error
	refused                 int
}

func (k *scarce) Socket(family int) (int, error) {
	if k.socket != nil {
		k.refused++
		return -1, k.socket
	}
	return k.Kernel.Socket(family)
}

func (k *scarce) Connect(fd int, to netip.AddrPort) error {
	if k.connect != nil {
		k.refused++
		return k.connect
	}
	return k.Kernel.Connect(fd, to)
}

func (k *scarce) Create(dir int, name string) (int, error) {
	if k.create != nil {
		k.refused++
		return -1, k.create
	}
	return k.Kernel.Create(dir, name)
}

// scarcity is a scene on such a kernel, with one host.
func scarcity(t *testing.T) (*scene, *scarce) {
	s := newScene(t)
	k := &scarce{Kernel: s.k}
	s.on = k
	s.host("a.test", "10.1.0.1", ok)
	return s, k
}

// shortages are the ways to run out.
var shortages = []struct {
	errno syscall.Errno
	begin func(k *scarce, err error)
}{
	{syscall.EMFILE, func(k *scarce, err error) { k.socket = err }},
	{syscall.ENFILE, func(k *scarce, err error) { k.socket = err }},
	{syscall.EADDRNOTAVAIL, func(k *scarce, err error) { k.connect = err }},
	{syscall.EMFILE, func(k *scarce, err error) { k.create = err }},
	{syscall.ENFILE, func(k *scarce, err error) { k.create = err }},
}

// TestShortageIsWaitedOut: having run out is back-pressure, not an error
// (curl/curl#11316), and costs a look every 50 ms, no more.
func TestShortageIsWaitedOut(t *testing.T) {
	for n, c := range shortages {
		t.Run(fmt.Sprint(n, " ", c.errno), func(t *testing.T) {
			s, k := scarcity(t)
			s.options.Sink = save.Dir("out")
			c.begin(k, c.errno)
			s.k.At(5*time.Second, func() { c.begin(k, nil) })
			for _, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2", "http://10.1.0.1/3")...) {
				require.NoError(t, got.err)
				require.Equal(t, "hello", string(s.k.Files("out")[got.Name]))
				require.InDelta(t, 5*time.Second, got.at, float64(200*time.Millisecond))
			}
			require.LessOrEqual(t, k.refused, 3*110)
			require.Less(t, s.k.Counts().Waits, uint64(1000))
		})
	}
}

// TestShortageEnds: after ten seconds it is an error of its own kind, and not
// one of the lookup.
func TestShortageEnds(t *testing.T) {
	for n, c := range shortages {
		t.Run(fmt.Sprint(n, " ", c.errno), func(t *testing.T) {
			s, k := scarcity(t)
			s.options.Sink = save.Dir("out")
			c.begin(k, c.errno)
			got := s.one(fetch.Request{URL: "http://a.test/"})
			var shortage *fetch.ShortageError
			require.ErrorAs(t, got.err, &shortage)
			require.Equal(t, 10*time.Second, shortage.After)
			require.ErrorIs(t, got.err, c.errno)
			require.Contains(t, []fetch.Phase{fetch.PhaseDial, fetch.PhaseSave}, phaseOf(t, got.err))
			require.False(t, errors.As(got.err, new(*net.DNSError)))
			require.NotContains(t, strings.ToLower(got.err.Error()), "resolve")
			require.NotContains(t, strings.ToLower(got.err.Error()), "lookup")
			require.InDelta(t, 10*time.Second, got.Timings.Total, float64(300*time.Millisecond))
			require.Empty(t, s.k.Names("out"))
		})
	}
}

// TestShortageKeepsOrder: what waits for a file's descriptor loses no byte.
func TestShortageKeepsOrder(t *testing.T) {
	s, k := scarcity(t)
	s.options.Sink = save.Dir("out")
	big := body("/length/300000/x")
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.ReplyChunked(200, "", big, 1000) })
	k.create = syscall.EMFILE
	s.k.At(3*time.Second, func() { k.create = nil })
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	require.NoError(t, got.err)
	require.Equal(t, big, s.k.Files("out")["x"])
}

// TestEmptyBodyInShortage: a file with nothing in it is opened at its end. The
// connection, whose response is whole, must then serve whoever waits.
func TestEmptyBodyInShortage(t *testing.T) {
	s, k := scarcity(t)
	s.options.Sink, s.options.MaxPerHost = save.Dir("out"), 1
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.Reply(200, "", nil) })
	k.create = syscall.EMFILE
	s.k.At(time.Second, func() { k.create = nil })
	for _, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2", "http://a.test/3")...) {
		require.NoError(t, got.err)
		require.Less(t, got.at, 1200*time.Millisecond)
	}
}

// TestIdleAfterShortage: a connection that went idle at the end of a shortage
// is still watched, so that its end is noticed.
func TestIdleAfterShortage(t *testing.T) {
	s, k := scarcity(t)
	s.options.Sink = save.Dir("out")
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
		p := sim.Reply(200, "", nil)
		p.Then, p.Delay = sim.FIN, 3*time.Second
		return p
	})
	k.create = syscall.EMFILE
	s.k.At(time.Second, func() { k.create = nil })
	f := s.fetcher()
	require.NoError(t, s.run(f, gets("http://a.test/1")...)[0].err)
	s.pass(5 * time.Second)
	got := s.run(f, fetch.Request{URL: "http://a.test/2", Method: "POST"})[0]
	require.NoError(t, got.err)
	require.False(t, got.Reused)
}

// TestShortageIsForgotten: what was short in one Fetch is no reason to be
// impatient, or to hurry, in a later one.
func TestShortageIsForgotten(t *testing.T) {
	s, k := scarcity(t)
	f := s.fetcher()
	k.socket = syscall.EMFILE
	ctx, cancel := context.WithCancel(context.Background())
	s.k.AtExpectWake(20*time.Millisecond, cancel)
	for _, err := range f.Fetch(ctx, slices.Values(gets("http://10.1.0.1/"))) {
		require.ErrorIs(t, err, context.Canceled)
	}
	s.pass(time.Minute)
	s.k.At(s.k.Now()+time.Second, func() { k.socket = nil })
	got := s.run(f, gets("http://10.1.0.1/")...)[0]
	require.NoError(t, got.err, "the second shortage has lasted for no time yet")
}

// TestNoSpinAfterShortage: when a shortage has passed unnoticed, because what
// waited was served otherwise, the loop must not spin while others wait.
func TestNoSpinAfterShortage(t *testing.T) {
	s, k := scarcity(t)
	s.options.MaxPerHost = 1
	f := s.fetcher()
	k.socket = syscall.EMFILE
	ctx, cancel := context.WithCancel(context.Background())
	s.k.AtExpectWake(20*time.Millisecond, cancel)
	for range f.Fetch(ctx, slices.Values(gets("http://10.1.0.1/"))) {
	}
	k.socket = nil
	s.pass(time.Minute)
	before := s.k.Counts().Waits
	s.run(f, gets("http://a.test/1", "http://a.test/2", "http://a.test/3")...)
	require.Less(t, s.k.Counts().Waits-before, uint64(30))
}

// TestPullAfterShortage: when what waited for a socket was served over another
// connection, nothing stands in line any more. The loop must still come back,
// 50 ms later, to pull what else there is.
func TestPullAfterShortage(t *testing.T) {
	s, k := scarcity(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Target == "/2" {
			return late(5*time.Second, ok(q))
		}
		return ok(q)
	})
	s.k.At(3*time.Millisecond, func() { k.socket = nil })
	s.options.Trace = func(e fetch.Event) {
		if e.Kind == fetch.ConnDialing {
			k.socket = syscall.EMFILE // from the second socket on
		}
	}
	got := s.run(s.fetcher(), gets("http://10.1.0.1/1", "http://10.1.0.1/2", "http://10.1.0.1/3")...)
	require.Equal(t, "http://10.1.0.1/3", got[1].URL)
	require.Less(t, got[1].at, time.Second)
}

// TestEachWaitsItsTime: who came late to a shortage is not told that it lasted
// ten seconds for him.
func TestEachWaitsItsTime(t *testing.T) {
	s, k := scarcity(t)
	k.socket = syscall.EMFILE
	q := fetch.NewQueue(4)
	require.NoError(t, q.Push(context.Background(), fetch.Request{URL: "http://10.1.0.1/1"}))
	s.k.At(9900*time.Millisecond, func() {
		_ = q.Push(context.Background(), fetch.Request{URL: "http://10.1.0.1/2"})
		q.Close()
	})
	f := s.fetcher()
	for res, err := range f.FetchFrom(context.Background(), q) {
		require.ErrorAs(t, err, new(*fetch.ShortageError))
		require.GreaterOrEqual(t, res.Timings.Total, 9900*time.Millisecond, "%s waited less", res.URL)
	}
}
