package fetch

import (
	"errors"
	"fmt"
	"time"

	"github.com/shoalfetch/shoal/internal/rate"
)

// Manners say how a Fetcher holds itself back, beyond MaxConns and MaxPerHost.
// The zero value does not: a library does what it is told, and a program that
// asks strangers' servers should set Adapt and GiveUp.
//
// What is said here of hosts is meant of a host and port, as in MaxPerHost.
type Manners struct {
	// Rate is how many requests are started in a second, RatePerHost how many of
	// them to one host; fractions are welcome, and 0 is no limit. A request
	// starts when it leaves the queue: each try and each redirect is one. The
	// starts are spread evenly. After a pause no more than a quarter of a second
	// is caught up with.
	Rate, RatePerHost float64

	// Wait is the pause between the starts of two requests to one host. Each is
	// between half of this and one and a half, by chance: none when zero.
	Wait time.Duration

	// BytesPerSecond is how much is received in a second over all connections,
	// BytesPerSecondEach how much over each: no limit when zero. Heads count too,
	// and with TLS what it adds. What may not be received yet is not asked for, and
	// the server has to wait.
	BytesPerSecond, BytesPerSecondEach int64

	// Adapt halves the connections to a host that answers with status 429 or 503,
	// or lets a deadline pass, and gives them back one by one as it answers well.
	// A host that refuses with one connection left gets pauses, and one that says
	// when to come back (Retry-After) gets that one, up to a minute.
	Adapt bool

	// GiveUp lets a host rest for a minute when five lookups or connects in a row
	// have failed. After three rests without a connection its requests fail with
	// a [*HostDownError], without being tried.
	GiveUp bool
}

// HostDownError is how requests fail that were not tried, because their host
// had been tried often enough; see [Manners].
type HostDownError struct {
	Tries int   // lookups and connects that failed, without one between them that did not
	Err   error // what the last of them met
}

func (e *HostDownError) Error() string {
	return fmt.Sprintf("not tried: the host is down, %d attempts in a row have failed, the last with: %v", e.Tries, e.Err)
}

// Unwrap gives the cause.
func (e *HostDownError) Unwrap() error { return e.Err }

// check refuses what makes no sense.
func (m *Manners) check() error {
	if !(min(m.Rate, m.RatePerHost) >= 0) || m.Wait < 0 || min(m.BytesPerSecond, m.BytesPerSecondEach) < 0 {
		return errors.New("fetch: Manners: rates and Wait must not be negative")
	}
	return nil
}

// ofHosts says whether anything must be remembered of hosts.
func (m *Manners) ofHosts() bool { return m.RatePerHost > 0 || m.Wait > 0 || m.Adapt || m.GiveUp }

// startSlack is how much of what it has missed a limit of starts makes up for.
const startSlack = 250 * time.Millisecond

// limitOf is a limit of a rate, and none for 0.
func limitOf(perSecond float64, slack time.Duration) rate.Limit {
	if perSecond == 0 {
		return rate.Limit{}
	}
	return rate.NewLimit(perSecond, slack)
}

// slackOf is startSlack for a limit that comes to more than one start in that
// time. Of a lower one each start is seen for itself, and only what a turn of the
// loop is late is made up for.
func slackOf(perSecond float64) time.Duration {
	if perSecond*startSlack.Seconds() > 1 {
		return startSlack
	}
	return 10 * time.Millisecond
}

// adopt takes manners on.
func (l *loop) adopt(m *Manners) {
	l.starts = limitOf(m.Rate, slackOf(m.Rate))
	l.throttle = newThrottle(m)
	if m.ofHosts() {
		l.standings.of = map[route]*standing{}
	}
}

// countStart takes one start off the limits.
func (l *loop) countStart(o *origin) {
	l.starts.Take(l.now, 1)
	if s := o.standing; s != nil {
		s.starts.Take(l.now, 1)
		s.waitUntil = l.now + l.pauseBetween()
	}
}

// pauseBetween is the pause before the next start at the same host.
func (l *loop) pauseBetween() time.Duration {
	if l.options.Manners.Wait == 0 {
		return 0
	}
	return rate.Jitter(l.options.Manners.Wait, l.kernel.Random())
}

// opensAt is when the next job of an origin may start, as far as manners go.
func (l *loop) opensAt(o *origin) time.Duration {
	s := o.standing
	if s == nil {
		return l.now
	}
	return max(s.starts.Next(l.now), s.waitUntil, s.governor.Next(l.now), s.health.Next(l.now))
}

// isFull says whether an origin has as many jobs under way as it may have since
// it had trouble.
func (l *loop) isFull(o *origin) bool {
	return o.standing != nil && l.options.Manners.Adapt &&
		o.standing.governor.Limit() < l.mostPerHost() && o.running >= o.standing.governor.Limit()
}

// mostPerHost is how many conns one origin can have.
func (l *loop) mostPerHost() int { return min(l.options.MaxPerHost, l.options.MaxConns) }

// mayOpen says whether manners let a job of an origin start now, as far as the
// origin is concerned.
func (l *loop) mayOpen(o *origin) bool {
	return o.standing == nil || !l.isFull(o) && l.opensAt(o) <= l.now
}

// mayStart says whether manners let a job of an origin start now.
func (l *loop) mayStart(o *origin) bool {
	return l.mayOpen(o) && l.starts.Next(l.now) <= l.now
}

// isDown says whether an origin is not worth another try.
func (o *origin) isDown() bool { return o.standing != nil && o.standing.health.Down() }

// giveUp fails the jobs that wait at an origin that is down.
func (l *loop) giveUp(o *origin) {
	for o.waiting.first != nil {
		l.fail(o.waiting.first, PhaseQueue, &HostDownError{o.standing.failures, o.standing.why})
	}
}
