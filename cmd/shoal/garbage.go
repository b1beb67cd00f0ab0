package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How often garbage is collected. When there is a quarter more than what lives,
// as a rule: that is the connections, they make little garbage, and it costs
// nothing that shows. New connections with TLS make much, and then a collection
// would come every few milliseconds; so where they come fast, there may be more
// garbage at a time.
const (
	leastPercent = 25
	mostRoom     = 4 << 20 // bytes of garbage at a time, if that is more than a quarter
	tooFast      = 20 * time.Millisecond
	slow         = 10 * tooFast
)

// collector is told of every collection, the first of which comes at 4 MB (GOGC
// in the documentation of package runtime): a run of few fetches ends before
// it, and a collection would be a fifth of its time.
type collector struct {
	last    time.Time
	room    uint64 // bytes of garbage that are wanted
	percent int
	live    []metrics.Sample
}

// collectOften starts the collector.
func collectOften() {
	c := &collector{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	c.await()
}

// await has collected called after the next collection, by the runtime's own
// goroutine for such calls.
func (c *collector) await() {
	runtime.AddCleanup(new([64]byte), (*collector).collected, c)
}

func (c *collector) collected() {
	defer c.await()
	now := time.Now()
	c.adapt(now.Sub(c.last))
	c.last = now
	metrics.Read(c.live)
	// To set it stops the world, so it is set when it has changed by a quarter.
	if p := percentFor(c.live[0].Value.Uint64(), c.room); p > c.percent*5/4 || p < c.percent*4/5 {
		c.percent = p
		debug.SetGCPercent(p)
	}
}

// adapt chooses the room by the time since the last collection.
func (c *collector) adapt(since time.Duration) {
	switch {
	case since < tooFast:
		c.room = min(max(1<<20, 2*c.room), mostRoom)
	case since > slow:
		c.room /= 2
	}
}

// percentFor is what GOGC has to be for so much room. The second term is due to
// the runtime's own least heap, which grows with it: 4 MB at 100.
func percentFor(live, room uint64) int {
	if live == 0 {
		return leastPercent
	}
	return max(leastPercent, int(min(100*room/live, 100*(live+room)/(4<<20))))
}
