package poller

import "syscall"

// table is what kqueue needs and epoll does not: a record of what is watched,
// because the kernel can keep no token for us (its user data is a pointer, and
// a pointer is the garbage collector's business), and a queue of changes, which
// are handed in together with the next wait instead of by a call each.
//
// It is pure bookkeeping and built on every system, to be tested on every one.
type table struct {
	watches []watch // by descriptor
	queue   []int   // descriptors whose watch is queued
	changes []change
}

// watch is what is known of one descriptor.
type watch struct {
	token  Token
	wanted Interest // what the caller asked for; none: not watched
	kernel Interest // the filters that the kernel may have
	fresh  bool     // added since the last changes, perhaps another file under an old number
	queued bool
}

// change is one kevent of a change list: one descriptor, one direction.
type change struct {
	fd     int
	filter Interest // Readable or Writable, not both
	add    bool     // else delete
}

func (t *table) add(fd int, token Token, interest Interest) error {
	if fd < 0 {
		return syscall.EBADF
	}
	for len(t.watches) <= fd {
		t.watches = append(t.watches, watch{})
	}
	w := &t.watches[fd]
	if w.wanted != 0 {
		return syscall.EEXIST
	}
	w.token, w.wanted, w.fresh = token, interest, true
	t.enqueue(fd)
	return nil
}

func (t *table) modify(fd int, token Token, interest Interest) error {
	w := t.watched(fd)
	if w == nil {
		return syscall.ENOENT
	}
	w.token = token
	if w.wanted != interest {
		w.wanted = interest
		t.enqueue(fd)
	}
	return nil
}

func (t *table) remove(fd int) error {
	w := t.watched(fd)
	if w == nil {
		return syscall.ENOENT
	}
	w.wanted, w.fresh = 0, false
	t.enqueue(fd)
	return nil
}

func (t *table) watched(fd int) *watch {
	if fd < 0 || fd >= len(t.watches) || t.watches[fd].wanted == 0 {
		return nil
	}
	return &t.watches[fd]
}

func (t *table) enqueue(fd int) {
	if w := &t.watches[fd]; !w.queued {
		w.queued = true
		t.queue = append(t.queue, fd)
	}
}

// take empties the queue into the shortest list of changes that leads from
// what the kernel has to what is wanted. The list is valid until the next take.
//
// A fresh watch adds all that it wants, even what the kernel is thought to
// have: between Remove and Add the descriptor may have been closed, which took
// its filters along, and its number given out again. Adding twice does no
// harm; deleting what is gone is answered by an error that refused lets pass.
func (t *table) take() []change {
	t.changes = t.changes[:0]
	for _, fd := range t.queue {
		w := &t.watches[fd]
		had := w.kernel
		if w.fresh {
			had = 0
		}
		t.list(fd, w.kernel&^w.wanted, false)
		t.list(fd, w.wanted&^had, true)
		w.kernel, w.fresh, w.queued = w.wanted, false, false
	}
	t.queue = t.queue[:0]
	return t.changes
}

func (t *table) list(fd int, filters Interest, add bool) {
	for _, filter := range [...]Interest{Readable, Writable} {
		if filters&filter != 0 {
			t.changes = append(t.changes, change{fd, filter, add})
		}
	}
}

// ready is the event for what the kernel reported of a filter. An end of file
// can be the end of both directions (a reset, a refused connect, a pipe without
// a writer), so it is reported as both; data may still wait in front of it.
func (t *table) ready(fd int, filter Interest, eof bool) (e Event, ok bool) {
	w := t.watched(fd)
	if w == nil {
		return Event{}, false
	}
	return Event{
		Token:    w.token,
		Readable: eof || filter == Readable,
		Writable: eof || filter == Writable,
	}, true
}

// refused is the event for a change that the kernel did not accept. A delete
// may fail: the descriptor was closed in the meantime. An add that fails is
// reported as both directions, so that the next system call tells what is
// wrong, and queued again: a caller who waits on gets to hear of it again, as
// of any other readiness.
func (t *table) refused(fd int, filter Interest) (e Event, ok bool) {
	w := t.watched(fd)
	if w == nil || w.wanted&filter == 0 {
		return Event{}, false
	}
	w.kernel &^= filter
	t.enqueue(fd)
	return Event{Token: w.token, Readable: true, Writable: true}, true
}
