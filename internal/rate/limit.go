// Package rate is how a fetcher holds itself back: so many requests or bytes a
// second, fewer connections to a host that has trouble, none to one that is
// down.
//
// Nothing here waits. Time is an argument, monotonic since some moment, and
// what is asked for is when to ask again. Each type is a value, made for
// thousands of hosts, and belongs to one goroutine.
package rate

import (
	"math"
	"time"
)

// Limit lets so many things through in a second. The zero value lets all
// through.
//
// It is a leaky bucket that knows but one time: when all that was taken would
// have gone through at an even pace (the generic cell rate algorithm of ITU-T
// I.371).
type Limit struct {
	perSecond float64
	slack     time.Duration
	even      time.Duration
}

// NewLimit lets perSecond things through in a second, which is more than 0. Who
// comes late, because the loop woke late or had nothing to do, may catch up with
// what was missed within slack. Over any time t, no more than perSecond times t
// plus slack go through, and what the last take took too many.
func NewLimit(perSecond float64, slack time.Duration) Limit {
	if !(perSecond > 0) || slack < 0 {
		panic("rate: a limit that lets nothing through")
	}
	return Limit{perSecond: perSecond, slack: slack, even: math.MinInt64 / 2}
}

// Next is when the next thing may go through, now or later.
func (l *Limit) Next(now time.Duration) time.Duration {
	return max(now, l.even-l.slack)
}

// Room is how many things may go through just now: how much a read may ask for.
func (l *Limit) Room(now time.Duration) int {
	if l.perSecond == 0 {
		return math.MaxInt
	}
	room := (now - max(l.even-l.slack, now-l.slack)).Seconds() * l.perSecond
	return int(max(0, min(room, math.MaxInt32)))
}

// Take lets n things through, even if there is no room for them: then the next
// ones wait the longer.
func (l *Limit) Take(now time.Duration, n int) {
	if l.perSecond == 0 {
		return
	}
	took := math.Ceil(float64(n) / l.perSecond * float64(time.Second))
	begin := min(max(l.even, now), math.MaxInt64/2)
	l.even = begin + time.Duration(min(took, math.MaxInt64/4))
}
