//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package poller

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// waker is what ends a Wait from outside: a descriptor that becomes readable,
// on Linux an eventfd(2), elsewhere a pipe(2).
type waker struct {
	out, in int         // what the poller watches, and what Wake writes to
	woken   atomic.Bool // a write has been made, or is about to be, and is not drained

	gate sync.Mutex // keeps Wake from writing to a descriptor that Close has given back
	shut bool       // under gate

	one, drained [8]byte // what Wake writes, under gate, and what Wait reads
}

// Wake makes the Wait under way, or else the next one, return. Any goroutine
// may call it, at any time; after Close it does nothing. What the caller wrote
// before Wake can be read after the Wait that it ended.
func (w *waker) Wake() error {
	if w.woken.Swap(true) {
		return nil
	}
	w.gate.Lock()
	defer w.gate.Unlock()
	if w.shut {
		return nil
	}
	w.one[0] = 1 // eventfd(2) takes a number of 8 bytes; a pipe does not mind
	_, err := unix.Write(w.in, w.one[:])
	for err == unix.EINTR {
		_, err = unix.Write(w.in, w.one[:])
	}
	if err != nil {
		w.woken.Swap(false)
	}
	return err
}

// drain empties the descriptor first and only then lets the next Wake write.
// In the other order a Wake could come in between: its write would be drained
// here while the flag says that it is still to be seen, and no later Wake
// would ever write again. A Wake that comes between the two as they are finds
// the flag set and leaves it at that; Wait is about to return for it.
func (w *waker) drain() {
	_, err := unix.Read(w.out, w.drained[:])
	for err == unix.EINTR {
		_, err = unix.Read(w.out, w.drained[:])
	}
	w.woken.Swap(false) // a Swap, so that it sees what the last Wake's Swap made visible
}

// close gives the descriptors back. From then on Wake does nothing.
func (w *waker) close() error {
	w.gate.Lock()
	defer w.gate.Unlock()
	w.shut = true
	err := unix.Close(w.out)
	if w.in == w.out {
		return err
	}
	if e := unix.Close(w.in); err == nil {
		err = e
	}
	return err
}
