//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

// system is empty here: besides the poller, Real holds nothing.
type system struct{}

func (system) close() {}
