//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"math/rand/v2"
	"time"

	"github.com/shoalfetch/shoal/poller"
)

// Real is the operating system itself. Its Add, Modify, Remove, Wait and Wake
// are the poller's.
type Real struct {
	*poller.Poller
	start time.Time
	system
}

var _ Kernel = (*Real)(nil)

// New makes a Real with a poller of its own.
func New() (*Real, error) {
	p, err := poller.New()
	if err != nil {
		return nil, err
	}
	return &Real{Poller: p, start: time.Now()}, nil
}

// Now implements [Clock]: the time since New, from the clock that time.Time
// carries for such differences and that no one can set.
func (r *Real) Now() time.Duration { return time.Since(r.start) }

// Wall implements [Clock].
func (r *Real) Wall() time.Time { return time.Now() }

// Random implements [Clock].
func (r *Real) Random() uint64 { return rand.Uint64() }

// Close implements [Kernel].
func (r *Real) Close() error {
	r.system.close()
	return r.Poller.Close()
}

// mustHaveRoom panics when fewer than one byte is asked for: the answer 0
// would read as the end of the stream.
func mustHaveRoom(n int) {
	if n < 1 {
		panic("kernel: receiving needs room for at least one byte")
	}
}
