package fetch

import (
	"context"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
	"github.com/shoalfetch/shoal/internal/rate"
	"github.com/shoalfetch/shoal/poller"
)

// loop is the engine: everything that lives between New and Close, and is
// touched by one goroutine at a time.
type loop struct {
	options  Options
	kernel   kernel.Kernel
	workers  offload.Runner
	beside   *beside // the sink's way to them
	reserver Reserver
	limits   *http1.Limits
	defaults []Field                // fields of every request
	speak    func(c *conn) protocol // HTTP/1.1; tests have others
	now      time.Duration          // the turn's clock
	timers   timers

	jobs      table[job]
	conns     table[conn]
	doneJobs  []*job // their slots are free at the end of this turn
	doneConns []*conn
	finished  []finished // to yield at the end of this turn

	origins  map[route]*origin
	ready    list[origin, *origin] // have jobs waiting, and room
	openings openings              // have jobs waiting, which may start later
	starts   rate.Limit            // of requests, to all origins
	startAt  time.Duration         // when the next may start, if that is what those ready wait for; else 0
	standings
	throttle

	idle   list[conn, *conn] // open without an exchange, longest first
	slots  int               // conns in any state, and jobs looking up
	seated int               // of the conns, those with room for an exchange
	queued int               // jobs waiting in line at their origins

	neighbour neighbour // of the URL that is admitted next

	backingOff int  // jobs waiting for another try
	ending     bool // no job is tried again

	decoding decoding

	security    *security // nil until a conn is secure
	verifyLater bool      // the judging of certificates may block

	names    map[lookupHost]*lookup
	unix     *lookup            // the answer to all, with Options.UnixSocket
	lookups  map[uint64]*lookup // under way, by id
	shortage shortage

	lookupContext context.Context // ends with the Fetch
	sourceEnded   bool
	seen          int // events since timers were last judged

	admitted, dialed, asked uint64 // numbers given out so far
	received                int64  // bytes of bodies so far

	mail    mailbox
	events  []poller.Event
	buffer  []byte        // the one read buffer
	scratch []byte        // a request being written
	request http1.Request // what is written there
	fields  []Field       // its fields
	cookies []byte        // of the jar, being written
	offered Request       // to the sink's Reserve
	judged  Head          // by Accept
	notes   notes
	answers []uint64

	shared *shared // with other goroutines
}

// finished is a result on its way to the caller.
type finished struct {
	result *Result
	err    error
}

// batch is how many events one wait can give.
const batch = 1024

func newLoop(o Options, k kernel.Kernel, b *beside, s *shared) *loop {
	l := &loop{
		options: o,
		kernel:  k,
		workers: b.workers,
		beside:  b,
		shared:  s,
		limits:  &http1.Limits{HeadBytes: o.MaxHeadBytes, LineBytes: o.MaxHeadBytes},
		jobs:    table[job]{mark: jobToken},
		origins: map[route]*origin{},

		verifyLater: verifierBlocks && (o.TLS == nil || o.TLS.Roots == nil),

		names:   map[lookupHost]*lookup{},
		lookups: map[uint64]*lookup{},
		timers:  timers{heap: make([]timer, 0, 2*o.MaxConns+sweepSlack)},
		events:  make([]poller.Event, batch),
		buffer:  make([]byte, o.RecvBytes),
		scratch: make([]byte, 0, 4<<10),
	}
	l.defaults = without([]Field{{Name: "User-Agent", Value: o.UserAgent}, {Name: "Accept", Value: "*/*"}, o.acceptEncoding()}, o.Omit...)
	if o.NoKeepAlive {
		l.defaults = append(l.defaults, Field{Name: "Connection", Value: "close"})
	}
	l.reserver, _ = o.Sink.(Reserver)
	l.speak = func(c *conn) protocol {
		c.h1.parser.Reset("", l.limits)
		if o.EndAt != AtFraming {
			c.h1.parser.ToClose()
		}
		return &c.h1
	}
	if o.UnixSocket != "" {
		l.unix = throughUnix()
	}
	l.mail.wake = s.wake
	l.adopt(&o.Manners)
	return l
}

