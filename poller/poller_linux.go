package poller

import (
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Poller watches descriptors with epoll(7). Make one with [New].
type Poller struct {
	epoll int
	raw   []unix.EpollEvent // what the kernel fills in; as long as the longest batch asked for
	holds bool              // as Hold was told
	waker
}

// New makes a Poller that watches nothing. It holds two descriptors until
// Close.
func New() (*Poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	p := &Poller{epoll: epoll, waker: waker{out: wake, in: wake}}
	if err := p.control(unix.EPOLL_CTL_ADD, wake, Reserved, Readable); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Add begins to watch a descriptor. EEXIST: it is watched already. EPERM: it
// is of a kind that is always ready, such as a regular file.
func (p *Poller) Add(fd int, token Token, interest Interest) error {
	mustBeSet(token, interest)
	return p.control(unix.EPOLL_CTL_ADD, fd, token, interest)
}

// Modify replaces the token and the interest of a watched descriptor. ENOENT:
// it is not watched.
func (p *Poller) Modify(fd int, token Token, interest Interest) error {
	mustBeSet(token, interest)
	return p.control(unix.EPOLL_CTL_MOD, fd, token, interest)
}

// Remove ends the watching of a descriptor. ENOENT: it is not watched.
func (p *Poller) Remove(fd int) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}

// control hands one change to the kernel. The token rides in epoll_data, which
// is 64 bits on every architecture.
func (p *Poller) control(op, fd int, token Token, interest Interest) error {
	e := unix.EpollEvent{Fd: int32(uint32(token)), Pad: int32(uint32(token >> 32))}
	if interest&Readable != 0 {
		e.Events |= unix.EPOLLIN
	}
	if interest&Writable != 0 {
		e.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(p.epoll, op, fd, &e)
}

// Wait waits until something is ready, the timeout is over or Wake is called,
// and fills events from the front. It returns how many there are: none after
// a timeout, a wake-up or a signal. With a timeout of 0 it only looks. A
// timeout of more than 24 days counts as 24 days.
func (p *Poller) Wait(events []Event, timeout time.Duration) (n int, err error) {
	if len(events) == 0 {
		panic("poller: Wait needs room for at least one event")
	}
	if len(p.raw) < len(events) {
		p.raw = make([]unix.EpollEvent, len(events))
	}
	raw := p.raw[:len(events)]

	n, err = p.wait(raw, milliseconds(timeout))
	if err == unix.EINTR {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return p.translate(events, raw[:n]), nil
}

// holdFor is how many milliseconds of a wait hold Go's processor: as long as a
// goroutine may compute there before the scheduler sends it a signal
// (forcePreemptNS of package runtime). It is not less because the kernel's own
// tick comes every 1 to 10 ms: for an earlier end it would have to set the
// machine's timer at each wait, which costs more than all else in it.
const holdFor = 10

// Hold has waits keep Go's processor, the P of its scheduler, for up to 10 ms,
// and only then give it back: false from the start. A wait that gives it back
// wakes the runtime's monitor thread and has to ask for a processor again when
// it is over, which can cost more than what the event is waited for. It is for
// programs that have a processor for their other goroutines besides (see
// runtime.GOMAXPROCS): those that want this one wait as long.
func (p *Poller) Hold(yes bool) { p.holds = yes }

// wait is epoll_pwait(2). A look that cannot block is not worth telling Go's
// scheduler about; a wait that can must be, sooner or later, or the goroutine
// would take its processor along to sleep.
func (p *Poller) wait(raw []unix.EpollEvent, ms int) (int, error) {
	if ms != 0 && !p.holds {
		return unix.EpollWait(p.epoll, raw, ms)
	}
	first := ms
	if ms < 0 || ms > holdFor {
		first = holdFor
	}
	n, err := p.hold(raw, first)
	switch {
	case err == unix.EINTR: // it may be the scheduler, which wants the processor
	case n != 0 || err != nil || first == ms:
		return n, err
	case ms > 0:
		ms -= first
	}
	return unix.EpollWait(p.epoll, raw, ms)
}

// hold is a wait that the scheduler is not told of.
func (p *Poller) hold(raw []unix.EpollEvent, ms int) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(len(raw)), uintptr(ms), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// milliseconds rounds up, so that a deadline has passed when the wait for it
// is over. Negative is for ever, as in epoll_wait(2).
func milliseconds(timeout time.Duration) int {
	if timeout < 0 {
		return -1
	}
	ms := timeout / time.Millisecond
	if timeout%time.Millisecond != 0 {
		ms++
	}
	return int(min(ms, math.MaxInt32))
}

// translate turns a batch of the kernel's into one of ours and takes the
// wake-up out of it.
func (p *Poller) translate(events []Event, raw []unix.EpollEvent) (n int) {
	for _, r := range raw {
		token := Token(uint32(r.Fd)) | Token(uint32(r.Pad))<<32
		if token == Reserved {
			p.drain()
			continue
		}
		broken := r.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0
		events[n] = Event{
			Token:    token,
			Readable: broken || r.Events&unix.EPOLLIN != 0,
			Writable: broken || r.Events&unix.EPOLLOUT != 0,
		}
		n++
	}
	return n
}

// Close gives back the poller's own descriptors; the watched ones stay open.
// Nothing but Wake may be called afterwards.
func (p *Poller) Close() error {
	err := p.waker.close()
	if e := unix.Close(p.epoll); err == nil {
		err = e
	}
	return err
}
