package fetch

import "github.com/shoalfetch/shoal/internal/offload"

// beside is a sink's way to the workers. It outlives the loops of its Fetcher:
// what a sink has begun must be heard of.
type beside struct {
	workers offload.Runner
	asked   uint64
	under   map[uint64]func() // what to call on the loop, for work under way
}

// besideID marks the ids of a sink's work, among those of lookups.
const besideID = 1 << 63

func newBeside(w offload.Runner) *beside {
	return &beside{workers: w, under: map[uint64]func(){}}
}

// run has work done on a worker, and calls done on the loop when it has been.
func (b *beside) run(work, done func()) {
	b.asked++
	id := b.asked | besideID
	b.under[id] = done
	b.workers.Submit(id, work)
}

// finished takes the ids of a sink's work, and no others.
func (b *beside) finished(id uint64) bool {
	if id&besideID == 0 {
		return false
	}
	done := b.under[id]
	delete(b.under, id)
	done()
	return true
}
