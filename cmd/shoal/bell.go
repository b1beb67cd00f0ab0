package main

import "time"

// bell lets one goroutine wait for another's sign.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

// ring never blocks; to ring twice before anybody listens is to ring once.
func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// silence is how long nothing must have come from a pipe, once a run has ended,
// for nobody to be there.
const silence = time.Second

// wait waits for a ring, and says whether there was one.
func (b bell) wait() bool {
	select {
	case <-b:
		return true
	case <-time.After(silence):
		return false
	}
}
