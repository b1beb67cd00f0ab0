package sim

import "github.com/shoalfetch/shoal/poller"

// batch is what one Wait gives. The truth comes first, then the chaos.
type batch struct {
	k      *Kernel
	events []poller.Event // where it goes
	n      int            // how many are there
	cut    int            // how many of the ready ones it takes

	spurious, stale bool // it has an event of this kind, and Wait does not sleep
}

func (k *Kernel) newBatch(events []poller.Event) batch {
	b := batch{k: k, events: events, cut: len(events)}
	if k.chance(k.chaos.Cut) {
		b.cut = min(b.cut, 1+k.dice.IntN(3))
	}
	b.spurious = len(k.watched) > 0 && k.chance(k.chaos.Spurious)
	b.stale = len(k.past) > 0 && k.chance(k.chaos.Stale)
	return b
}

// whole undoes the cut. After a long sleep a program that judges its timers by
// this batch must have all of it.
func (b *batch) whole() { b.cut = len(b.events) }

// fill puts in what is ready now. The next batch starts where this one ended,
// so that everybody has a turn, as epoll has it.
func (b *batch) fill() {
	k := b.k
	for i := range k.watched {
		at := (k.turn + i) % len(k.watched)
		d := &k.fds[k.watched[at]]
		e, ok := d.ready()
		if !ok {
			continue
		}
		if b.n >= b.cut {
			k.turn = at
			return
		}
		b.events[b.n] = e
		b.n++
	}
}

// anyReady tells whether a Wait would have something to give.
func (k *Kernel) anyReady() bool {
	for _, fd := range k.watched {
		if _, ok := k.fds[fd].ready(); ok {
			return true
		}
	}
	return false
}

// ready is the event that level triggering owes a descriptor now, if any. A
// hang-up or an error shows as both directions, asked for or not.
func (d *descriptor) ready() (poller.Event, bool) {
	readable, writable, hangup := d.socket.ready()
	e := poller.Event{
		Token:    d.token,
		Readable: hangup || readable && d.interest&poller.Readable != 0,
		Writable: hangup || writable && d.interest&poller.Writable != 0,
	}
	return e, e.Readable || e.Writable
}

// disturb adds what chaos has in store.
func (b *batch) disturb() {
	k := b.k
	for i := range b.n {
		if k.chance(k.chaos.Split) {
			b.split(i)
		}
		if k.chance(k.chaos.Duplicate) {
			b.add(b.events[i])
		}
	}
	if b.spurious && len(k.watched) > 0 {
		d := &k.fds[k.watched[k.dice.IntN(len(k.watched))]]
		b.add(b.some(d.token, d.interest))
	}
	if b.stale {
		token := k.past[k.dice.IntN(len(k.past))]
		b.add(b.some(token, poller.Readable|poller.Writable))
	}
	if b.n > 1 && k.chance(k.chaos.Shuffle) {
		k.dice.Shuffle(b.n, func(i, j int) {
			b.events[i], b.events[j] = b.events[j], b.events[i]
		})
	}
}

// add puts in an event if there is room.
func (b *batch) add(e poller.Event) {
	if b.n < len(b.events) {
		b.events[b.n] = e
		b.n++
	}
}

// split makes two events of one that has both directions.
func (b *batch) split(i int) {
	e := &b.events[i]
	if !e.Readable || !e.Writable || b.n == len(b.events) {
		return
	}
	b.add(poller.Event{Token: e.Token, Writable: true})
	e.Writable = false
}

// some is an event for one or both directions of an interest.
func (b *batch) some(token poller.Token, interest poller.Interest) poller.Event {
	e := poller.Event{
		Token:    token,
		Readable: interest&poller.Readable != 0,
		Writable: interest&poller.Writable != 0,
	}
	if e.Readable && e.Writable && b.k.chance(0.5) {
		e.Readable = b.k.chance(0.5)
		e.Writable = !e.Readable
	}
	return e
}

func interestText(i poller.Interest) string {
	return eventText(poller.Event{Readable: i&poller.Readable != 0, Writable: i&poller.Writable != 0})
}

func eventText(e poller.Event) string {
	switch {
	case e.Readable && e.Writable:
		return "rw"
	case e.Readable:
		return "r"
	}
	return "w"
}
