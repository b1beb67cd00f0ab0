package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// jobState is where one URL is in its life.
type jobState uint8

const (
	jobNew        jobState = iota
	jobQueued              // waits for its host's turn and a free slot
	jobLookingUp           // waits for the host's addresses
	jobRunning             // has a dial attempt, or an exchange
	jobBackingOff          // has failed, and waits for another try
	jobDone                // has its result; yields at the end of this turn
)

// jobMoves are the legal transitions. The one arrow back is to Queued: a
// redirect, a kept-alive conn that proved dead, a shortage; and, through
// BackingOff, another try.
var jobMoves = [...][]jobState{
	jobNew:        {jobQueued, jobDone},
	jobQueued:     {jobLookingUp, jobRunning, jobBackingOff, jobDone},
	jobLookingUp:  {jobQueued, jobLookingUp, jobRunning, jobBackingOff, jobDone}, // of two names, see resolve
	jobRunning:    {jobQueued, jobBackingOff, jobDone},
	jobBackingOff: {jobQueued, jobDone},
	jobDone:       nil,
}

// job is one URL's life, from admission to its result. Thousands wait at once:
// what few of them need stands behind a pointer.
type job struct {
	token     token
	number    uint32 // for events: 1, 2, 3 in order of admission
	tried     uint16 // addresses tried in this round
	attempt   uint16
	retries   uint16
	state     jobState
	stage     stage
	fresh     bool // must not go over a kept-alive conn: one proved dead
	reused    bool // the last request went over a kept-alive conn
	committed bool // its body is final
	skipped   bool
	unchanged bool // the caller has it already, says the server

	url     string   // where it goes now, as it is spelled on the wire
	tag     any      // the caller's
	special *special // nil while all there is to it is a GET of url
	name    string   // from the sink's Reserve
	origin  *origin

	links[job]           // in the list its state names, see unlink
	lookup     *lookup   // LookingUp: whose answer it waits for; Running: whose it has
	dialing    *conn     // Running: its attempt
	exchange   *exchange // Running: its request on a conn
	trouble    *trouble  // nil while all goes well
	body       Body      // the sink's, from the accepted head to its end
	received   int64     // bytes of the body
	result     *Result   // nil until there is something to tell

	deadline deadline // the lookup's or the exchange's, or the total if sooner
	totalAt  time.Duration
	started  time.Duration // when it last left the queue
	since    time.Duration
	spent    [stages]float32 // seconds; a float holds a turn's clock to seven digits
}

// special is what makes a job more than a GET of its URL.
type special struct {
	given   Request     // as the caller gave it
	request Request     // as it is sent: redirects change it
	kept    *kept       // nil: its body begins at the beginning
	unbind  func() bool // from the request's context; nil without one
	resumed int64       // bytes of it that were there before the job
	cookies string      // that the last request had from the jar
	visits  []visit     // the requests that were redirected
	beyond  *lookup     // of the host, where the proxy is to be given an address
	asked   uint16      // of these addresses, those that the proxy has been asked for
}

// trouble is what a job has met that is not its end yet.
type trouble struct {
	dialErrs dialErrors    // of the attempts of this round
	shortAt  time.Duration // when its body first found no descriptor; 0: it did not
	starving bool          // until it is offered another chance
	failed   *Error        // why it is backing off
}

func (j *job) place() *links[job] { return &j.links }

// stage says which of the [Timings] is running.
type stage uint8

const (
	stageQueue stage = iota
	stageLookup
	stageConnect
	stageTLS
	stageSend
	stageWait
	stageReceive
	stageBackoff // a part of Timings.Queue
	stages
)

// lap books the time since the last lap on the running stage.
func (j *job) lap(next stage, now time.Duration) {
	j.spent[j.stage] += float32((now - j.since).Seconds())
	j.since = now
	j.stage = next
}

// age is how long ago a job was admitted.
func (j *job) age(now time.Duration) time.Duration {
	return timingsOf(&j.spent).Total + now - j.since
}

// queued is how long a job has waited for its host or a free slot, until its last
// lap.
func (j *job) queued() time.Duration { return seconds(j.spent[stageQueue]) }

