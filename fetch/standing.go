package fetch

import (
	"errors"
	"time"

	"github.com/shoalfetch/shoal/internal/rate"
)

// standing is what manners know of an origin. It outlives the origin, which is
// forgotten whenever nothing is left to do with it: the next line of a list may
// lead there again.
type standing struct {
	route     route
	starts    rate.Limit
	waitUntil time.Duration // before the next start
	governor  rate.Governor
	health    rate.Health
	failures  int   // to connect, in a row
	why       error // of the last of them

	links[standing] // in standings.idle
}

func (s *standing) place() *links[standing] { return &s.links }

// standings are those of all origins.
type standings struct {
	of   map[route]*standing       // nil: nothing is remembered
	idle list[standing, *standing] // of no origin that there is now, longest first

	rests int64 // begun so far, for hosts that could not be reached
}

// standingsKept is how many forgotten origins' standings are remembered.
const standingsKept = 1 << 14

// recall gives the standing of an origin that is being made.
func (l *loop) recall(r route) *standing {
	if l.standings.of == nil {
		return nil
	}
	s := l.standings.of[r]
	if s == nil {
		m := &l.options.Manners
		s = &standing{route: r, starts: limitOf(m.RatePerHost, slackOf(m.RatePerHost))}
		if m.Adapt {
			s.governor = rate.NewGovernor(l.mostPerHost())
		}
		l.standings.of[r] = s
	}
	if s.linked() {
		l.standings.idle.remove(s)
	}
	return s
}

// remember keeps the standing of an origin that is being forgotten, in the place
// of the one that was not needed for longest.
func (l *loop) remember(s *standing) {
	if s == nil {
		return
	}
	l.standings.idle.pushBack(s)
	if l.standings.idle.count > standingsKept {
		oldest := l.standings.idle.first
		l.standings.idle.remove(oldest)
		delete(l.standings.of, oldest.route)
	}
}

// restMost bounds the rest that a server may ask for (Retry-After), for all that
// is left for its host.
const restMost = time.Minute

// learnOfHead takes from a response how its host is.
func (l *loop) learnOfHead(j *job, h *Head) {
	s := j.origin.standing
	if s == nil {
		return
	}
	l.reached(j.origin)
	switch {
	case !l.options.Manners.Adapt:
	case h.Status == 429 || h.Status == 503:
		if asked := retryAfter(h.Get("Retry-After"), l.kernel.Wall()); asked > 0 {
			s.governor.Rest(l.now + min(asked, restMost))
		}
		l.slow(j, (*rate.Governor).Trouble)
	case h.Status < 500:
		s.governor.Good()
	}
}

// slow tells a job's governor of trouble, and the observer of what it does then.
func (l *loop) slow(j *job, tell func(g *rate.Governor, started, now time.Duration)) {
	g := &j.origin.standing.governor
	before, opens := g.Limit(), g.Next(l.now)
	tell(g, j.started, l.now)
	if g.Limit() < before || g.Next(l.now) > opens {
		l.trace(HostSlowed, j, nil, g.Limit(), int((g.Next(l.now)-l.now)/time.Millisecond), nil)
	}
}

// reached notes that an origin can be connected to.
func (l *loop) reached(o *origin) {
	if s := o.standing; s != nil && s.failures > 0 {
		s.health.Success()
		s.failures, s.why = 0, nil
		l.markReady(o)
	}
}

// learn takes from a failure how a job's host is.
func (l *loop) learn(j *job, phase Phase, err error) {
	if j.origin == nil || j.origin.standing == nil || l.ending || errors.As(err, new(*ShortageError)) ||
		errors.As(err, new(*PrivateAddressError)) {
		return
	}
	if blamed, _ := j.blame(phase, err); blamed == PhaseProxy {
		return // the host has not been asked
	}
	var timeout *TimeoutError
	late := errors.As(err, &timeout)
	if late && timeout.Deadline == "total" {
		return // may be for what the caller was slow in
	}
	if l.options.Manners.GiveUp && (phase == PhaseLookup || phase == PhaseDial) {
		l.unreached(j, err)
	}
	if l.options.Manners.Adapt && late && phase > PhaseLookup {
		l.slow(j, (*rate.Governor).Late)
	}
}

// unreached notes that a job's host could not be connected to.
func (l *loop) unreached(j *job, err error) {
	s, started := j.origin.standing, j.started
	if j.state == jobQueued {
		started = l.now // its lookup had failed already, for another
	}
	rests, down := s.health.Next(l.now), s.health.Down()
	s.health.Failure(started, l.now)
	s.failures++
	s.why = err
	switch {
	case down:
	case s.health.Down():
		l.trace(HostDown, j, nil, s.failures, 0, nil)
		l.markReady(j.origin)
	case s.health.Next(l.now) > rests:
		l.rests++
		l.trace(HostRests, j, nil, s.failures, int(rate.DownRest/time.Millisecond), nil)
	}
}
