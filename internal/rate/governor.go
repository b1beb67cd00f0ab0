package rate

import "time"

// Pauses of a host that has trouble with one connection.
const (
	FirstPause = time.Second
	LastPause  = 32 * time.Second
)

// Governor says how many connections a host may have. Trouble halves them, and
// so many good answers as there are connections bring one of them back. A host
// with one connection left that still refuses gets pauses, each twice as long as
// the one before.
type Governor struct {
	most, limit int32
	good        int32         // answers since the limit last changed
	changed     time.Duration // when trouble last changed anything
	pause       time.Duration // the last one
	restUntil   time.Duration
}

// NewGovernor allows most connections at first, and never more. It is at least
// 1.
func NewGovernor(most int) Governor {
	if most < 1 {
		panic("rate: a host without connections")
	}
	return Governor{most: int32(most), limit: int32(most), changed: -1}
}

// Limit is how many connections the host may have now.
func (g *Governor) Limit() int { return int(g.limit) }

// Next is when the next request may go to the host, now or later.
func (g *Governor) Next(now time.Duration) time.Duration { return max(now, g.restUntil) }

// Good notes an answer that shows no trouble.
func (g *Governor) Good() {
	g.pause = 0
	if g.good++; g.good >= g.limit && g.limit < g.most {
		g.limit++
		g.good = 0
	}
}

// Trouble notes a 429 or a 503 to a request that was started then. Requests that
// were under way when trouble last changed something are part of the same
// trouble; those that were started at that moment were started after it.
func (g *Governor) Trouble(started, now time.Duration) {
	if started < g.changed {
		return
	}
	if g.limit > 1 {
		g.halve(now)
		return
	}
	g.changed, g.good = now, 0
	g.pause = min(max(FirstPause, 2*g.pause), LastPause)
	g.Rest(now + g.pause)
}

// Late notes that a request that was started then has timed out. That has been
// a pause in itself: one connection gets no other.
func (g *Governor) Late(started, now time.Duration) {
	if started >= g.changed && g.limit > 1 {
		g.halve(now)
	}
}

func (g *Governor) halve(now time.Duration) {
	g.changed, g.good = now, 0
	g.limit /= 2
}

// Rest sends nothing to the host until then, as it has asked (Retry-After).
func (g *Governor) Rest(until time.Duration) { g.restUntil = max(g.restUntil, until) }
