package fetch

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// Supply is what a [Source] has to say.
type Supply uint8

// The three answers of Source.Next.
const (
	More  Supply = iota // here is a request
	Empty               // nothing now; the source will call wake when there is
	End                 // nothing ever again
)

// Source hands requests to a Fetch. The loop asks only when it has room, so a
// source of ten million lines holds ten million lines back.
type Source interface {
	// Next gives a request, or says why there is none. It is called on the
	// loop and never blocks.
	Next() (Request, Supply)

	// Notify hands the source a function that makes the loop ask again. It is
	// safe from any goroutine, never blocks, and may be called after the Fetch
	// has ended. Notify is called once, before the first Next.
	Notify(wake func())
}

// seqSource lets an iterator be a Source. The iterator runs on the loop's own
// thread, in a coroutine: it must not block.
type seqSource struct {
	next func() (Request, bool)
}

func newSeqSource(requests iter.Seq[Request]) (s *seqSource, stop func()) {
	next, stop := iter.Pull(requests)
	return &seqSource{next}, stop
}

func (s *seqSource) Next() (Request, Supply) {
	if r, ok := s.next(); ok {
		return r, More
	}
	return Request{}, End
}

func (s *seqSource) Notify(func()) {}

// Queue is a [Source] that any goroutine may fill: a reader of standard input,
// a channel, a queue worker. It holds a bounded number of requests.
type Queue struct {
	mu     sync.Mutex
	ring   []Request
	head   int
	count  int
	closed bool
	wake   func()
	room   chan struct{} // what Push waits for; nil when nobody waits
}

// ErrQueueClosed is what Push returns after Close.
var ErrQueueClosed = errors.New("fetch: push to a closed queue")

// NewQueue makes a queue that holds up to size requests, at least one.
func NewQueue(size int) *Queue {
	if size < 1 {
		panic("fetch: a queue holds at least one request")
	}
	return &Queue{ring: make([]Request, size), wake: func() {}}
}

// Push adds a request. When the queue is full it waits until half of it is free
// (waiting for each place would cost a switch each), or ctx ends. It must not be
// called on the loop that the queue feeds.
func (q *Queue) Push(ctx context.Context, r Request) error {
	for {
		room, err := q.offer(r)
		if err != nil || room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// offer adds a request, or gives the channel that closes when there is room.
func (q *Queue) offer(r Request) (room chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrQueueClosed
	}
	if q.count == len(q.ring) {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		return q.room, nil
	}
	q.ring[(q.head+q.count)%len(q.ring)] = r
	q.count++
	if q.count == 1 {
		q.wake()
	}
	return nil, nil
}

// Close says that nothing more will be pushed. What is queued is still
// fetched. Closing twice is harmless.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	q.callIn()
	q.wake()
}

// callIn lets those who wait in Push try again.
func (q *Queue) callIn() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// Next implements [Source].
func (q *Queue) Next() (Request, Supply) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 {
		if q.closed {
			return Request{}, End
		}
		return Request{}, Empty
	}
	r := q.ring[q.head]
	q.ring[q.head] = Request{}
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	if q.count <= len(q.ring)/2 {
		q.callIn() // not at the first free place: then every request cost a switch
	}
	return r, More
}

// Notify implements [Source].
func (q *Queue) Notify(wake func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake = wake
}
