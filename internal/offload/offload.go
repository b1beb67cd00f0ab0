// Package offload runs blocking calls beside the loop: a bounded number of
// workers, and one mailbox back; and apart from these, what may block for ever. It
// is the only place in the engine with a go statement.
//
// The loop never waits for a worker. It submits, goes on, and is woken when
// something has finished; what finished too late to matter resolves to nothing,
// because the id it carries is no longer known.
package offload

import "sync"

// Apart carries out work that may block for as long as somebody else likes, on a
// goroutine of its own. No Pool counts it and nobody waits for it.
func Apart(work func()) { go work() }

// Runner is what the loop sees of the workers. The simulator has one of its
// own, which runs the work on the loop's thread at a virtual moment.
type Runner interface {
	// Submit queues work under an id of the caller's. It never blocks; the
	// caller bounds how much it submits. Work runs on another goroutine and
	// must share nothing with the loop but what it hands over by finishing.
	Submit(id uint64, work func())

	// Finished appends the ids of all work that has finished since the last
	// call. What the work wrote is visible to the caller from then on.
	Finished(ids []uint64) []uint64

	// Close waits for running work and drops what is still queued. The caller
	// has told the work to hurry (by a context) before. No Submit after it.
	Close()
}

// Pool is the real Runner. A worker lives only while there is work, so that an
// idle program has no goroutine of ours.
type Pool struct {
	wake func()

	mu       sync.Mutex
	most     int
	working  int // workers there are
	free     int // of these, those that will look for a task next
	queue    []task
	finished []uint64
	closed   bool
	workers  sync.WaitGroup
}

type task struct {
	id   uint64
	work func()
}

// New makes a Pool of at most the given number of workers. wake is called
// after each piece of work, from the worker's goroutine; it must be safe there
// and must not block.
func New(workers int, wake func()) *Pool {
	if workers < 1 {
		panic("offload: a pool needs at least one worker")
	}
	return &Pool{most: workers, wake: wake}
}

// Submit implements [Runner].
func (p *Pool) Submit(id uint64, work func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		panic("offload: Submit after Close")
	}
	p.queue = append(p.queue, task{id, work})
	if len(p.queue) > p.free && p.working < p.most {
		p.working++
		p.free++
		p.workers.Add(1)
		go p.worker()
	}
}

// worker runs tasks until none is left.
func (p *Pool) worker() {
	defer p.workers.Done()
	for {
		t, ok := p.next()
		if !ok {
			return
		}
		t.work()
		p.report(t.id)
	}
}

func (p *Pool) next() (task, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free--
	if len(p.queue) == 0 {
		p.working--
		return task{}, false
	}
	t := p.queue[0]
	p.queue[0] = task{}
	p.queue = p.queue[1:]
	return t, true
}

func (p *Pool) report(id uint64) {
	p.mu.Lock()
	p.finished = append(p.finished, id)
	p.free++
	closed := p.closed
	p.mu.Unlock()
	if !closed {
		p.wake()
	}
}

// Finished implements [Runner].
func (p *Pool) Finished(ids []uint64) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids = append(ids, p.finished...)
	p.finished = p.finished[:0]
	return ids
}

// Close implements [Runner].
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.queue = nil
	p.mu.Unlock()
	p.workers.Wait()
}
