package fetch

import (
	"errors"
	"fmt"
	"net/netip"
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
		to := netip.AddrPortFrom(addrs[j.tried], j.origin.route.port)
		j.tried++
		err := l.dial(j, to)
		if err == nil {
			l.shortage.since = 0
			return
		}
		j.note(to, err)
	}
	l.undialled(j)
}

// dialFailed is called when an attempt has failed.
func (l *loop) dialFailed(c *conn, err error) {
	j, to := c.job, c.remote
	if j == nil {
		l.retire(c)
		return
	}
	j.dialing, c.job = nil, nil
	l.retire(c)
	j.note(to, err)
	l.dialNext(j)
}

// note keeps what an attempt has met, for when all have failed.
func (j *job) note(to netip.AddrPort, err error) {
	if j.trouble == nil {
		j.trouble = new(trouble)
	}
	j.trouble.dialErr = errors.Join(j.trouble.dialErr, &dialError{to, err})
	j.tell().Remote = to
}

// undialled is called when no address is left to try. If it was for want of a
// descriptor or a port, the job waits for one.
func (l *loop) undialled(j *job) {
	err := j.trouble.dialErr
	if isShortage(err) && !l.shortage.lasted(l.now) {
		l.shortage.begin(l.now)
		l.requeue(j)
		return
	}
	j.attempt++
	if isShortage(err) {
		err = &ShortageError{shortageLimit, err}
	}
	l.unlink(j)
	l.finish(j, PhaseDial, err)
}

// dialError says which address an attempt went to.
type dialError struct {
	to  netip.AddrPort
	err error
}

func (e *dialError) Error() string { return fmt.Sprintf("%v: %v", e.to, e.err) }
func (e *dialError) Unwrap() error { return e.err }

// shortage is the loop's memory of having run out of descriptors or ports:
// while it lasts nothing is dialled but once every shortageDelay.
type shortage struct {
	since time.Duration // first failure since the last success; 0: none
	until time.Duration // do not try before
}

func (s *shortage) begin(now time.Duration) {
	if s.since == 0 {
		s.since = now
	}
	s.until = now + shortageDelay
}

func (s *shortage) lasted(now time.Duration) bool {
	return s.since != 0 && now-s.since >= shortageLimit
}

// holds says whether dialling must wait.
func (s *shortage) holds(now time.Duration) bool { return s.since != 0 && now < s.until }