// setJob moves a job on: legality, deadline, time, event.
func (l *loop) setJob(j *job, to jobState) {
	mustMove(jobMoves[j.state], to, "job", j.state)
	l.leaveState(j)
	if to == jobLookingUp || to == jobRunning {
		l.begin(j)
	}
	j.state = to
	switch to {
	case jobQueued:
		j.lap(stageQueue, l.now)
		l.wait(j, noPatience, 0)
		l.trace(JobQueued, j, nil, 0, 0, nil)
	case jobLookingUp:
		j.lap(stageLookup, l.now)
		l.wait(j, lookupPatience, l.options.LookupTimeout)
		l.trace(JobLookingUp, j, nil, j.whoseName(), 0, nil)
	case jobRunning:
		j.lap(stageConnect, l.now)
		l.wait(j, noPatience, 0)
		l.trace(JobRunning, j, nil, 0, 0, nil)
	case jobBackingOff:
		j.lap(stageBackoff, l.now)
		l.backingOff++
		l.trace(JobBackingOff, j, nil, int(j.retries), 0, nil)
	case jobDone:
		j.lap(stageQueue, l.now)
		j.deadline.clear()
	}
}

// leaveState takes a job out of the counts of its state.
func (l *loop) leaveState(j *job) {
	switch j.state {
	case jobLookingUp, jobRunning:
		j.origin.running--
		if j.origin.standing != nil {
			l.markReady(j.origin) // what it has been told may let another one start
		}
	case jobBackingOff:
		l.backingOff--
	}
}

// begin counts a job among those that are under way, and one that leaves the
// queue as a start. The total timeout starts when a job first does: to wait for a
// slot is the client's own slowness, not the server's.
func (l *loop) begin(j *job) {
	j.origin.running++
	if j.state != jobQueued {
		return
	}
	j.started = l.now
	if j.totalAt == 0 && l.options.TotalTimeout > 0 {
		j.totalAt = l.now + l.options.TotalTimeout
	}
	l.countStart(j.origin)
}

// mustMove panics on a transition that no table has: a mistake in the engine.
func mustMove[S comparable](legal []S, to S, what string, from S) {
	for _, s := range legal {
		if s == to {
			return
		}
	}
	panic(fmt.Sprintf("fetch: illegal move of a %s from state %v to %v", what, from, to))
}

// wait sets a job's deadline: so long from now, but never past its total.
func (l *loop) wait(j *job, why patience, long time.Duration) {
	at := l.now + long
	if why == noPatience || long <= 0 || j.isHeld(why) && l.sip > 0 {
		at = 0
	}
	if j.totalAt != 0 && (at == 0 || j.totalAt <= at) {
		why, at = totalPatience, j.totalAt
	}
	if at == 0 {
		j.deadline.clear()
		return
	}
	l.timers.set(&j.deadline, j.token, why, at)
}

// newJob admits a request: a name from the sink, a place at its origin.
func (l *loop) newJob(r Request) {
	j, k := l.jobs.add()
	l.admitted++
	j.token, j.number = k, uint32(l.admitted)
	j.tag, j.url, j.since = r.Tag, r.URL, l.now
	t, err := l.neighbour.read(r.URL)
	if err == nil {
		err = checkRequest(&r)
	}
	if err == nil {
		err = l.lead(&t)
	}
	if err != nil || t.url != r.URL || !r.isPlain() {
		j.special = &special{given: r, request: r}
	}
	if err != nil {
		j.url = WithoutUserinfo(r.URL)
		l.finish(j, PhaseRequest, err)
		return
	}
	if t.authorization != "" && !hasField(r.Fields, "Authorization") {
		j.special.request.Fields = with(r.Fields, Field{Name: "Authorization", Value: t.authorization})
	}
	j.fresh = r.upload != nil && r.upload.again
	if err := l.bind(j); err != nil {
		l.finish(j, PhaseQueue, err)
		return
	}
	if l.reserver != nil {
		l.offered = r
		j.name, err = l.reserver.Reserve(&l.offered)
		if err != nil {
			j.skipped = errors.Is(err, ErrSkip)
			l.finish(j, PhaseSave, err)
			return
		}
	}
	l.aim(j, t)
	l.takeUp(j)
	l.enqueue(j)
}

