//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package poller

import (
	"os"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"
)

// interrupter gives a function that sends a signal to this process; which of
// its threads gets it is the system's choice.
func interrupter(t *testing.T) (interrupt func(), certain bool) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, unix.SIGUSR1)
	t.Cleanup(func() { signal.Stop(heard); signal.Ignore(unix.SIGUSR1) })
	return func() { unix.Kill(os.Getpid(), unix.SIGUSR1) }, false
}
