//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import "time"

// system is empty here: besides the poller, Real holds nothing.
type system struct{}

func (system) close() {}

// opened is told of a folder that has been opened.
func (system) opened(dir int) {}

// ExpectWaits implements [Files]: there is one way of making a file call here.
func (system) ExpectWaits(yes bool) {}

// Delayed implements [Files]: nothing here tells.
func (system) Delayed() time.Duration { return 0 }