// bind has a job end with its request's context, if that has one. An error: it
// has ended already.
func (l *loop) bind(j *job) error {
	ctx := j.given().Context
	if ctx == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	k := j.token
	j.special.unbind = context.AfterFunc(ctx, func() { l.mail.cancel(k) })
	return nil
}

// unbind ends what bind began, and nobody writes to the request any longer.
func (j *job) unbind() {
	if j.special == nil {
		return
	}
	j.special.given.upload.stop()
	if j.special.unbind != nil {
		j.special.unbind()
	}
}

// cancelled says whether nobody waits for a job any more.
func (j *job) cancelled() bool {
	ctx := j.given().Context
	return ctx != nil && ctx.Err() != nil
}

// isPlain says whether a request is a GET of its URL and nothing more.
func (r *Request) isPlain() bool {
	return r.Method == "" && r.Fields == nil && r.Body == nil && r.Raw == nil && r.Name == "" &&
		!r.Encoded && !r.Replace && r.Context == nil
}

// given is the request as the caller gave it.
func (j *job) given() Request {
	if j.special != nil {
		return j.special.given
	}
	return Request{URL: j.url, Tag: j.tag}
}

// outgoing is the request as it is sent.
func (j *job) outgoing() Request {
	if j.special != nil {
		return j.special.request
	}
	return Request{URL: j.url, Tag: j.tag}
}

// aim points a job at a target. One that is under way is from now on under way
// there.
func (l *loop) aim(j *job, t target) {
	j.url = t.url
	to := l.originOf(t)
	if j.state == jobRunning {
		j.origin.running--
		to.running++
	}
	j.origin = to
	to.jobs++
}

// enqueue puts a new job in line at its origin.
func (l *loop) enqueue(j *job) {
	l.setJob(j, jobQueued)
	j.origin.waiting.pushBack(j)
	l.queued++
	l.markReady(j.origin)
}

// becomeSpecial gives a job what makes it more than a GET of its URL.
func (j *job) becomeSpecial() *special {
	if j.special == nil {
		j.special = &special{given: j.given(), request: j.given()}
	}
	return j.special
}

// requeue sends a job back to the queue, and to the head of its line: it has
// waited once.
func (l *loop) requeue(j *job) {
	l.unlink(j)
	j.forgetAddresses()
	j.result, j.trouble = nil, nil
	l.setJob(j, jobQueued)
	j.origin.waiting.pushFront(j)
	l.queued++
	l.markReady(j.origin)
}

// unlink takes a job out of whatever line its state has it standing in.
func (l *loop) unlink(j *job) {
	if !j.linked() {
		return
	}
	switch j.state {
	case jobQueued:
		j.origin.waiting.remove(j)
		l.queued--
	case jobLookingUp:
		l.leaveLookup(j)
	case jobRunning:
		j.origin.dialing.remove(j)
	}
}

// fail ends a job wherever it stands, and whatever it has under way.
func (l *loop) fail(j *job, phase Phase, err error) {
	if j.exchange != nil {
		l.abandon(j.exchange)
	}
	if j.dialing != nil {
		c := j.dialing
		j.dialing, c.job = nil, nil
		l.retire(c)
	}
	l.finish(j, phase, err)
}

// finish gives a job its result: exactly once, the last thing that happens to
// it. Its exchange and its dial attempt are gone by now.
func (l *loop) finish(j *job, phase Phase, err error) {
	if j.exchange != nil || j.dialing != nil {
		panic("fetch: a job finished with work under way")
	}
	if err != nil && !j.skipped && j.state != jobBackingOff && !j.cancelled() {
		l.learn(j, phase, err)
		if l.retry(j, phase, err) {
			return
		}
	}
	j.unbind()
	if err == nil || j.skipped {
		l.discard(j)
	} else {
		l.putAside(j)
	}
	l.unlink(j)
	l.setJob(j, jobDone)
	res := j.report()
	switch {
	case j.skipped:
		res.Outcome, err = Skipped, nil
	case j.unchanged:
		res.Outcome = NotModified
	case err == nil:
		res.Outcome = Fetched
	default:
		err = j.failure(phase, err)
	}
	l.trace(JobDone, j, nil, int(res.Outcome), 0, nil)
	l.finished = append(l.finished, finished{res, err})
	l.doneJobs = append(l.doneJobs, j)
	if j.origin != nil {
		l.leave(j.origin)
	}
}

