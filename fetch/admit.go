package fetch

// Admission: a request is pulled from the source only when there is room for
// it, so a list of any length costs no memory. Jobs whose host is at its limit
// wait in line at their origin; the loop looks a bounded way past them for
// others that can start.

// lookahead is how many jobs may wait in line, for each conn there may be. A
// list sorted by host still fills the loop if its runs are shorter than that.
const lookahead = 16

// What one turn admits at most, so that the conns that are there never wait for
// long: a turn that made 9,000 conns took a quarter of a second. Jobs that end
// without the network (skipped, refused) do not pile up either before they are
// yielded.
const (
	pullMost  = 1024 // requests
	startMost = 64   // jobs
)

// admit starts what can be started, and pulls more to start. It says whether
// there is more to admit without waiting.
func (l *loop) admit(source Source) (more bool) {
	pulled, started := 0, 0
	for {
		started += l.startReady(startMost - started)
		switch {
		case started >= startMost:
			return true
		case l.sourceEnded || !l.canPull():
			return false
		case pulled >= pullMost:
			return true
		}
		switch r, supply := source.Next(); supply {
		case More:
			l.newJob(r)
			pulled++
		case Empty:
			return false
		case End:
			l.sourceEnded = true
		}
	}
}

// canPull says whether another job could be of use now.
func (l *loop) canPull() bool {
	return l.slots-l.seated < l.options.MaxConns &&
		l.queued < lookahead*l.options.MaxConns &&
		l.backingOff < retryMost*l.options.MaxConns &&
		!l.shortage.holds(l.now)
}

// startReady starts jobs of origins that have both jobs and room, in turn, and
// says how many.
func (l *loop) startReady(most int) (started int) {
	l.startAt = 0
	for started < most && l.ready.first != nil && !l.shortage.holds(l.now) {
		o := l.ready.first
		if o.isDown() || !l.mayOpen(o) {
			l.turnAway(o)
			continue
		}
		if at := l.starts.Next(l.now); at > l.now {
			l.startAt = at
			break
		}
		if !l.makeRoom(o) {
			break
		}
		l.ready.remove(o)
		if j := o.waiting.first; j != nil {
			l.unlink(j)
			l.start(j)
			l.markReady(o)
			started++
		}
	}
	return started
}

// markReady puts an origin in line for its jobs to be started, if there is one
// and it has room; if it may not be asked yet, when it may. One that is down goes
// first: its jobs end.
func (l *loop) markReady(o *origin) {
	switch {
	case o.linked() || o.waiting.count == 0:
	case o.isDown():
		l.ready.pushFront(o)
	case o.slots >= l.options.MaxPerHost && len(o.available) == 0 || l.isFull(o):
	case l.opensAt(o) > l.now:
		l.openings.set(o, l.opensAt(o))
	default:
		l.ready.pushBack(o)
	}
}

// turnAway takes an origin out of the line whose jobs may not start after all.
func (l *loop) turnAway(o *origin) {
	l.ready.remove(o)
	if o.isDown() {
		l.giveUp(o)
		return
	}
	l.markReady(o)
}

// makeRoom sees to it that the first job in an origin's line can have a conn:
// one that is there, or a free slot, for which an idle conn may have to go.
func (l *loop) makeRoom(o *origin) bool {
	j := o.waiting.first
	if j == nil || len(o.available) > 0 && !j.fresh {
		return true
	}
	if o.slots >= l.options.MaxPerHost {
		return l.retireIdleOf(o)
	}
	if !j.fresh && l.shareable(o) != nil {
		return true
	}
	if l.slots >= l.options.MaxConns {
		return l.retireIdle()
	}
	return true
}

// retireIdle closes the conn that has been idle longest.
func (l *loop) retireIdle() bool {
	if l.idle.first == nil {
		return false
	}
	l.retire(l.idle.first)
	return true
}

// retireIdleOf closes an idle conn of an origin, for a job that must not use it.
func (l *loop) retireIdleOf(o *origin) bool {
	for _, c := range o.available {
		if c.busy == 0 {
			l.retire(c)
			return true
		}
	}
	return false
}

// start sets a job going: over a conn that is there, or to look up and dial.
func (l *loop) start(j *job) {
	o := j.origin
	if len(o.available) == 0 && !j.fresh {
		l.share(o)
	}
	if len(o.available) > 0 && !j.fresh {
		c := o.available[len(o.available)-1]
		l.setJob(j, jobRunning)
		l.assign(c, j)
		l.settle(c)
		return
	}
	l.resolve(j)
}
