package fetch

import (
	"fmt"
	"strings"
)

// StuckError says that the loop would wait for ever: jobs are left, and there
// is neither a deadline nor a pause that could move one. It is always a mistake
// in the engine, and better told than suffered.
type StuckError struct {
	State string // of the loop, one line for each of the first jobs
}

func (e *StuckError) Error() string {
	return "fetch: the loop is stuck, which is a mistake in it; please report this:\n" + e.State
}

// stuckShown is how many jobs a StuckError lists.
const stuckShown = 20

// stuck is called before a wait without end. Every running job has a deadline,
// unless a sink has paused it or its request is still being written, and every job in line waits for one that runs.
func (l *loop) stuck() error {
	if l.jobs.len() == 0 {
		return nil
	}
	paused, shown := false, 0
	var b strings.Builder
	fmt.Fprintf(&b, "%d jobs, %d in line, %d conns, %d slots taken, %d with room, %d idle",
		l.jobs.len(), l.queued, l.conns.len(), l.slots, l.seated, l.idle.count)
	l.jobs.each(func(j *job) {
		x := j.exchange
		paused = paused || x != nil && (x.paused || x.conn.uploads())
		if shown++; shown > stuckShown {
			return
		}
		fmt.Fprintf(&b, "\njob %d %s: state %d", j.number, j.url, j.state)
		if x != nil {
			fmt.Fprintf(&b, ", exchange %d on conn %d, %d bytes received", x.state, x.conn.number, j.received)
		}
	})
	if paused {
		return nil
	}
	return &StuckError{b.String()}
}
