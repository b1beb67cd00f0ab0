package sim

import "time"

// timeline holds what will happen, ordered by moment and, within a moment, by
// the order in which it was planned. It is a binary heap.
type timeline struct {
	plans   []plan
	planned uint64
}

type plan struct {
	at    time.Duration
	order uint64
	run   func()
}

func (p plan) before(q plan) bool {
	return p.at < q.at || p.at == q.at && p.order < q.order
}

// add plans run for a moment.
func (t *timeline) add(at time.Duration, run func()) {
	t.planned++
	t.plans = append(t.plans, plan{at, t.planned, run})
	for i := len(t.plans) - 1; i > 0; {
		up := (i - 1) / 2
		if !t.plans[i].before(t.plans[up]) {
			break
		}
		t.plans[i], t.plans[up] = t.plans[up], t.plans[i]
		i = up
	}
}

// next tells the moment of the first plan; false when there is none.
func (t *timeline) next() (time.Duration, bool) {
	if len(t.plans) == 0 {
		return 0, false
	}
	return t.plans[0].at, true
}

// take removes the first plan.
func (t *timeline) take() plan {
	first := t.plans[0]
	last := len(t.plans) - 1
	t.plans[0] = t.plans[last]
	t.plans[last] = plan{}
	t.plans = t.plans[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return first
		}
		if right := down + 1; right < last && t.plans[right].before(t.plans[down]) {
			down = right
		}
		if !t.plans[down].before(t.plans[i]) {
			return first
		}
		t.plans[i], t.plans[down] = t.plans[down], t.plans[i]
		i = down
	}
}

// run runs all that is due by now.
func (t *timeline) run(now time.Duration) {
	for len(t.plans) > 0 && t.plans[0].at <= now {
		t.take().run()
	}
}

// next tells when something happens next, on the network or outside.
func (k *Kernel) next() (time.Duration, bool) {
	a, network := k.network.next()
	b, outside := k.outside.next()
	if !network || outside && b < a {
		return b, outside
	}
	return a, true
}

// advance moves the clock and lets everything up to then happen at its own
// moment.
func (k *Kernel) advance(to time.Duration) {
	for {
		at, ok := k.next()
		if !ok || at > to {
			break
		}
		k.now = max(k.now, at)
		source := &k.network
		if first, ok := source.next(); !ok || first > at {
			source = &k.outside
		}
		source.take().run()
	}
	k.now = max(k.now, to)
}

// At plans f for a moment of the virtual clock, counted from New as Now is. It
// runs inside a Wait, on the loop's thread, as if another goroutine had run it
// meanwhile: to be heard at once it calls Wake. f may call Wake, Now, At and
// whatever of the engine is safe from other goroutines; no system call.
func (k *Kernel) At(at time.Duration, f func()) {
	k.outside.add(at, func() {
		k.note(callAt, 0, 0, 0, nil, "")
		f()
	})
}

// AtExpectWake is At for an f after which the engine must be woken, be it from
// a goroutine that f starts, as context.AfterFunc does when f cancels a context.
// The simulation stands still until the Wake comes, so that it stays the same
// from run to run. That no Wake comes within 5 seconds of the world's time is a
// violation: a lost wake-up.
func (k *Kernel) AtExpectWake(at time.Duration, f func()) {
	k.At(at, func() {
		select { // a Wake of before is not the one expected
		case <-k.wakes:
		default:
		}
		f()
		patience := time.NewTimer(k.patience)
		defer patience.Stop()
		select {
		case <-k.wakes:
		case <-patience.C:
			k.violate("no Wake came after what was planned for %v", at)
		}
	})
}
