package sim

import (
	"time"

	"github.com/shoalfetch/shoal/internal/offload"
)

var _ offload.Runner = (*Runner)(nil)

// Runner is offload.Runner on the virtual clock: work runs on the loop's thread
// inside a Wait up to 5 ms after Submit. It is reported later by as long as its
// file calls took, or the lookup that it made; the loop's clock does not move for
// either. It has as many workers as there is work.
type Runner struct {
	k        *Kernel
	pending  map[uint64]bool
	finished []uint64
	closed   bool
}

// task is work while it runs.
type task struct {
	lasts time.Duration // how much later it is reported
	lost  bool          // never
}

// Runner makes a Runner.
func (k *Kernel) Runner() *Runner {
	return &Runner{k: k, pending: map[uint64]bool{}}
}

// Submit implements offload.Runner.
func (w *Runner) Submit(id uint64, work func()) {
	k := w.k
	k.quiet.acted()
	if w.closed {
		k.violate("submit of %d after the runner's Close", id)
		return
	}
	if w.pending[id] {
		k.violate("submit of %d, which is under way", id)
		return
	}
	w.pending[id] = true
	k.note(callSubmit, 0, 0, int64(id), nil, "")
	k.outside.add(k.now+k.within(5*time.Millisecond), func() { w.run(id, work) })
}

// run does the work and plans the report.
func (w *Runner) run(id uint64, work func()) {
	if w.closed {
		return
	}
	t := &task{}
	w.k.working = t
	work()
	w.k.working = nil
	if t.lost {
		return
	}
	w.k.outside.add(w.k.now+t.lasts, func() { w.report(id) })
}

// report puts an id into the mailbox and wakes the loop.
func (w *Runner) report(id uint64) {
	if w.closed {
		return
	}
	delete(w.pending, id)
	w.finished = append(w.finished, id)
	w.k.note(callFinish, 0, 0, int64(id), nil, "")
	w.k.Wake()
}

// Finished implements offload.Runner.
func (w *Runner) Finished(ids []uint64) []uint64 {
	ids = append(ids, w.finished...)
	w.finished = w.finished[:0]
	return ids
}

// Close implements offload.Runner.
func (w *Runner) Close() { w.closed = true }
