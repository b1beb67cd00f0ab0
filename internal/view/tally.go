package view

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shoalfetch/shoal/fetch"
)

// phases is how many phases a fetch can fail in.
const phases = fetch.PhaseSave + 1

// Tally is what a run has come to. The loop adds; any goroutine may read. The
// zero value is ready for use, and must not be copied.
type Tally struct {
	fetched, skipped, failed atomic.Int64
	notModified, disallowed  atomic.Int64
	bytes                    atomic.Int64
	failedIn                 [phases]atomic.Int64
}

// Add counts one result, which came with an error or without.
func (t *Tally) Add(res *fetch.Result, err error) {
	t.bytes.Add(res.Bytes - res.Resumed)
	switch res.Outcome {
	case fetch.Fetched:
		t.fetched.Add(1)
	case fetch.Skipped:
		t.skipped.Add(1)
	case fetch.NotModified:
		t.notModified.Add(1)
	case fetch.Failed:
		t.failed.Add(1)
		var e *fetch.Error
		if errors.As(err, &e) {
			t.failedIn[e.Phase].Add(1)
		}
		if KindOf(err) == kindRobots {
			t.disallowed.Add(1)
		}
	}
}

// Fetched is how many were fetched.
func (t *Tally) Fetched() int { return int(t.fetched.Load()) }

// Skipped is how many the sink had no need of.
func (t *Tally) Skipped() int { return int(t.skipped.Load()) }

// NotModified is how many the server said were still the same.
func (t *Tally) NotModified() int { return int(t.notModified.Load()) }

// Disallowed is how many of those that failed did so because their sites do not
// want them fetched.
func (t *Tally) Disallowed() int { return int(t.disallowed.Load()) }

// Failed is how many failed.
func (t *Tally) Failed() int { return int(t.failed.Load()) }

// FailedIn is how many failed in one phase.
func (t *Tally) FailedIn(p fetch.Phase) int { return int(t.failedIn[p].Load()) }

// Bytes is how many bytes of bodies have come for the results.
func (t *Tally) Bytes() int64 { return t.bytes.Load() }

// Total is how many results there were.
func (t *Tally) Total() int { return t.Fetched() + t.Skipped() + t.NotModified() + t.Failed() }

// Summary is a run in one line.
func (t *Tally) Summary(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d fetched", t.Fetched())
	if n := t.Skipped(); n > 0 {
		fmt.Fprintf(&b, ", %d skipped", n)
	}
	if n := t.NotModified(); n > 0 {
		fmt.Fprintf(&b, ", %d not modified", n)
	}
	if n := t.Failed(); n > 0 {
		fmt.Fprintf(&b, ", %d failed", n)
	}
	if n := t.Disallowed(); n > 0 {
		fmt.Fprintf(&b, " (%d not allowed by their sites)", n)
	}
	fmt.Fprintf(&b, "; %s in %s", Size(t.Bytes()), took.Round(time.Millisecond))
	return b.String()
}

// failures are the failures so far with their phases, as "3 failed (dial 2,
// status 1)"; empty while there are none.
func (t *Tally) failures() string {
	n := t.Failed()
	if n == 0 {
		return ""
	}
	var in []string
	for p := range phases {
		if k := t.FailedIn(p); k > 0 {
			in = append(in, fmt.Sprintf("%v %d", p, k))
		}
	}
	text := fmt.Sprintf("%d failed", n)
	if len(in) > 0 {
		text += " (" + strings.Join(in, ", ") + ")"
	}
	return text
}
