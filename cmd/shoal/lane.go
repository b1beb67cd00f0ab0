package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// lane is one of several loops, with what goes in and out between it and the
// desk.
type lane struct {
	fetcher *fetch.Fetcher
	explain *view.Explain // nil: nobody asked
	in      *inbox
	out     outbox
}

// run is the loop. It locks its goroutine to the thread, which ends with it.
func (l *lane) run(ctx context.Context) {
	runtime.LockOSThread()
	defer l.out.end()
	source := fetch.Source(l.in)
	if l.explain != nil {
		source = l.explain.Source(source)
	}
	for res, err := range l.fetcher.FetchFrom(ctx, source) {
		if l.explain != nil {
			l.explain.Result(res, err)
		}
		l.out.put(outcome{res, err})
	}
}

// inboxSize is how many requests wait for a loop at most. It is enough to keep a
// loop going until the desk has time for it; to look far ahead is the engine's
// business.
const inboxSize = 128

// inbox is the requests that wait for a loop.
type inbox struct {
	*fetch.Queue
	count atomic.Int32
	ring  func() // called when half of it has become free
}

func newInbox(ring func()) *inbox { return &inbox{Queue: fetch.NewQueue(inboxSize), ring: ring} }

// offer adds a request if there is room. It is for the desk.
func (in *inbox) offer(r fetch.Request) bool {
	if in.waiting() == inboxSize {
		return false
	}
	in.count.Add(1)
	if err := in.Push(context.Background(), r); err != nil { // with room, it waits for nothing
		panic("shoal: a request for a loop that takes no more: " + err.Error())
	}
	return true
}

func (in *inbox) waiting() int { return int(in.count.Load()) }

// Next implements fetch.Source.
func (in *inbox) Next() (fetch.Request, fetch.Supply) {
	r, supply := in.Queue.Next()
	if supply == fetch.More && in.count.Add(-1) == inboxSize/2 {
		in.ring()
	}
	return r, supply
}

// outcome is a result as it is yielded.
type outcome struct {
	*fetch.Result
	err error
}

// undone is the outcome of a request that no loop has begun, as the engine ends
// those that wait.
func undone(r fetch.Request, why error) outcome {
	res := &fetch.Result{Request: r, URL: fetch.WithoutUserinfo(r.URL)}
	if t, ok := r.Tag.(*ticket); ok {
		res.Name = t.name
		if errors.Is(t.err, fetch.ErrSkip) {
			res.Outcome = fetch.Skipped
			return outcome{res, nil}
		}
	}
	return outcome{res, &fetch.Error{URL: res.URL, Phase: fetch.PhaseQueue, Attempt: 1, Err: why}}
}

// outbox is the results that wait for the desk. There are never more than
// requests were handed out.
type outbox struct {
	ring func() // called when there is something to take

	mu      sync.Mutex
	results []outcome
	taken   []outcome // what the desk took last, to be filled again
	ended   bool
}

func (o *outbox) put(e outcome) {
	o.mu.Lock()
	o.results = append(o.results, e)
	first := len(o.results) == 1
	o.mu.Unlock()
	if first {
		o.ring()
	}
}

// end says that the loop has ended: nothing more is put.
func (o *outbox) end() {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
	o.ring()
}

// take takes what is there, and says whether that was the last. It is valid
// until the next take.
func (o *outbox) take() (results []outcome, ended bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.results, o.taken = o.taken[:0], o.results
	return o.taken, o.ended
}

// marked begins each line with the number of its loop. A Write is one line.
type marked struct {
	io.Writer
	mark string
}

func newMarked(w io.Writer, loop int) marked { return marked{w, "[" + strconv.Itoa(loop) + "] "} }

func (m marked) Write(line []byte) (int, error) {
	if _, err := m.Writer.Write(append([]byte(m.mark), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}
