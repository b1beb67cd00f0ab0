package fetch

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHeap pops in the order of time, whatever was pushed.
func TestHeap(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var h timers
		var model []time.Duration
		for range 200 {
			if r.IntN(3) > 0 || len(model) == 0 {
				at := time.Duration(r.IntN(100))
				h.push(timer{at, token(at)})
				model = append(model, at)
				slices.Sort(model)
			} else {
				got := h.pop()
				require.Equal(t, timer{model[0], token(model[0])}, got)
				model = model[1:]
			}
			at, any := h.next()
			require.Equal(t, len(model) > 0, any)
			if any {
				require.Equal(t, model[0], at)
			}
		}
	}
}

// clocks are owners of deadlines, and the timers they share.
type clocks struct {
	timers
	owners [20]deadline
}

// expire gives the owners that are due, as the loop does, in the order in which
// their entries pop.
func (c *clocks) expire(now time.Duration) (due []int) {
	for {
		at, any := c.next()
		if !any || at > now {
			return due
		}
		t := c.pop()
		if c.expired(&c.owners[t.owner], t, now) {
			c.owners[t.owner].clear()
			due = append(due, int(t.owner))
		}
	}
}

// stands says whether an entry means anything to its owner.
func (c *clocks) stands(t timer) bool { return c.owners[t.owner].armed == t.at }

// TestLazyTimers sets, puts off, brings forward and clears deadlines at random,
// and sweeps now and then. Each is due when it was last said to be: not before,
// not at all when it was cleared, never twice.
func TestLazyTimers(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		var c clocks
		var model [len(c.owners)]time.Duration // 0: none
		now := time.Duration(1)
		for range 400 {
			n := r.IntN(len(model))
			switch r.IntN(6) {
			case 0, 1, 2:
				model[n] = now + 1 + time.Duration(r.IntN(50))
				c.set(&c.owners[n], token(n), stallPatience, model[n])
			case 3:
				model[n] = 0
				c.owners[n].clear()
			case 4:
				c.keep(c.stands)
				require.LessOrEqual(t, len(c.heap), len(model), "one entry an owner at most")
			case 5:
				now += time.Duration(r.IntN(30))
				var want []int
				for n, at := range model {
					if at != 0 && at <= now {
						want = append(want, n)
						model[n] = 0
					}
				}
				got := c.expire(now)
				slices.Sort(got)
				require.Equal(t, want, got, "seed %d at %d", seed, now)
			}
			requireArmed(t, &c)
		}
	}
}

// requireArmed checks that no deadline can be missed: each has an entry, no
// later than it is due.
func requireArmed(t *testing.T, c *clocks) {
	for n := range c.owners {
		d := &c.owners[n]
		if d.due == 0 {
			continue
		}
		require.NotZero(t, d.armed)
		require.LessOrEqual(t, d.armed, d.due)
		require.Contains(t, c.heap, timer{d.armed, token(n)})
	}
}

// TestPuttingOffIsFree: a deadline that only moves away costs no entry and no
// allocation.
func TestPuttingOffIsFree(t *testing.T) {
	var c clocks
	c.set(&c.owners[0], 0, stallPatience, 10)
	at := time.Duration(10)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		at++
		c.set(&c.owners[0], 0, stallPatience, at)
	}))
	require.Len(t, c.heap, 1)
	require.Empty(t, c.expire(at-1), "put back, not expired")
	require.Equal(t, []int{0}, c.expire(at))
	require.Empty(t, c.heap)
}
