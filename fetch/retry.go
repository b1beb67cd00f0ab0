package fetch

import (
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/socks5"
	"github.com/shoalfetch/shoal/internal/tlsconn"
)

// Retry says which fetches are tried again when they have failed, and when. The
// zero value tries nothing again.
//
// What is tried again begins where the last try ended, if the server lets it;
// see resume.go.
type Retry struct {
	// Max is how often a fetch is tried again, from 0 up.
	Max int

	// Delay bounds the pause before the second try: 1 s when zero. It doubles
	// with each try up to MaxDelay, 1 minute when zero. How long the pause is
	// within its bound is chance, so that clients that failed together do not
	// come back together.
	Delay, MaxDelay time.Duration

	// MaxTime is how long after its start a fetch may still be tried again: 5
	// minutes when zero, no limit when negative. What it has waited for its host or
	// a free slot does not count. A server that asks for a longer pause
	// (Retry-After) has its fetch failed at once.
	MaxTime time.Duration

	// When says which failures are tried again; h is the head of the response,
	// zero when none came. Nil: Transient. It is not asked about fetches that
	// were stopped, nor about requests that may have been acted upon and must
	// not be twice (RFC 9110 section 9.2.2).
	When func(e *Error, h *Head) bool
}

// withDefaults fills in what is zero.
func (r Retry) withDefaults() (Retry, error) {
	if min(int64(r.Max), int64(r.Delay), int64(r.MaxDelay)) < 0 {
		return r, errors.New("fetch: Retry: Max, Delay and MaxDelay must not be negative")
	}
	if r.Delay == 0 {
		r.Delay = time.Second
	}
	if r.MaxDelay == 0 {
		r.MaxDelay = time.Minute
	}
	if r.MaxTime == 0 {
		r.MaxTime = 5 * time.Minute
	}
	if r.When == nil {
		r.When = Transient
	}
	return r, nil
}

// transientStatuses are those that say "not now": request timeout, too early, too
// many requests, and servers and gateways that are unwell (RFC 9110 section 15,
// RFC 8470, RFC 6585; 522 and 524 are a proxy's words for a server that does not
// connect, or answer, in time).
var transientStatuses = []int{408, 425, 429, 500, 502, 503, 504, 522, 524}

// Transient is the default of Retry.When: it tells the failures that may be over
// at the next try. These are statuses 408, 425, 429, 500, 502, 503, 504, 522 and
// 524; lookups, but not of names that do not exist or are private; connections
// that were not made, by us or by a proxy, were broken off or fell silent; and
// responses that ended too early. What is wrong with a certificate, a response
// or a file stays wrong.
func Transient(e *Error, h *Head) bool {
	var status *StatusError
	var dns *net.DNSError
	var timeout *TimeoutError
	var shortage *ShortageError
	var proxy *ProxyError
	phase := e.Phase
	if errors.As(e.Err, &proxy) {
		phase = proxy.Phase
	}
	switch {
	case errors.As(e.Err, &status):
		return slices.Contains(transientStatuses, status.Code)
	case errors.As(e.Err, &shortage):
		return false // the loop has waited already
	case errors.As(e.Err, &timeout):
		return timeout.Deadline != "total"
	case errors.As(e.Err, new(*PrivateAddressError)):
		return false
	case phase == PhaseLookup:
		return !errors.As(e.Err, &dns) || !dns.IsNotFound
	case phase < PhaseDial || phase == PhaseStatus || phase == PhaseSave:
		return false
	}
	return isBroken(e.Err)
}

// isBroken tells the failures of connections: what was said over them is not at
// fault.
func isBroken(err error) bool {
	var errno syscall.Errno
	var reply *socks5.ReplyError
	return errors.As(err, &errno) || errors.As(err, &reply) && mayPass(reply) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, http1.ErrNoResponse) || errors.Is(err, tlsconn.ErrTruncated)
}

// retryMost is how many jobs may be waiting for another try, for each conn
// there may be, before no more are pulled from the source.
const retryMost = 64

// retry sends a job that has failed back to the queue after a pause, if it may
// be tried again.
func (l *loop) retry(j *job, phase Phase, err error) bool {
	r := &l.options.Retry
	if int(j.retries) >= r.Max || l.ending || l.shared.stopping.Load() || j.origin == nil || j.committed ||
		phase >= PhaseSend && !isIdempotent(j.outgoing().Method) || j.origin.isDown() {
		return false
	}
	head, failed := j.tell().Head, j.failure(phase, err)
	if isForbidden(err) || !r.When(failed, &head) {
		return false
	}
	pause, inTime := l.pauseBefore(j, &head)
	if !inTime {
		return false
	}
	if k := j.lookup; k != nil && phase == PhaseLookup {
		k.until = min(k.until, l.now+pause) // or what is remembered would fail the next try too
	}
	l.keep(j, phase)
	l.unlink(j)
	j.trouble = &trouble{failed: failed}
	j.retries++
	j.forgetAddresses()
	j.fresh = false
	l.setJob(j, jobBackingOff)
	l.wait(j, backoffPatience, pause)
	return true
}

// isForbidden tells the redirects that the caller does not want to be followed.
func isForbidden(err error) bool {
	r, is := errors.AsType[*RedirectError](err)
	return is && r.Err != nil
}

// pauseBefore is how long to wait before the next try of a job, and whether
// there is time for it.
func (l *loop) pauseBefore(j *job, h *Head) (time.Duration, bool) {
	r := &l.options.Retry
	bound := r.MaxDelay
	if n := uint(j.retries); n < 32 && r.Delay <= r.MaxDelay>>n {
		bound = r.Delay << n
	}
	pause := time.Duration(l.kernel.Random() % uint64(bound+1))
	pause = max(pause, retryAfter(h.Get("Retry-After"), l.kernel.Wall()), time.Millisecond)
	end := l.now + pause
	late := r.MaxTime > 0 && j.age(l.now)-j.queued()+pause > r.MaxTime || j.totalAt != 0 && end >= j.totalAt
	return pause, !late
}

// retryAfter reads the field of that name: seconds, or a date. What is neither
// says nothing.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, ok := parseDate(value); ok {
		return max(0, at.Sub(now))
	}
	return 0
}

// parseDate reads a date in one of the three forms of RFC 9110 section 5.6.7.
func parseDate(value string) (time.Time, bool) {
	for _, form := range [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if at, err := time.Parse(form, value); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
