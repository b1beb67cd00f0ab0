package fetch

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// jobState is where one URL is in its life.
type jobState uint8

const (
	jobNew       jobState = iota
	jobQueued             // waits for its host's turn and a free slot
	jobLookingUp          // waits for the host's addresses
	jobRunning            // has a dial attempt, or an exchange
	jobDone               // has its result; yields at the end of this turn
)

// jobMoves are the legal transitions. The one arrow back is from Running to
// Queued: a redirect, a kept-alive conn that proved dead, a shortage.
var jobMoves = [...][]jobState{
	jobNew:       {jobQueued, jobDone},
	jobQueued:    {jobLookingUp, jobRunning, jobDone},
	jobLookingUp: {jobRunning, jobDone},
	jobRunning:   {jobQueued, jobDone},
	jobDone:      nil,
}

// job is one URL's life, from admission to its result.
type job struct {
	token     token
	number    uint64 // for events: 1, 2, 3 in order of admission
	state     jobState
	committed bool // its body is final
	fresh     bool // must not go over a kept-alive conn: one proved dead
	skipped   bool
	reused    bool // the last request went over a kept-alive conn
	stage     stage
	tried     uint16 // addresses tried in this round
	attempt   uint16

	tag     any      // the caller's
	request *Request // what is sent, when it is more than a GET of url
	url     string   // where it goes now
	path    string
	name    string // from the sink's Reserve
	origin  *origin

	links[job]           // in the list its state names, see unlink
	lookup     *lookup   // LookingUp: whose answer it waits for
	answer     *answer   // Running: the addresses to try
	dialing    *conn     // Running: its attempt
	dialErr    error     // what the attempts of this round met
	exchange   *exchange // Running: its request on a conn
	body       Body      // the sink's, from the accepted head to its end
	head       Head
	end        Framing
	received   int64
	via        *conn // what was used last: while it is in use, and to the end of that turn
	trip       *trip // redirects; nil until the first

	deadline deadline // the lookup's or the exchange's, or the total if sooner
	totalAt  time.Duration
	shortAt  time.Duration // when its body first found no descriptor
	since    time.Duration
	spent    [stages]time.Duration
}

func (j *job) place() *links[job] { return &j.links }

// stage says which of the [Timings] is running.
type stage uint8

const (
	stageQueue stage = iota
	stageLookup
	stageConnect
	stageSend
	stageWait
	stageReceive
	stages
)

// lap books the time since the last lap on the running stage.
func (j *job) lap(next stage, now time.Duration) {
	j.spent[j.stage] += now - j.since
	j.since = now
	j.stage = next
}

// setJob moves a job on: legality, deadline, time, event.
func (l *loop) setJob(j *job, to jobState) {
	mustMove(jobMoves[j.state], to, "job", j.state)
	j.state = to
	switch to {
	case jobQueued:
		j.lap(stageQueue, l.now)
		l.wait(j, noPatience, 0)
		l.trace(JobQueued, j, nil, 0, 0, nil)
	case jobLookingUp:
		l.startTotal(j)
		j.lap(stageLookup, l.now)
		l.wait(j, lookupPatience, l.options.LookupTimeout)
		l.trace(JobLookingUp, j, nil, 0, 0, nil)
	case jobRunning:
		l.startTotal(j)
		j.lap(stageConnect, l.now)
		l.wait(j, noPatience, 0)
		l.trace(JobRunning, j, nil, 0, 0, nil)
	case jobDone:
		j.lap(stageQueue, l.now)
		j.deadline.clear()
	}
}

