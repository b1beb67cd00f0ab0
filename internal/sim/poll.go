package sim

import (
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/poller"
)

// reason is why a Wait came to its end.
type reason uint8

const (
	reasonChaos   reason = iota // or the first Wait, before which there was none
	reasonReady                 // something is ready
	reasonWoken                 // Wake
	reasonTimeout               // the timeout passed
	reasonNothing               // the timeout was zero and nothing was ready
	reasonNever                 // nothing would ever happen
)

var reasonNames = [...]string{
	reasonChaos:   "chaos",
	reasonReady:   "ready",
	reasonWoken:   "woken",
	reasonTimeout: "timeout",
	reasonNothing: "nothing",
	reasonNever:   "never",
}

// Add implements kernel.Poll.
func (k *Kernel) Add(fd int, token poller.Token, interest poller.Interest) error {
	k.enter(callAdd)
	d := k.watchable(callAdd, fd, token, interest)
	switch {
	case d == nil:
		return syscall.EBADF
	case d.watched:
		k.violate("add of %d, %v, which is in the poller already", fd, d)
		return syscall.EEXIST
	}
	d.watched, d.token, d.interest, d.place = true, token, interest, len(k.watched)
	k.watched = append(k.watched, fd)
	k.note(callAdd, fd, 0, int64(token), nil, interestText(interest))
	return nil
}

// Modify implements kernel.Poll.
func (k *Kernel) Modify(fd int, token poller.Token, interest poller.Interest) error {
	k.enter(callModify)
	d := k.watchable(callModify, fd, token, interest)
	switch {
	case d == nil:
		return syscall.EBADF
	case !d.watched:
		k.violate("modify of %d, %v, which is not in the poller", fd, d)
		return syscall.ENOENT
	}
	if d.token == token && d.interest == interest {
		k.counts.Needless++
	}
	if d.token != token {
		k.outdate(d.token)
	}
	d.token, d.interest = token, interest
	k.note(callModify, fd, 0, int64(token), nil, interestText(interest))
	return nil
}

// Remove implements kernel.Poll.
func (k *Kernel) Remove(fd int) error {
	k.enter(callRemove)
	d := k.descriptor(callRemove, fd)
	switch {
	case d == nil:
		return syscall.EBADF
	case !d.watched:
		k.violate("remove of %d, %v, which is not in the poller", fd, d)
		return syscall.ENOENT
	}
	k.unwatch(fd)
	k.note(callRemove, fd, 0, 0, nil, "")
	return nil
}

// watchable finds what may be watched with these arguments; else a violation,
// and nil.
func (k *Kernel) watchable(c call, fd int, token poller.Token, interest poller.Interest) *descriptor {
	if interest == 0 || interest&^(poller.Readable|poller.Writable) != 0 {
		k.violate("%s of %d with interest %#x", c, fd, interest)
		return nil
	}
	if token == poller.Reserved {
		k.violate("%s of %d with the reserved token", c, fd)
		return nil
	}
	if k.socket(c, fd) == nil { // epoll_ctl(2): EPERM for files and folders
		return nil
	}
	return &k.fds[fd]
}

// unwatch takes a descriptor out of the poller.
func (k *Kernel) unwatch(fd int) {
	d := &k.fds[fd]
	last := len(k.watched) - 1
	moved := k.watched[last]
	k.watched[d.place] = moved
	k.fds[moved].place = d.place
	k.watched = k.watched[:last]
	d.watched = false
	k.outdate(d.token)
}

// pastMax is how many removed tokens are kept for stale events.
const pastMax = 64

// outdate keeps a token for stale events.
func (k *Kernel) outdate(token poller.Token) {
	if len(k.past) < pastMax {
		k.past = append(k.past, token)
		return
	}
	k.past[k.dice.IntN(pastMax)] = token
}

// Wake implements kernel.Poll. It may be called from any goroutine. The log
// shows it where a Wait takes notice.
func (k *Kernel) Wake() error {
	k.woken.Store(true)
	select {
	case k.wakes <- struct{}{}:
	default:
	}
	return nil
}

// Wait implements kernel.Poll: it moves the clock to when something is ready.
func (k *Kernel) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	k.judge()
	k.enter(callWait)
	k.counts.Waits++
	if len(events) == 0 {
		k.violate("wait with no room for an event")
		return 0, syscall.EINVAL
	}
	b := k.newBatch(events)
	k.advance(k.now)
	why := reasonChaos
	if !b.spurious && !b.stale {
		why = k.sleep(timeout)
	}
	if why == reasonNever {
		k.violate("wait for ever, and nothing will ever happen: %d sockets open, %d in the poller",
			k.counts.Sockets, len(k.watched))
		return 0, syscall.EDEADLK
	}
	if k.chance(k.chaos.Oversleep) {
		k.advance(k.now + k.within(k.chaos.OversleepMax))
		b.whole()
	}
	if k.woken.Swap(false) {
		k.counts.Wakes++
		why = reasonWoken
	}
	b.fill()
	b.disturb()
	k.quiet.last = why
	k.counts.Events += uint64(b.n)
	k.note(callWait, 0, b.n, int64(timeout), nil, reasonNames[why])
	for _, e := range events[:b.n] {
		k.note(callEvent, 0, 0, int64(e.Token), nil, eventText(e))
	}
	return b.n, nil
}

// sleep moves the clock until something is ready, Wake was called, or the
// timeout has passed.
func (k *Kernel) sleep(timeout time.Duration) reason {
	if k.chance(k.chaos.Interrupt) {
		if timeout != 0 {
			k.interrupt(timeout)
		}
		return reasonChaos
	}
	deadline := k.now + roundUp(timeout)
	for {
		at, ok := k.next()
		switch {
		case k.woken.Load():
			return reasonWoken
		case k.anyReady():
			return reasonReady
		case timeout == 0:
			return reasonNothing
		case timeout < 0 && !ok:
			return reasonNever
		case timeout > 0 && (!ok || at > deadline):
			k.now = deadline
			return reasonTimeout
		}
		k.advance(at)
	}
}

// interrupt lets up to 10 ms of a Wait pass, as if a signal had come.
func (k *Kernel) interrupt(timeout time.Duration) {
	most := 10 * time.Millisecond
	if timeout > 0 {
		most = min(most, timeout)
	}
	k.advance(k.now + k.within(most))
}

// roundUp is a timeout in whole milliseconds, as epoll_wait(2) counts.
func roundUp(timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return 0
	}
	const most = 1<<31 - 1 // epoll_wait's timeout is an int
	ms := (timeout-1)/time.Millisecond + 1
	return min(ms, most) * time.Millisecond
}
