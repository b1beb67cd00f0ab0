package fetch

// origin is one route's side of the engine: the jobs that wait for it, and the
// conns that lead there.
type origin struct {
	route         route
	authority     string
	proxy         string          // the proxy's URL without credentials; empty without one
	credentials   string          // for the field Proxy-Authorization; empty without
	slots         int             // conns in any state, and jobs looking up
	jobs          int             // that want something of it, in any state
	running       int             // of them, those LookingUp or Running
	waiting       list[job, *job] // Queued, first come first served
	dialing       list[job, *job] // Running with an attempt under way
	available     []*conn         // open, with room for an exchange; last in, first out
	standing      *standing       // nil when nothing needs to be remembered of hosts
	opening       opening         // when its next job may start, if not now
	links[origin]                 // in loop.ready
}

func (o *origin) place() *links[origin] { return &o.links }

// originOf finds or makes the origin of a target.
func (l *loop) originOf(t target) *origin {
	if o := l.origins[t.route]; o != nil {
		return o
	}
	if t.route.hasTLS() {
		l.secured()
	}
	p := &t.route.proxy
	o := &origin{route: t.route, authority: t.authority, proxy: p.place(), credentials: p.authorization()}
	o.standing = l.recall(t.route)
	l.origins[t.route] = o
	return o
}

// forget drops an origin with which nothing is left to do: a list of a million
// hosts must not leave a million of them. While a job is on its way there, be it
// between two conns, there is no second origin for the same route: each would
// have the whole of MaxPerHost.
func (l *loop) forget(o *origin) {
	if o.slots+o.jobs > 0 {
		return
	}
	if o.linked() {
		l.ready.remove(o)
	}
	l.openings.remove(o)
	l.remember(o.standing)
	delete(l.origins, o.route)
}

// release gives a conn back after an exchange. It serves the next job at once,
// in the same step, when one waits; else it stays open, idle.
func (l *loop) release(c *conn) {
	if c.state != connOpen {
		return
	}
	if c.busy == 0 {
		l.refill(c) // what nobody asked for shows
	}
	if c.state == connClosed {
		return
	}
	if c.busy == 0 && (c.surplus() || c.eof || c.outbox != nil || c.uses > 0 && !l.mayReuse(c)) {
		l.retire(c)
		return
	}
	for c.proto.room() > 0 {
		j := l.nextFor(c.origin)
		if j == nil {
			break
		}
		l.assign(c, j)
	}
	l.seat(c)
	if c.busy == 0 {
		l.rest(c)
	}
	l.markReady(c.origin) // jobs that may not start yet
}

// mayReuse says whether a conn that has been used may take another exchange.
func (l *loop) mayReuse(c *conn) bool {
	return !l.options.NoKeepAlive && l.now < c.until && c.proto.reusable()
}

// leave is called when a job wants nothing more of an origin.
func (l *loop) leave(o *origin) {
	o.jobs--
	l.forget(o)
}

// nextFor takes the job that a free conn of an origin should serve: one that
// is still dialling came before those that wait.
func (l *loop) nextFor(o *origin) *job {
	for j := o.dialing.first; j != nil; j = j.next {
		if !j.fresh {
			l.unlink(j)
			j.dialing.job, j.dialing = nil, nil
			return j
		}
	}
	if !l.mayStart(o) {
		return nil
	}
	for j := o.waiting.first; j != nil; j = j.next {
		if !j.fresh {
			l.unlink(j)
			l.setJob(j, jobRunning)
			return j
		}
	}
	return nil
}

// seat puts a conn among the available ones of its origin, or takes it out, as
// its room says.
func (l *loop) seat(c *conn) {
	o, has := c.origin, c.state == connOpen && !c.leaving && c.proto.room() > 0
	switch {
	case has && c.seat < 0:
		c.seat = int32(len(o.available))
		o.available = append(o.available, c)
		l.seated++
	case !has && c.seat >= 0:
		l.unseat(c)
	}
}

// unseat takes a conn out of the available ones.
func (l *loop) unseat(c *conn) {
	o := c.origin
	last := o.available[len(o.available)-1]
	o.available[c.seat], last.seat = last, c.seat
	o.available[len(o.available)-1] = nil
	o.available = o.available[:len(o.available)-1]
	c.seat = -1
	l.seated--
}

// shareable is the conn that has been idle longest, if it leads to the proxy that
// forwards an origin's requests: such a conn serves every host. With a list of many
// hosts it is the next to be closed for want of room.
func (l *loop) shareable(o *origin) *conn {
	c := l.idle.first
	if c == nil || !o.route.forwards() || !c.origin.route.forwards() || c.origin.route.proxy != o.route.proxy {
		return nil
	}
	return c
}

// share gives an origin the conn that is shareable, if there is one. Where it
// was it counts no longer.
func (l *loop) share(o *origin) {
	c := l.shareable(o)
	if c == nil {
		return
	}
	old := c.origin
	l.unseat(c)
	c.origin = o
	l.seat(c)
	old.slots--
	o.slots++
	l.markReady(old)
	l.forget(old)
}

// rest lets a conn stay open without an exchange, for a while.
func (l *loop) rest(c *conn) {
	if c.linked() {
		return
	}
	l.idle.pushBack(c)
	l.timers.set(&c.deadline, c.token, idlePatience, min(c.until, l.now+c.proto.rest(l.options.IdleTimeout)))
}

// leaveIdle ends a conn's rest.
func (l *loop) leaveIdle(c *conn) {
	if c.linked() {
		l.idle.remove(c)
		c.deadline.clear()
	}
}

// leavePool takes a conn that is about to close out of everybody's reach.
func (l *loop) leavePool(c *conn) {
	c.leaving = true
	l.leaveIdle(c)
	l.seat(c)
}