// run takes turns until every job has ended and the source has too, or the
// caller has had enough, or ctx ends: then every job ends with its cause.
func (l *loop) run(ctx context.Context, source Source, yield func(*Result, error) bool) {
	source.Notify(l.shared.wake)
	defer context.AfterFunc(ctx, l.shared.wake)()
	l.now = l.kernel.Now()
	more := true // the first turn only looks: idle conns may have died since
	for {
		if err := l.turn(more); err != nil {
			l.endJobs(err)
			l.deliver(yield)
			return
		}
		if ctx.Err() != nil {
			l.endJobs(context.Cause(ctx))
			l.deliver(yield)
			return
		}
		if l.shared.stopping.Load() {
			l.endQueued()
		}
		more = l.admit(source)
		if !l.deliver(yield) || l.sourceEnded && l.jobs.len() == 0 {
			return
		}
	}
}

// turn waits for news and acts on all of it. Timers are judged after the
// readiness of the same turn, so that what arrived in time is never called
// late, however long the caller, the disk or a stop signal held the loop up.
func (l *loop) turn(hurry bool) error {
	timeout := l.untilNext()
	if hurry {
		timeout = 0
	}
	if timeout < 0 {
		if err := l.stuck(); err != nil {
			return err
		}
	}
	n, err := l.kernel.Wait(l.events, timeout)
	if err != nil {
		return err
	}
	l.now = l.kernel.Now()
	if l.security != nil {
		l.security.steps = 0
	}
	l.decodeOn() // before others are read from, so that each turn decodes its share once
	for _, e := range l.events[:n] {
		if c := l.conns.get(token(e.Token)); c != nil {
			l.advance(c, e)
		}
	}
	l.takeMail()
	if l.allSeen(n) {
		l.expire()
	}
	l.serveThirsty()
	return nil
}

// allSeen says whether everything that was ready has been acted on, given the
// size of this turn's batch. A full batch (of which the poller may have kept
// one place for its wake-up) leaves the rest for the next turn; the poller goes
// round, so after as many events as there are conns each has had its turn.
func (l *loop) allSeen(n int) bool {
	l.seen += n
	full := n >= len(l.events)-1
	if full && l.seen < l.conns.len() {
		return false
	}
	l.seen = 0
	return true
}

// takeMail acts on what other goroutines have left: finished lookups and work
// of the sink's, sinks that can take more, requests that nobody waits for.
func (l *loop) takeMail() {
	l.answers = l.workers.Finished(l.answers[:0])
	for _, id := range l.answers {
		if !l.beside.finished(id) {
			l.answered(id)
		}
	}
	l.notes = l.mail.take(l.notes)
	for _, k := range l.notes.resumes {
		if j := l.jobs.get(k); j != nil {
			l.resume(j)
		}
	}
	for _, k := range l.notes.uploads {
		if j := l.jobs.get(k); j != nil && j.exchange != nil {
			l.sendUpload(j.exchange.conn)
		}
	}
	for _, k := range l.notes.cancels {
		if j := l.jobs.get(k); j != nil && j.state != jobDone {
			l.fail(j, j.phase(), context.Cause(j.given().Context))
		}
	}
	for l.notes.noIdle && l.retireIdle() {
	}
}

// untilNext is how long the loop may wait: until the next deadline, or for ever.
func (l *loop) untilNext() time.Duration {
	if l.decoding.decodesNow(l.options.MaxDecoders) {
		return 0
	}
	at, any := l.timers.next()
	sooner := func(other time.Duration, waits bool) {
		if waits && (!any || other < at) {
			at, any = other, true
		}
	}
	sooner(l.shortage.until, l.shortage.holds(l.now))
	sooner(l.startAt, l.startAt != 0)
	sooner(l.openings.next())
	sooner(l.thirstyAt())
	if !any {
		return -1
	}
	return max(0, at-l.now)
}

