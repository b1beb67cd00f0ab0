package kernel

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// badDisk is the part of a Faulty that stands before files and names. Unlike the
// rest it may be asked by several goroutines at once.
type badDisk struct {
	calls atomic.Uint64 // that could have been slow
	slow  atomic.Uint64 // of these, those that were
	cut   atomic.Uint64 // writes offered more than they could take
}

// delay is the time that a call takes longer. It is spent here, inside the call,
// as it is with a slow disk.
func (d *badDisk) delay(faults *Faults) {
	if faults.FileSlow == 0 {
		return
	}
	n := d.calls.Add(1)
	if faults.FileSlowIn > 0 {
		// The call's number decides: the generator of the other faults is for
		// one goroutine.
		draw := rand.NewPCG(faults.Seed, n)
		if int(draw.Uint64()%100) >= faults.FileSlowIn {
			return
		}
	}
	d.slow.Add(1)
	time.Sleep(faults.FileSlow)
}

// atMost is how many of n bytes a write may take.
func (d *badDisk) atMost(n, limit int) int {
	if limit == 0 || n <= limit {
		return n
	}
	d.cut.Add(1)
	return limit
}
