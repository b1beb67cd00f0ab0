package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/poller"
)

// timedKernel is a kernel that notes how long each turn of the loop takes: from
// the return of one wait to the beginning of the next.
type timedKernel struct {
	kernel.Kernel
	returned time.Duration // when the last wait did; 0: there was none
	took     []time.Duration
}

// Wait implements kernel.Poll.
func (k *timedKernel) Wait(events []poller.Event, timeout time.Duration) (n int, err error) {
	if k.returned > 0 {
		k.took = append(k.took, k.Now()-k.returned)
	}
	n, err = k.Kernel.Wait(events, timeout)
	k.returned = k.Now()
	return n, err
}

// take gives the turns up to now, and forgets them.
func (k *timedKernel) take() turns {
	t := turnsOf(k.took)
	k.took = k.took[:0]
	return t
}

// turns is how long turns took.
type turns struct {
	Count                int
	Median, P99, Longest time.Duration
}

func turnsOf(took []time.Duration) turns {
	if len(took) == 0 {
		return turns{}
	}
	slices.Sort(took)
	return turns{len(took), quantile(took, 50), quantile(took, 99), took[len(took)-1]}
}

// quantile is the time that so many percent of sorted times do not pass.
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)-1)*percent/100]
}

// turnTable writes the turns of each probe: while the drips connect, and after.
func turnTable(all []probed) string {
	var out strings.Builder
	out.WriteString("| a turn of the loop | turns | median, µs | p99, µs | longest, µs |\n|---|---|---|---|---|\n")
	row := func(what string, t turns) {
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d |\n", what, t.Count,
			t.Median.Microseconds(), t.P99.Microseconds(), t.Longest.Microseconds())
	}
	for _, p := range all {
		if p.Drips.Conns > 0 {
			row(fmt.Sprintf("%v, all connect", p.Drips), p.Before)
		}
		row(p.Drips.String(), p.During)
	}
	return out.String()
}