// expire acts on every deadline that has passed.
func (l *loop) expire() {
	l.sweep()
	l.expireOpenings()
	for {
		at, any := l.timers.next()
		if !any || at > l.now {
			return
		}
		t := l.timers.pop()
		j, c := l.ownerOf(t)
		switch {
		case j != nil && l.timers.expired(&j.deadline, t, l.now):
			l.expireJob(j)
		case c != nil && l.timers.expired(&c.deadline, t, l.now):
			l.expireConn(c)
		}
	}
}

// ownerOf is whose entry it is: a job's, a conn's, or nobody's any more.
func (l *loop) ownerOf(t timer) (*job, *conn) {
	if t.owner&jobToken != 0 {
		return l.jobs.get(t.owner), nil
	}
	return nil, l.conns.get(t.owner)
}

// sweepSlack keeps a small heap from being swept often.
const sweepSlack = 64

// sweep takes entries that mean nothing any more out of the heap, once they are
// more than those that do: every job leaves one behind when it ends in time.
func (l *loop) sweep() {
	if len(l.timers.heap) < 2*(l.jobs.len()+l.conns.len())+sweepSlack {
		return
	}
	l.timers.keep(func(t timer) bool {
		j, c := l.ownerOf(t)
		return j != nil && j.deadline.armed == t.at || c != nil && c.deadline.armed == t.at
	})
}

// bury frees the slots of what has ended in this turn. Until now its pointers
// were good, and its tokens resolved to something that is done.
func (l *loop) bury() {
	for i, j := range l.doneJobs {
		l.jobs.remove(j.token)
		l.doneJobs[i] = nil
	}
	for i, c := range l.doneConns {
		l.conns.remove(c.token)
		l.doneConns[i] = nil
	}
	l.doneJobs, l.doneConns = l.doneJobs[:0], l.doneConns[:0]
}

// deliver yields what has finished. It is the one place that yields, and after
// it nothing measured before is used: the caller may have taken its time.
func (l *loop) deliver(yield func(*Result, error) bool) bool {
	l.bury()
	l.publish()
	if len(l.finished) == 0 {
		return true
	}
	for i, f := range l.finished {
		l.finished[i] = finished{}
		if !yield(f.result, f.err) {
			return false
		}
	}
	l.finished = l.finished[:0]
	l.now = l.kernel.Now()
	return true
}

// endJobs ends every job with one reason.
func (l *loop) endJobs(reason error) {
	l.ending = true
	l.jobs.each(func(j *job) {
		if j.state != jobDone {
			l.fail(j, j.phase(), reason)
		}
	})
}

// endQueued ends every job that has not been started, or would be started again,
// and asks for no more.
func (l *loop) endQueued() {
	l.sourceEnded = true
	l.jobs.each(func(j *job) {
		switch j.state {
		case jobQueued:
			l.fail(j, PhaseQueue, ErrStopped)
		case jobBackingOff:
			l.fail(j, j.trouble.failed.Phase, j.trouble.failed.Err)
		}
	})
}

// tidy ends a Fetch whose caller left the loop in good order: what is under
// way is dropped, idle conns stay for the next Fetch.
func (l *loop) tidy() {
	l.endJobs(context.Canceled)
	l.conns.each(func(c *conn) {
		if c.state != connClosed && !c.linked() {
			l.retire(c)
		}
	})
	l.bury()
	l.finished = l.finished[:0]
	l.decoding.waiting, l.decoding.further = nil, nil
	l.sourceEnded, l.ending, l.shortage = false, false, shortage{}
}

// wreck ends a Fetch from which something panicked or exited, perhaps half-way
// through a step: nothing of the loop's order can be relied on, so every
// descriptor is closed and every body dropped. The loop is of no use after it.
func (l *loop) wreck() {
	l.conns.each(func(c *conn) {
		if c.state != connClosed {
			c.stopTLS()
			if c.interest != 0 {
				l.kernel.Remove(int(c.fd))
			}
			l.kernel.CloseSocket(int(c.fd))
		}
	})
	l.jobs.each(func(j *job) {
		j.unbind()
		l.discard(j)
	})
}