// startTotal starts the total timeout when a job first leaves the queue: to
// wait for a slot is the client's own slowness, not the server's.
func (l *loop) startTotal(j *job) {
	if j.totalAt == 0 && l.options.TotalTimeout > 0 {
		j.totalAt = l.now + l.options.TotalTimeout
	}
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
	if why == noPatience || long <= 0 {
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
	j.token, j.number = k, l.admitted
	j.tag, j.url, j.since = r.Tag, r.URL, l.now
	if r.Method != "" || r.Fields != nil || r.Body != nil || strings.IndexByte(r.URL, '#') >= 0 {
		j.request = &r
	}
	t, err := parseTarget(r.URL)
	if err == nil {
		err = checkRequest(&r)
	}
	if err != nil {
		l.finish(j, PhaseRequest, err)
		return
	}
	j.url = t.url
	if l.reserver != nil {
		j.name, err = l.reserver.Reserve(&r)
		if err != nil {
			j.skipped = errors.Is(err, ErrSkip)
			l.finish(j, PhaseSave, err)
			return
		}
	}
	l.aim(j, t)
	l.enqueue(j)
}

// given is the request as the caller gave it.
func (j *job) given() Request {
	switch {
	case j.trip != nil:
		return j.trip.given
	case j.request != nil:
		return *j.request
	}
	return Request{URL: j.url, Tag: j.tag}
}

// outgoing is the request as it is sent: redirects may have changed it.
func (j *job) outgoing() Request {
	if j.request != nil {
		return *j.request
	}
	return Request{URL: j.url, Tag: j.tag}
}

// aim points a job at a target.
func (l *loop) aim(j *job, t target) {
	j.url, j.path = t.url, t.path
	j.origin = l.originOf(t)
}

// enqueue puts a new job in line at its origin.
func (l *loop) enqueue(j *job) {
	l.setJob(j, jobQueued)
	j.origin.waiting.pushBack(j)
	l.queued++
	l.markReady(j.origin)
}

// requeue sends a running job back to the queue, and to the head of its line:
// it has waited once.
func (l *loop) requeue(j *job) {
	l.unlink(j)
	j.answer, j.via, j.tried, j.dialErr = nil, nil, 0, nil
	l.setJob(j, jobQueued)
	j.origin.waiting.pushFront(j)
	l.queued++
	l.markReady(j.origin)
}

// unlink takes a job out of whatever line its state has it standing in.
func (l *loop) unlink(j *job) {
	if !j.linked {
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
	l.discard(j)
	l.unlink(j)
	l.setJob(j, jobDone)
	res := j.result()
	switch {
	case j.skipped:
		res.Outcome, err = Skipped, nil
	case err == nil:
		res.Outcome = Fetched
	default:
		err = &Error{URL: j.url, Phase: phase, Attempt: max(1, int(j.attempt)), Err: err}
	}
	l.trace(JobDone, j, nil, int(res.Outcome), 0, nil)
	l.finished = append(l.finished, finished{res, err})
	l.doneJobs = append(l.doneJobs, j)
	if j.origin != nil {
		l.forget(j.origin)
	}
}

// discard drops what a job's body has written so far.
func (l *loop) discard(j *job) {
	if j.body != nil && !j.committed {
		j.body.Discard()
	}
}

// result is what there is to tell of a job, its outcome apart.
func (j *job) result() *Result {
	res := &Result{
		Request:  j.given(),
		URL:      j.url,
		Head:     j.head,
		Name:     j.name,
		Bytes:    j.received,
		End:      j.end,
		Attempts: int(j.attempt),
		Reused:   j.reused,
		Timings: Timings{
			Queue:   j.spent[stageQueue],
			Lookup:  j.spent[stageLookup],
			Connect: j.spent[stageConnect],
			Send:    j.spent[stageSend],
			Wait:    j.spent[stageWait],
			Receive: j.spent[stageReceive],
		},
	}
	for _, spent := range j.spent {
		res.Timings.Total += spent
	}
	if m, ok := j.body.(*memory); ok && j.committed {
		res.Body = m.bytes
	}
	if j.via != nil {
		res.Remote = j.via.remote
	}
	if j.trip != nil {
		res.Redirects = len(j.trip.seen) - 1
	}
	return res
}

// expireJob is called when a job's deadline has passed.
func (l *loop) expireJob(j *job) {
	why := j.deadline.why
	if why == shortagePatience {
		l.retryBody(j)
		return
	}
	l.fail(j, j.phase(), l.timeout(why))
}

// phase is the phase a job would fail in now.
func (j *job) phase() Phase {
	switch {
	case j.exchange != nil:
		return j.exchange.phase()
	case j.state == jobLookingUp:
		return PhaseLookup
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
