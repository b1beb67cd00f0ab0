package fetch

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// A job dials on its own behalf: the addresses of its host in turn, until one
// connects. That one fails is no failure of the job. Meanwhile an idle conn of
// the same origin may come free: then the job takes that, and its attempt goes
// on for whoever comes next.

// startDial begins a round of attempts.
func (l *loop) startDial(j *job) {
	j.tried = 0
	j.origin.dialing.pushBack(j)
	l.dialNext(j)
}

// dialNext starts the next attempt that can be started.
func (l *loop) dialNext(j *job) {
	for addrs := j.lookup.answer.addrs; int(j.tried) < len(addrs); {
		address := &addrs[j.tried]
		j.tried++
		err := l.dial(j, address)
		if err == nil {
			l.shortage = shortage{}
			return
		}
		_, port := j.origin.route.hop()
		l.note(j, peer(*address, port), err)
	}
	l.undialled(j)
}

// dialFailed is called when an attempt has failed.
func (l *loop) dialFailed(c *conn, err error) {
	j, to := c.job, c.remote()
	if j == nil {
		l.retire(c)
		return
	}
	j.dialing, c.job = nil, nil
	l.retire(c)
	l.note(j, to, err)
	l.dialNext(j)
}

// note keeps what an attempt has met, for when all have failed.
func (l *loop) note(j *job, to netip.AddrPort, err error) {
	if j.trouble == nil {
		j.trouble = new(trouble)
	}
	j.trouble.dialErrs = append(j.trouble.dialErrs, &dialError{to, l.options.UnixSocket, err})
}

// undialled is called when no address is left to try. If it was for want of a
// descriptor or a port, the job waits for one.
func (l *loop) undialled(j *job) {
	if isShortage(j.trouble.dialErrs) {
		l.short(j, PhaseDial, j.trouble.dialErrs)
		return
	}
	j.attempt++
	l.finish(j, PhaseDial, j.trouble.dialErrs)
}

// short sends a job that found no free descriptor or port back to the queue, or
// fails it when it has waited for long enough. Others may have been waiting for
// longer: a job that has just come waits its own time.
func (l *loop) short(j *job, phase Phase, err error) {
	l.shortage.begin(l.now)
	if min(j.age(l.now), l.now-l.shortage.since) < shortageLimit {
		l.retireIdle()
		l.requeue(j)
		return
	}
	j.attempt++
	l.finish(j, phase, &ShortageError{shortageLimit, err})
}

// dialError says which address, or path, an attempt went to.
type dialError struct {
	to   netip.AddrPort
	path string
	err  error
}

func (e *dialError) Error() string {
	if !e.to.IsValid() {
		return e.path + ": " + e.err.Error()
	}
	return fmt.Sprintf("%v: %v", e.to, e.err)
}

func (e *dialError) Unwrap() error { return e.err }

// dialErrors are what the attempts of one round met, one for each address.
type dialErrors []error

func (e dialErrors) Error() string {
	var b strings.Builder
	for i, err := range e {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}

func (e dialErrors) Unwrap() []error { return e }

// shortage is the loop's memory of having run out of descriptors or ports:
// while it lasts nothing is dialled but once every shortageDelay.
type shortage struct {
	since time.Duration // when it began
	until time.Duration // when to try again
}

// shortageGap is the pause after which another failure begins a new shortage:
// while anybody waits, attempts follow each other every shortageDelay.
const shortageGap = time.Second

// begin notes an attempt that failed for it.
func (s *shortage) begin(now time.Duration) {
	if s.until == 0 || now-s.until > shortageGap {
		s.since = now
	}
	s.until = now + shortageDelay
}

// holds says whether dialling must wait.
func (s *shortage) holds(now time.Duration) bool { return now < s.until }
