package main

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/view"
)

// holeOf is what stands in the place of a picture that did not come.
func holeOf(err error) string {
	var e *fetch.Error
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case !errors.As(err, &e):
		return "failed"
	case e.Timeout():
		return "timed out"
	case e.Phase == fetch.PhaseAwait:
		return "no answer"
	case e.Phase == fetch.PhaseReceive:
		return "cut off"
	}
	return e.Phase.String()
}

// came is how many pictures did.
func (d *demo) came() (n int) {
	for _, p := range d.plates {
		if p.Hole == "" {
			n++
		}
	}
	return n
}

// oneByOne is how long the fetches would have taken one after another: the sum
// of their own times, less what they waited for a free connection.
func (d *demo) oneByOne() (sum time.Duration) {
	for _, p := range d.plates {
		sum += p.Took
	}
	return sum
}

// callsEach is how many system calls the fetcher made for a fetch. The lab has
// threads of its own, whose calls are not among them.
func (d *demo) callsEach() float64 {
	var sum uint64
	for call := range kernel.AnyCall {
		sum += d.calls.Calls[call]
	}
	return float64(sum) / float64(len(d.plates))
}

// atOnce is how many fetches were under way at the busiest moment.
func (d *demo) atOnce() int {
	type step struct {
		at time.Duration
		by int
	}
	var steps []step
	for _, p := range d.plates {
		steps = append(steps, step{p.Began, 1}, step{p.Began + p.Took, -1})
	}
	slices.SortFunc(steps, func(a, b step) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.by - b.by
	})
	most, now := 0, 0
	for _, s := range steps {
		now += s.by
		most = max(most, now)
	}
	return most
}

// tell prints what the run has come to.
func (d *demo) tell() {
	holes := len(d.plates) - d.came()
	over := ""
	if d.tls {
		over = " over TLS"
	}
	fmt.Fprintf(d.stdout, "%d pictures%s, one thread, %s; one after another %s; %.1f system calls each\n",
		d.came(), over, seconds(d.took), seconds(d.oneByOne()), d.callsEach())
	if holes > 0 {
		fmt.Fprintf(d.stdout, "%d more died on the way, as they should: they are the holes in the picture\n", holes)
	}
	fmt.Fprintf(d.stdout, `(the calls are the fetcher's; the lab is in this program too, on threads of its own)

Look at      %s
Then try     shoal demo -j 1              the same through one connection: a minute
             shoal lab                    the server alone, and in another terminal
             shoal -v http://127.0.0.1:8080/drip/tile/187.jpg
`, d.page())
}

// seconds is a time for people.
func seconds(t time.Duration) string {
	if t < 10*time.Second {
		return fmt.Sprintf("%.1f s", t.Seconds())
	}
	return fmt.Sprintf("%.0f s", t.Seconds())
}

// verdict: that some of the dying die is what they are there for. Anything
// else that did not come is a fault.
func (d *demo) verdict() error {
	for _, p := range d.plates {
		if p.Hole != "" && p.Way != wayDie {
			fmt.Fprintf(d.stderr, "shoal: %s\n", view.Plain(p.Why))
			return errFailed
		}
	}
	return nil
}