// failure is the error of a job that failed in a phase.
func (j *job) failure(phase Phase, err error) *Error {
	phase, err = j.blame(phase, err)
	return &Error{URL: j.url, Phase: phase, Attempt: max(1, int(j.attempt)), Err: err}
}

// discard drops what a job's body has written so far.
func (l *loop) discard(j *job) {
	if e := j.encoded(); e != nil {
		l.stopDecoder(e)
	}
	if j.body != nil && !j.committed {
		j.body.Discard()
	}
}

// tell gives the result that is being put together for a job.
func (j *job) tell() *Result {
	if j.result == nil {
		j.result = new(Result)
	}
	return j.result
}

// report completes a job's result, its outcome apart.
func (j *job) report() *Result {
	res := j.tell()
	res.Request, res.URL, res.Name = j.given(), j.url, j.name
	res.Bytes, res.Attempts, res.Reused = j.received, int(j.attempt), j.reused
	res.Timings = timingsOf(&j.spent)
	if j.special != nil {
		res.Resumed = min(j.special.resumed, j.received)
	}
	if j.origin != nil {
		res.Proxy = j.origin.proxy
	}
	if j.special != nil && len(j.special.visits) > 0 {
		res.Redirects, res.Hops = len(j.special.visits), j.hops(int(res.Head.Status))
	}
	if j.committed {
		body := j.body
		if e := j.encoded(); e != nil {
			body = e.Body
		}
		if m, ok := plainBody(body).(*memory); ok {
			res.Body = m.bytes
		}
		res.SHA256 = digestOf(body)
	}
	return res
}

func timingsOf(spent *[stages]float32) (t Timings) {
	for i, to := range [stages]*time.Duration{&t.Queue, &t.Lookup, &t.Connect, &t.TLS, &t.Send, &t.Wait, &t.Receive, &t.Queue} {
		d := seconds(spent[i])
		*to += d
		t.Total += d
	}
	return t
}

func seconds(s float32) time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// expireJob is called when a job's deadline has passed.
func (l *loop) expireJob(j *job) {
	why := j.deadline.why
	switch why {
	case shortagePatience:
		l.retryBody(j)
		return
	case backoffPatience:
		l.requeue(j)
		return
	}
	if x := j.exchange; x != nil && x.verdict != nil && why == stallPatience {
		l.judge(x) // nobody wants the rest
		return
	}
	if l.options.EndAt == AtSilence && why == stallPatience {
		l.silent(j.exchange)
		return
	}
	l.fail(j, j.phase(), l.timeout(why))
}

// phase is the phase a job would fail in now.
func (j *job) phase() Phase {
	switch {
	case j.exchange != nil:
		return j.exchange.phase()
	case j.state == jobQueued, j.state == jobBackingOff:
		return PhaseQueue
	case j.state == jobLookingUp:
		return PhaseLookup
	case j.dialing != nil:
		return j.dialing.phase()
	}
	return PhaseDial
}

// timeout is the error of a passed deadline.
func (l *loop) timeout(why patience) error {
	o := &l.options
	switch why {
	case lookupPatience:
		return &TimeoutError{"lookup", o.LookupTimeout}
	case connectPatience:
		return &TimeoutError{"connect", o.ConnectTimeout}
	case sendPatience:
		return &TimeoutError{"send", o.SendTimeout}
	case firstBytePatience:
		return &TimeoutError{"first byte", o.FirstByteTimeout}
	case stallPatience:
		return &TimeoutError{"stall", o.StallTimeout}
	}
	return &TimeoutError{"total", o.TotalTimeout}
}
