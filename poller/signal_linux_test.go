package poller

import (
	"os"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"
)

// interrupter gives a function that sends a signal to the thread it was called
// on, which is sure to interrupt a wait there.
func interrupter(t *testing.T) (interrupt func(), certain bool) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, unix.SIGUSR1)
	t.Cleanup(func() { signal.Stop(heard); signal.Ignore(unix.SIGUSR1) })
	thread := unix.Gettid()
	return func() { unix.Tgkill(os.Getpid(), thread, unix.SIGUSR1) }, true
}
