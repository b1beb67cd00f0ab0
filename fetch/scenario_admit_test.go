package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// slowly takes a second for each answer.
func slowly(q *sim.Request) sim.Response { return late(time.Second, ok(q)) }

// manyOf are so many requests for one host.
func manyOf(host string, n int) []fetch.Request {
	var all []fetch.Request
	for i := range n {
		all = append(all, fetch.Request{URL: fmt.Sprintf("http://%s/%d", host, i)})
	}
	return all
}

// TestLimits: neither limit is exceeded, and both are used.
func TestLimits(t *testing.T) {
	s := newScene(t)
	var all []fetch.Request
	for h := range 6 {
		s.host(fmt.Sprintf("h%d.test", h), fmt.Sprintf("10.1.0.%d", h+1), slowly)
		all = append(all, manyOf(fmt.Sprintf("h%d.test", h), 12)...)
	}
	s.options.MaxConns, s.options.MaxPerHost = 10, 3
	got := s.run(s.fetcher(), all...)
	require.Equal(t, 10, s.k.Counts().MostSockets)
	for h := range 6 {
		require.Equal(t, 3, s.k.MostSocketsTo(address(fmt.Sprintf("10.1.0.%d:80", h+1))))
	}
	require.Less(t, got[len(got)-1].at, 11*time.Second, "72 fetches of a second by ten")
}

// TestLookAhead: a list sorted by host fills the loop, since it is looked past
// a host that has all it may have.
func TestLookAhead(t *testing.T) {
	s := newScene(t)
	var all []fetch.Request
	for h := range 8 {
		s.host(fmt.Sprintf("h%d.test", h), fmt.Sprintf("10.1.0.%d", h+1), slowly)
		all = append(all, manyOf(fmt.Sprintf("h%d.test", h), 10)...)
	}
	s.options.MaxConns, s.options.MaxPerHost = 16, 2
	got := s.run(s.fetcher(), all...)
	require.Less(t, got[len(got)-1].at, 9*time.Second, "80 fetches of a second; 5 s at best, 40 s host by host")
}

// TestBoundedPull: the source is asked only for what can be of use soon.
func TestBoundedPull(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", slowly)
	s.options.MaxConns, s.options.MaxPerHost = 4, 1
	f := s.fetcher()
	asked, done := 0, 0
	source := func(yield func(fetch.Request) bool) {
		for _, q := range manyOf("a.test", 500) {
			asked++
			require.LessOrEqual(t, asked-done, 16*4+4)
			if !yield(q) {
				return
			}
		}
	}
	for _, err := range f.Fetch(context.Background(), source) {
		require.NoError(t, err)
		done++
	}
	require.Equal(t, 500, done)
}

// TestFairness: a host with one URL does not wait until others with a thousand
// have been served, however few connections there are.
func TestFairness(t *testing.T) {
	for _, conns := range []int{1, 2, 3, 8} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", ok)
		s.host("b.test", "10.1.0.2", ok)
		s.options.MaxConns, s.options.MaxPerHost = conns, conns
		all := slices.Insert(manyOf("a.test", 1000), 100, manyOf("b.test", 1)...)
		for n, got := range s.run(s.fetcher(), all...) {
			if strings.Contains(got.URL, "b.test") {
				require.Less(t, n, 300, "%d connections: served after so many that came later", conns)
			}
		}
	}
}

// TestManyFailures: a million requests that fail at once hold no memory, and
// are yielded as they come.
func TestManyFailures(t *testing.T) {
	const many = 1_000_000
	s := newScene(t)
	s.options.Trace = nil // the scene keeps events
	f := s.fetcher()
	pulled, yielded := 0, 0
	var base uint64
	source := func(yield func(fetch.Request) bool) {
		for pulled = range many {
			if !yield(fetch.Request{URL: "ftp://a.test/"}) {
				return
			}
		}
	}
	for _, err := range f.Fetch(context.Background(), iter.Seq[fetch.Request](source)) {
		require.Error(t, err)
		yielded++
		if pulled-yielded > 2000 {
			t.Fatalf("%d pulled, %d yielded", pulled, yielded)
		}
		switch yielded {
		case many / 20:
			base = heapBytes()
		case many - 1:
			require.Less(t, heapBytes(), base+1<<20)
		}
	}
	require.Equal(t, many, yielded)
}

// heapBytes is what is in use after a collection.
func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestManyHostsFail: names that do not exist are not kept for ever.
func TestManyHostsFail(t *testing.T) {
	s := newScene(t)
	f := s.fetcher()
	n := 0
	for _, err := range f.Fetch(context.Background(), func(yield func(fetch.Request) bool) {
		for h := range 30_000 {
			if !yield(fetch.Request{URL: fmt.Sprintf("http://no%d.test/", h)}) {
				return
			}
		}
	}) {
		require.Error(t, err)
		n++
	}
	require.Equal(t, 30_000, n)
}

// TestCancel ends everything admitted once, with the cause, and pulls no more.
func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	for at := time.Duration(0); at < 3*time.Second; at += 130 * time.Millisecond {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", slowly)
		s.k.BlackHole(address("10.1.0.2:80"))
		s.options.MaxConns, s.options.MaxPerHost = 4, 2
		source := &pulled{requests: append(manyOf("10.1.0.2", 10), manyOf("a.test", 90)...)}
		for n := range source.requests {
			source.requests[n].Tag = n
		}
		f := s.fetcher()
		ctx, cancel := context.WithCancelCause(context.Background())
		s.k.AtExpectWake(at, func() { cancel(cause) })
		yielded := map[any]bool{}
		for res, err := range f.FetchFrom(ctx, source) {
			require.False(t, yielded[res.Request.Tag])
			yielded[res.Request.Tag] = true
			if err != nil {
				require.ErrorIs(t, err, cause)
				require.Less(t, s.k.Now(), at+2*time.Millisecond)
			}
		}
		require.Len(t, yielded, source.next)
		require.NoError(t, s.run(f, gets("http://a.test/after")...)[0].err)
	}
}

// TestOneFetchAtATime: a Fetch within a Fetch yields ErrBusy, and Close
// refuses; after Close it is ErrClosed.
func TestOneFetchAtATime(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	f := s.fetcher()
	only := func() error {
		var all []error
		for res, err := range f.Fetch(context.Background(), slices.Values(gets("http://a.test/"))) {
			require.NotNil(t, res)
			all = append(all, err)
		}
		require.Len(t, all, 1)
		return all[0]
	}
	for _, err := range f.Fetch(context.Background(), slices.Values(gets("http://a.test/"))) {
		require.NoError(t, err)
		require.ErrorIs(t, only(), fetch.ErrBusy)
		require.ErrorIs(t, f.Close(), fetch.ErrBusy)
	}
	require.NoError(t, only())
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	require.ErrorIs(t, only(), fetch.ErrClosed)
}
