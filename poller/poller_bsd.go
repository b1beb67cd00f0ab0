//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package poller

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Poller watches descriptors with kqueue(2). Make one with [New].
type Poller struct {
	queue   int
	watches table
	changes []unix.Kevent_t
	raw     []unix.Kevent_t // what the kernel fills in; as long as the longest batch or change list
	timeout unix.Timespec
	waker
}

// New makes a Poller that watches nothing. It holds three descriptors until
// Close.
func New() (*Poller, error) {
	queue, wake, err := descriptors()
	if err != nil {
		return nil, err
	}
	p := &Poller{queue: queue, waker: waker{out: wake[0], in: wake[1]}}
	if err := p.watchWake(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// descriptors makes the kqueue and the pipe. Not every system can make them
// close-on-exec at once, so a fork must not come in between; where kqueues
// are not inherited at all (kqueue(2)), the flag does no harm.
func descriptors() (queue int, wake [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	queue, err = unix.Kqueue()
	if err != nil {
		return -1, wake, err
	}
	unix.CloseOnExec(queue)
	if err := unix.Pipe(wake[:]); err != nil {
		unix.Close(queue)
		return -1, wake, err
	}
	unix.CloseOnExec(wake[0])
	unix.CloseOnExec(wake[1])
	return queue, wake, nil
}

func (p *Poller) watchWake() error {
	for _, fd := range [...]int{p.out, p.in} {
		if err := unix.SetNonblock(fd, true); err != nil {
			return err
		}
	}
	var add [1]unix.Kevent_t
	unix.SetKevent(&add[0], p.out, unix.EVFILT_READ, unix.EV_ADD)
	_, err := unix.Kevent(p.queue, add[:], nil, nil)
	return err
}

// Add begins to watch a descriptor. EEXIST: it is watched already. The kernel
// hears of it in the next Wait; if it then refuses, that is reported as
// readable and writable.
func (p *Poller) Add(fd int, token Token, interest Interest) error {
	mustBeSet(token, interest)
	return p.watches.add(fd, token, interest)
}

// Modify replaces the token and the interest of a watched descriptor. ENOENT:
// it is not watched.
func (p *Poller) Modify(fd int, token Token, interest Interest) error {
	mustBeSet(token, interest)
	return p.watches.modify(fd, token, interest)
}

// Remove ends the watching of a descriptor. ENOENT: it is not watched.
func (p *Poller) Remove(fd int) error { return p.watches.remove(fd) }

// Wait waits until something is ready, the timeout is over or Wake is called,
// and fills events from the front. It returns how many there are: none after
// a timeout, a wake-up or a signal. With a timeout of 0 it only looks. A
// timeout of more than a day counts as a day.
func (p *Poller) Wait(events []Event, timeout time.Duration) (n int, err error) {
	if len(events) == 0 {
		panic("poller: Wait needs room for at least one event")
	}
	for again := true; again; {
		// The changes are in force even after EINTR, and are not handed in twice.
		got, err := p.wait(p.take(), len(events), timeout)
		if err == unix.EINTR {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		n, again = p.translate(events, got)
	}
	return n, nil
}

// Hold does nothing here: on most of these systems the C library makes all
// calls, and Go's scheduler has to know of each. On Linux, waits hold Go's
// processor for up to 10 ms then, for programs that have another one.
func (p *Poller) Hold(bool) {}

// wait is kevent(2). A change that fails needs a place among the events, or it
// would end the call and lose the changes behind it; hence the room for all.
func (p *Poller) wait(changes []unix.Kevent_t, room int, timeout time.Duration) ([]unix.Kevent_t, error) {
	if room = max(room, len(changes)); len(p.raw) < room {
		p.raw = make([]unix.Kevent_t, room)
	}
	n, err := unix.Kevent(p.queue, changes, p.raw[:room], p.timespec(timeout))
	if err != nil {
		return nil, err
	}
	return p.raw[:n], nil
}

// timespec keeps every nanosecond; the kernel rounds up to its clock's tick. A
// day is far below what any of the systems refuses as too long.
func (p *Poller) timespec(timeout time.Duration) *unix.Timespec {
	if timeout < 0 {
		return nil
	}
	p.timeout = unix.NsecToTimespec(int64(min(timeout, 24*time.Hour)))
	return &p.timeout
}

// take turns the table's changes into the kernel's.
func (p *Poller) take() []unix.Kevent_t {
	p.changes = p.changes[:0]
	for _, c := range p.watches.take() {
		filter, flags := unix.EVFILT_READ, unix.EV_DELETE
		if c.filter == Writable {
			filter = unix.EVFILT_WRITE
		}
		if c.add {
			flags = unix.EV_ADD
		}
		var k unix.Kevent_t
		unix.SetKevent(&k, c.fd, filter, flags)
		p.changes = append(p.changes, k)
	}
	return p.changes
}

// translate turns the whole batch of the kernel's into one of ours, before the
// caller can close anything. What finds no room is left out: being level-
// triggered, it comes again. When the kernel had nothing to say but that
// deletes came too late, it has not waited, and is to be asked again.
func (p *Poller) translate(events []Event, raw []unix.Kevent_t) (n int, again bool) {
	late := 0
	for i := range raw {
		k := &raw[i]
		fd, flags := int(k.Ident), int(k.Flags)
		if fd == p.out {
			p.drain()
			continue
		}
		filter := Readable
		if int(k.Filter) == int(unix.EVFILT_WRITE) {
			filter = Writable
		}
		var e Event
		var ok bool
		if flags&unix.EV_ERROR != 0 {
			if e, ok = p.watches.refused(fd, filter); !ok {
				late++
			}
		} else {
			e, ok = p.watches.ready(fd, filter, flags&unix.EV_EOF != 0)
		}
		if ok && n < len(events) {
			events[n] = e
			n++
		}
	}
	return n, late > 0 && late == len(raw)
}

// Close gives back the poller's own descriptors; the watched ones stay open.
// Nothing but Wake may be called afterwards.
func (p *Poller) Close() error {
	err := p.waker.close()
	if e := unix.Close(p.queue); err == nil {
		err = e
	}
	return err
}
