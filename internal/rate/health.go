package rate

import "time"

// The rule by which a host is down.
const (
	DownFailures = 5                // in a row make it rest
	DownRest     = 60 * time.Second // is how long it rests
	DownRests    = 3                // rests it gets; the next is for ever
)

// Health says whether there is sense in trying a host. Five lookups or connects
// that fail in a row make it rest, and the fourth time it is down: what is left
// for it need not be tried. A connection that is made starts all over. The zero
// value is a host that nothing is known of.
type Health struct {
	failures  int8 // in a row
	rests     int8
	restUntil time.Duration
}

// Failure notes a lookup or a connect that was started then and has failed.
// Those that were under way when the host began to rest have failed for the
// same reason, and do not count.
func (h *Health) Failure(started, now time.Duration) {
	if h.Down() || h.rests > 0 && started < h.restUntil {
		return
	}
	if h.failures++; h.failures < DownFailures {
		return
	}
	h.failures = 0
	h.rests++
	h.restUntil = now + DownRest
}

// Success notes a connection that was made.
func (h *Health) Success() { *h = Health{} }

// Down says that the host is not worth another try.
func (h *Health) Down() bool { return h.rests > DownRests }

// Next is when the host may be tried, now or later, unless it is down.
func (h *Health) Next(now time.Duration) time.Duration { return max(now, h.restUntil) }
