package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestQueueFromManyGoroutines pushes from several goroutines, on the real
// kernel, through a queue much smaller than what is pushed. Nothing is lost,
// nothing comes twice, and each goroutine's requests are admitted in order.
func TestQueueFromManyGoroutines(t *testing.T) {
	const pushers, each = 8, 200
	q := fetch.NewQueue(5)
	f := newReal(t, fetch.Options{MaxConns: 1, MaxPerHost: 1})
	var group sync.WaitGroup
	for p := range pushers {
		group.Go(func() {
			for n := range each {
				if err := q.Push(context.Background(), fetch.Request{URL: "ftp://not.test/", Tag: [2]int{p, n}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { group.Wait(); q.Close() }()
	var next [pushers]int
	for res, err := range f.FetchFrom(context.Background(), q) {
		require.ErrorContains(t, err, "only http and https")
		tag := res.Request.Tag.([2]int)
		require.Equal(t, next[tag[0]], tag[1], "pusher %d", tag[0])
		next[tag[0]]++
	}
	for p, n := range next {
		require.Equal(t, each, n, "pusher %d", p)
	}
}

// newReal is a Fetcher on the real kernel.
func newReal(t *testing.T, o fetch.Options) *fetch.Fetcher {
	f, err := fetch.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// TestQueueWakes: a loop that has nothing to do waits for the queue, and goes
// on as soon as there is something.
func TestQueueWakes(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	q := fetch.NewQueue(10)
	push := func(n int) {
		require.NoError(t, q.Push(context.Background(), fetch.Request{URL: fmt.Sprintf("http://a.test/%d", n)}))
	}
	for n, at := range []time.Duration{time.Second, 2 * time.Second, 30 * time.Minute} {
		s.k.AtExpectWake(at, func() { push(n) })
	}
	s.k.AtExpectWake(time.Hour, q.Close)
	var at []time.Duration
	for _, err := range s.fetcher().FetchFrom(context.Background(), q) {
		require.NoError(t, err)
		at = append(at, s.k.Now().Round(time.Second))
	}
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second, 30 * time.Minute}, at)
	require.Equal(t, time.Hour, s.k.Now().Round(time.Second), "the Fetch ends when the queue is closed")
}

// TestQueueIsBounded: Push waits while the queue is full, and no longer than
// its context.
func TestQueueIsBounded(t *testing.T) {
	q := fetch.NewQueue(3)
	for range 3 {
		require.NoError(t, q.Push(context.Background(), fetch.Request{}))
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	var pushed atomic.Int32
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			err := q.Push(ctx, fetch.Request{})
			pushed.Add(1)
			ended <- err
		}()
	}
	time.Sleep(20 * time.Millisecond)
	require.Zero(t, pushed.Load(), "pushed into a full queue")
	cancel(cause)
	require.ErrorIs(t, <-ended, cause)
	require.ErrorIs(t, <-ended, cause)
	require.Equal(t, 3, drain(q), "what was not pushed is not there")
}

// drain takes all that a queue holds.
func drain(q *fetch.Queue) (n int) {
	for {
		if _, supply := q.Next(); supply != fetch.More {
			return n
		}
		n++
	}
}

// TestQueueLetsPushersIn when there is room: each of many that wait gets in.
func TestQueueLetsPushersIn(t *testing.T) {
	for _, size := range []int{1, 2, 3, 10} {
		q := fetch.NewQueue(size)
		const many = 50
		var group sync.WaitGroup
		for range many {
			group.Go(func() {
				if err := q.Push(context.Background(), fetch.Request{}); err != nil {
					t.Error(err)
				}
			})
		}
		done := make(chan struct{})
		go func() { group.Wait(); close(done) }()
		taken := 0
		require.Eventually(t, func() bool { taken += drain(q); return taken == many }, 10*time.Second, time.Millisecond)
		<-done
	}
}

// TestQueueIsAQueue: first in, first out, round and round, and after Close
// what is in it still comes out.
func TestQueueIsAQueue(t *testing.T) {
	q := fetch.NewQueue(4)
	next := func() any {
		r, supply := q.Next()
		if supply != fetch.More {
			return supply
		}
		return r.Tag
	}
	in, out := 0, 0
	for _, round := range []struct{ push, pull int }{{3, 1}, {2, 4}, {4, 3}, {3, 3}, {0, 1}, {4, 1}} {
		for range round.push {
			require.NoError(t, q.Push(context.Background(), fetch.Request{Tag: in}))
			in++
		}
		for range round.pull {
			require.Equal(t, out, next())
			out++
		}
	}
	q.Close()
	q.Close()
	require.ErrorIs(t, q.Push(context.Background(), fetch.Request{}), fetch.ErrQueueClosed)
	for ; out < in; out++ {
		require.Equal(t, out, next())
	}
	require.Equal(t, fetch.End, next())
	require.Equal(t, fetch.End, next(), "the end is the end")
	require.Equal(t, fetch.Empty, func() fetch.Supply { _, s := fetch.NewQueue(1).Next(); return s }())
	require.Panics(t, func() { fetch.NewQueue(0) })
}

// TestCloseEndsPush that waits.
func TestCloseEndsPush(t *testing.T) {
	q := fetch.NewQueue(1)
	require.NoError(t, q.Push(context.Background(), fetch.Request{}))
	ended := make(chan error)
	go func() { ended <- q.Push(context.Background(), fetch.Request{}) }()
	time.Sleep(10 * time.Millisecond)
	q.Close()
	require.ErrorIs(t, <-ended, fetch.ErrQueueClosed)
}

// TestQueueOutlivesFetch: what a Fetch has not pulled when it is left or
// cancelled is there for the next, and waking a loop that has ended is
// harmless, after Close too.
func TestQueueOutlivesFetch(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", slowly)
	s.options.MaxConns, s.options.MaxPerHost = 1, 1
	f := s.fetcher()
	q := fetch.NewQueue(100)
	fill := func(n int) {
		for _, r := range manyOf("a.test", n) {
			require.NoError(t, q.Push(context.Background(), r))
		}
	}
	fill(50)
	for range f.FetchFrom(context.Background(), q) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.k.AtExpectWake(s.k.Now()+500*time.Millisecond, cancel)
	seen := 0
	for _, err := range f.FetchFrom(ctx, q) {
		require.ErrorIs(t, err, context.Canceled)
		seen++
	}
	left := drain(q)
	require.NotZero(t, seen)
	gone := 50 - seen - left
	require.GreaterOrEqual(t, gone, 1, "the first Fetch yielded one")
	require.LessOrEqual(t, gone, 1+16+1, "and dropped no more than it may look ahead")
	require.NoError(t, f.Close())
	fill(1)
	q.Close()
}

// TestQueueOfRequestsWithContent hands on all of a request.
func TestQueueOfRequestsWithContent(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return sim.Reply(200, "", q.Body) })
	q := fetch.NewQueue(1)
	r := fetch.Request{URL: "http://a.test/", Method: "POST", Body: []byte("all of it"),
		Fields: []fetch.Field{{Name: "X-A", Value: "1"}}, Tag: 7}
	require.NoError(t, q.Push(context.Background(), r))
	q.Close()
	for res, err := range s.fetcher().FetchFrom(context.Background(), q) {
		require.NoError(t, err)
		require.Equal(t, r, res.Request)
		require.Equal(t, "all of it", string(res.Body))
	}
	require.Equal(t, "1", s.k.Served()[0].Request.Field("X-A"))
}

// fitful is a Source that is empty at every other question, and wakes the loop
// from another goroutine each time.
type fitful struct {
	pulled
	wake     func()
	notified int
	asked    int
}

func (s *fitful) Notify(wake func()) { s.wake = wake; s.notified++ }

func (s *fitful) Next() (fetch.Request, fetch.Supply) {
	if s.asked++; s.asked%2 == 1 {
		go s.wake()
		return fetch.Request{}, fetch.Empty
	}
	return s.pulled.Next()
}

// TestFitfulSource: Empty is no end, the loop asks again when it is woken, and
// after End it never does.
func TestFitfulSource(t *testing.T) {
	source := &fitful{pulled: pulled{requests: slices.Repeat(gets("ftp://a.test/"), 500)}}
	n := 0
	for range newReal(t, fetch.Options{}).FetchFrom(context.Background(), source) {
		n++
	}
	require.Equal(t, 500, n)
	require.Equal(t, 1, source.notified)
	require.Equal(t, 2*501, source.asked, "asked after its end")
}

// TestNothingToFetch ends at once.
func TestNothingToFetch(t *testing.T) {
	for range newReal(t, fetch.Options{}).Fetch(context.Background(), slices.Values([]fetch.Request(nil))) {
		t.Fatal("a result")
	}
}
