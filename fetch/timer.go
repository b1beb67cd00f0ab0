package fetch

import (
	"math"
	"time"
)

// patience names the deadlines of a fetch. Each is a duration in [Options] and
// a word in [TimeoutError].
type patience uint8

const (
	noPatience        patience = iota
	lookupPatience             // of the job: the name's addresses must come
	connectPatience            // of the conn: one attempt to connect
	sendPatience               // of the exchange: no byte of the request taken for so long
	firstBytePatience          // of the exchange: request sent, nothing has come
	stallPatience              // of the exchange: no further byte has come
	totalPatience              // of the job: everything together
	idlePatience               // of the conn: kept open without an exchange
	pacePatience               // of the conn: the next recv
	shortagePatience           // of the job: look again for a free descriptor
	backoffPatience            // of the job: try again
)

// never is a moment that does not come, and a timeout that does not pass: there
// is room for a moment to be added to it.
const never = time.Duration(math.MaxInt64 / 4)

// deadline is when its owner must be looked at next. Zero is never.
//
// Most deadlines only move away (each received byte puts off the stall), so the
// heap is lazy: armed is where the owner's entry stands in it, due is the truth.
// An entry that pops early is put back at due.
type deadline struct {
	due   time.Duration
	armed time.Duration
	why   patience
}

// timers is a binary min-heap by time.
type timers struct{ heap []timer }

type timer struct {
	at    time.Duration
	owner token
}

// set moves an owner's deadline. The owner must be found by its token when the
// entry pops.
func (t *timers) set(d *deadline, owner token, why patience, at time.Duration) {
	d.due, d.why = at, why
	if d.armed == 0 || at < d.armed {
		d.armed = at
		t.push(timer{at, owner})
	}
}

// clear takes a deadline off its owner. Its entry pops to nothing.
func (d *deadline) clear() { d.due, d.why = 0, noPatience }

// expired says whether an entry that popped at a moment is its owner's, and
// the owner is due by now. An owner that is due later is put back.
func (t *timers) expired(d *deadline, popped timer, now time.Duration) bool {
	if d.armed != popped.at {
		return false
	}
	d.armed = 0
	if d.due == 0 {
		return false
	}
	if d.due > now {
		t.set(d, popped.owner, d.why, d.due)
		return false
	}
	return true
}

// next is the time of the earliest entry, and whether there is one.
func (t *timers) next() (time.Duration, bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.heap[0].at, true
}

// keep drops the entries that are not wanted. What is left is pushed again in
// the order of the heap, which moves next to nothing.
func (t *timers) keep(wanted func(timer) bool) {
	old := t.heap
	t.heap = t.heap[:0]
	for _, e := range old {
		if wanted(e) {
			t.push(e)
		}
	}
}

func (t *timers) push(e timer) {
	t.heap = append(t.heap, e)
	h, i := t.heap, len(t.heap)-1
	for i > 0 {
		parent := (i - 1) / 2
		if h[parent].at <= e.at {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

func (t *timers) pop() timer {
	h := t.heap
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	t.heap = h
	if len(h) == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].at < h[child].at {
			child++
		}
		if last.at <= h[child].at {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = last
	return first
}
