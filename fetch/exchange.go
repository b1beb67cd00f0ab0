package fetch

import (
	"errors"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/kernel"
)

// exchangeState is where one request on one conn is, from its first byte out
// to its last byte in.
type exchangeState uint8

const (
	exchangeNew exchangeState = iota
	exchangeSending
	exchangeAwaiting
	exchangeReceiving
	exchangeDone
)

// exchangeMoves are the legal transitions. A server may answer before it has
// the whole request.
var exchangeMoves = [...][]exchangeState{
	exchangeNew:       {exchangeSending},
	exchangeSending:   {exchangeAwaiting, exchangeReceiving, exchangeDone},
	exchangeAwaiting:  {exchangeReceiving, exchangeDone},
	exchangeReceiving: {exchangeDone},
	exchangeDone:      nil,
}

// exchange is one request and its response on one conn.
type exchange struct {
	state    exchangeState
	paused   bool
	whole    bool // the response has ended; its body waits to be committed
	ordinary bool // its body cannot be spliced
	conn     *conn
	job      *job
	next     *exchange // on the same conn
	verdict  *verdict  // nil: the body is wanted
}

// verdict is what has been decided over a response whose body is still to be
// read past, so that the conn can be used again.
type verdict struct {
	err    error   // the failure; nil: follow, unless
	same   bool    // what the caller has is still so
	over   bool    // not of the job, which starts over
	to     *target // the redirect
	status int     // that led there
	seen   int64   // bytes read past
}

// drainBytes is how much of an unwanted body is read past before closing the
// conn is the cheaper way out.
const drainBytes = 64 << 10

// setExchange moves an exchange on: legality, deadline, time, event.
func (l *loop) setExchange(x *exchange, to exchangeState) {
	mustMove(exchangeMoves[x.state], to, "exchange", x.state)
	x.state = to
	switch to {
	case exchangeSending:
		x.job.lap(stageSend, l.now)
		l.wait(x.job, sendPatience, l.options.SendTimeout)
		l.trace(ExchangeSending, x.job, x.conn, 0, 0, nil)
	case exchangeAwaiting:
		x.job.lap(stageWait, l.now)
		l.wait(x.job, firstBytePatience, l.options.FirstByteTimeout)
		l.trace(ExchangeAwaiting, x.job, x.conn, 0, 0, nil)
	case exchangeReceiving:
		x.job.lap(stageReceive, l.now)
		l.heard(x)
		l.trace(ExchangeReceiving, x.job, x.conn, 0, 0, nil)
	case exchangeDone:
		l.trace(ExchangeDone, x.job, x.conn, 0, 0, nil)
	}
}

// phase is the phase an exchange would fail in now.
func (x *exchange) phase() Phase {
	switch x.state {
	case exchangeSending:
		return PhaseSend
	case exchangeAwaiting:
		return PhaseAwait
	}
	return PhaseReceive
}

// assign puts a job's request on an open conn, and sends it.
func (l *loop) assign(c *conn, j *job) {
	x, head, body := c.proto.begin(l.write(j), j.outgoing().Body, l.scratch[:0])
	l.scratch = head[:0]
	j.reused = c.uses > 0
	j.attempt++
	j.exchange, j.received = x, 0
	if k := j.kept(); k != nil {
		j.received = k.bytes
	}
	x.conn, x.job, x.next = c, j, c.first
	c.first = x
	c.busy++
	c.uses++
	if c.busy == 1 {
		l.leaveIdle(c)
	}
	l.setExchange(x, exchangeSending)
	l.seat(c)
	l.transmit(c, head, body, l.upload(j))
}

// progressSent is called when bytes of a request have gone out, or its writing has
// gone on: who keeps whom waiting from now on.
func (l *loop) progressSent(c *conn) {
	done := c.outbox == nil
	for x := c.first; x != nil; x = x.next {
		switch {
		case c.awaitsUpload():
			l.wait(x.job, noPatience, 0) // it is not the server that keeps us waiting
		case x.state == exchangeReceiving:
			l.heard(x) // it answers, and listens still
		case x.state != exchangeSending:
		case done:
			l.setExchange(x, exchangeAwaiting)
		default:
			l.wait(x.job, sendPatience, l.options.SendTimeout)
		}
	}
}

// step is one thing that a response has shown to hold.
func (l *loop) step(x *exchange, kind http1.Kind) {
	switch kind {
	case http1.Interim:
		l.interim(x)
	case http1.Final:
		l.head(x)
	case http1.Body:
		l.body(x, x.conn.proto.piece(x))
	case http1.Done:
		l.done(x)
	}
}

// interim shows an interim head to who asked to see them (RFC 9110 section 15.2).
func (l *loop) interim(x *exchange) {
	if l.options.Interim == nil {
		return
	}
	r := x.job.outgoing()
	l.judged, _ = x.conn.proto.head(x)
	if err := l.options.Interim(&r, &l.judged); err != nil {
		l.fail(x.job, PhaseAwait, err)
	}
}

// heard puts off the deadline of an exchange from which bytes have come. There is
// none while it is its sink, or its request, that keeps the server waiting.
func (l *loop) heard(x *exchange) {
	if !x.paused && !x.conn.awaitsUpload() {
		l.wait(x.job, stallPatience, l.options.StallTimeout)
	}
}

// head judges a final head: follow it elsewhere, refuse it, or open a body.
func (l *loop) head(x *exchange) {
	j := x.job
	l.setExchange(x, exchangeReceiving)
	l.judged, _ = x.conn.proto.head(x)
	h := l.judged
	length := x.conn.proto.length(x)
	l.learnOfHead(j, &h)
	l.takeCookies(j, h)
	if v := l.verdictOn(j, h, length); v != nil {
		l.decide(x, v, length)
		return
	}
	codings, undecodable := l.codingsOf(j, h, length)
	if limit := l.options.MaxBytes; limit > 0 && codings == nil && j.received+length > limit {
		l.decide(x, &verdict{err: &LimitError{"body bytes", limit}}, length)
		return
	}
	switch {
	case undecodable != nil:
		l.fail(j, PhaseDecode, undecodable)
	case codings != nil:
		l.open(x, h, -1, codings)
	case j.kept() == nil:
		l.open(x, h, length, nil)
	}
}

// verdictOn says why a response's body is not wanted, or where to go instead; nil
// when it is wanted.
func (l *loop) verdictOn(j *job, h Head, length int64) *verdict {
	to, err := l.redirect(j, h)
	if err == nil {
		err = j.refusedByProxy(h)
	}
	if err != nil || to != nil {
		return &verdict{err: err, to: to, status: int(h.Status)}
	}
	if err := l.goesOn(j, h, length); err != nil {
		return &verdict{err: err, over: j.kept() != nil}
	}
	if h.Status == 304 && j.isConditional() {
		return &verdict{same: true}
	}
	if h.Status == 206 && j.kept() != nil {
		return nil // the rest of what was accepted is accepted too
	}
	if err := l.options.Accept(&l.judged); err != nil {
		return &verdict{err: err}
	}
	return nil
}

// decide has a body of a declared length, or -1, read past for what was decided
// over it. A long one is not worth that.
func (l *loop) decide(x *exchange, v *verdict, length int64) {
	x.verdict = v
	if length > drainBytes {
		l.judge(x)
	}
}

// open asks the sink for somewhere to put the body.
func (l *loop) open(x *exchange, h Head, length int64, codings []string) {
	j := x.job
	info := OpenInfo{
		Request: j.outgoing(),
		Head:    h,
		Name:    j.name,
		Length:  length,
		Decoded: codings != nil,
		Attempt: int(j.attempt),
		URL:     j.url,
		Resumer: Resumer{&l.mail, j.token},
		conn:    x.conn,
	}
	body, err := l.bodyFor(info)
	if no, ok := errors.AsType[*refused](err); ok {
		l.decide(x, &verdict{err: no.error}, length)
		return
	}
	if err != nil {
		l.fail(j, PhaseSave, err)
		return
	}
	if l.options.SHA256 {
		body = newDigested(body)
	}
	j.body = body
	if codings != nil {
		l.await(x, codings)
	}
}

// bodyFor is the sink's place for a body, or memory without a sink.
func (l *loop) bodyFor(info OpenInfo) (Body, error) {
	if l.options.Sink == nil {
		return newMemory(info.Length), nil
	}
	return l.options.Sink.Open(info)
}

// body hands a piece to the sink, or reads past it.
func (l *loop) body(x *exchange, piece []byte) {
	j := x.job
	l.heard(x)
	if x.verdict != nil {
		x.verdict.seen += int64(len(piece))
		if x.verdict.seen > drainBytes {
			l.judge(x)
		}
		return
	}
	l.received += int64(len(piece))
	if e := j.encoded(); e != nil {
		e.decoder.Feed(piece)
		l.decode(x, e)
		return
	}
	l.pass(x, PhaseReceive, piece)
}

// pass hands a piece of the body as it shall be saved to the sink.
func (l *loop) pass(x *exchange, phase Phase, piece []byte) {
	j := x.job
	j.received += int64(len(piece))
	if limit := l.options.MaxBytes; limit > 0 && j.received > limit {
		l.fail(j, phase, &LimitError{"body bytes", limit})
		return
	}
	l.wrote(x, j.body.Write(piece))
}

// wrote acts on what the sink said to a piece.
func (l *loop) wrote(x *exchange, err error) {
	switch {
	case err == nil:
	case errors.Is(err, ErrPause):
		l.pause(x)
	case isShortageNow(err):
		l.starve(x, err)
	default:
		l.fail(x.job, PhaseSave, err)
	}
}

// pause stops reading for an exchange: its sink can take no more. No deadline
// of the server's runs meanwhile.
func (l *loop) pause(x *exchange) {
	l.wait(x.job, noPatience, 0)
	if !x.paused {
		x.paused = true
		l.trace(Paused, x.job, x.conn, 0, 0, nil)
	}
}

// resume goes on with an exchange that its sink had paused.
func (l *loop) resume(j *job) {
	x := j.exchange
	if x == nil || !x.paused || j.trouble != nil && j.trouble.starving {
		return
	}
	if e := j.encoded(); e != nil && e.held {
		return
	}
	l.trace(Resumed, j, x.conn, 0, 0, nil)
	l.goOn(x)
}

// goOn ends a pause, beginning with the bytes that are here already, or with
// the commit of the body.
func (l *loop) goOn(x *exchange) {
	c, j := x.conn, x.job
	x.paused = false
	if j.decodes() {
		l.decode(x, j.encoded())
	}
	switch {
	case j.exchange != x || x.paused:
	case x.whole:
		l.done(x)
	default:
		l.heard(x)
		l.pull(c)
	}
	l.settle(c)
}

// shortageDelay is how often the loop looks again when descriptors or ports
// have run out, and shortageLimit how long it does so.
const (
	shortageDelay = 50 * time.Millisecond
	shortageLimit = 10 * time.Second
)

// starve pauses an exchange whose body found no free descriptor.
func (l *loop) starve(x *exchange, err error) {
	j := x.job
	if j.trouble == nil {
		j.trouble = new(trouble)
	}
	if j.trouble.shortAt == 0 {
		j.trouble.shortAt = l.now
	}
	if l.now-j.trouble.shortAt >= shortageLimit {
		l.fail(j, PhaseSave, &ShortageError{shortageLimit, errors.Unwrap(err)})
		return
	}
	j.trouble.starving = true
	l.pause(x)
	l.wait(j, shortagePatience, shortageDelay)
}

// retryBody offers a starved body its chance to open its file.
func (l *loop) retryBody(j *job) {
	x := j.exchange
	c := x.conn
	j.trouble.starving = false
	if x.whole && !j.decodes() {
		l.done(x)
	} else {
		l.offerAgain(x)
	}
	l.settle(c)
}

// offerAgain lets a starved body try to open its file, with an empty piece. A
// body that tries beside the loop pauses until it knows.
func (l *loop) offerAgain(x *exchange) {
	err := x.job.body.Write(nil)
	if err != nil {
		l.wrote(x, err)
		return
	}
	x.job.trouble.shortAt = 0
	l.resume(x.job)
}

// splice moves body bytes from the socket to the sink without bringing them
// into this process. False: it cannot, nothing was moved.
func (l *loop) splice(c *conn, x *exchange) bool {
	j := x.job
	s, ok := j.body.(splicer)
	if !ok || x.ordinary || x.verdict != nil {
		return false
	}
	most := l.portion(spliceMost)
	n, err := s.Splice(int(c.fd), most)
	l.trace(CallSplice, j, c, n, most, err)
	l.drank(c, n)
	switch {
	case err == syscall.EAGAIN:
	case err == syscall.ENOTSUP:
		x.ordinary = true
		return false
	case errors.As(err, new(*kernel.SpliceFileError)):
		l.fail(j, PhaseSave, err)
	case err != nil:
		l.broken(c, err)
	case n == 0:
		l.ended(c)
	default:
		j.received += int64(n)
		l.received += int64(n)
		l.heard(x)
		c.proto.skip(x, n)
		l.pull(c)
	}
	return true
}

// done is the end of a response.
func (l *loop) done(x *exchange) {
	if x.verdict != nil {
		l.judge(x)
		return
	}
	j := x.job
	if k := j.kept(); k != nil {
		h, _ := x.conn.proto.head(x)
		if err := k.covers(h, j.received); err != nil {
			if j.received > k.total {
				l.startOver(j) // of what there is, nobody knows what is good
			}
			l.fail(j, PhaseReceive, err)
			return
		}
	}
	if !x.whole {
		x.whole = true
		if !l.decodeRest(x) {
			return
		}
	}
	err := j.body.Commit()
	if errors.Is(err, ErrPause) || isShortageNow(err) {
		l.wrote(x, err)
		return
	}
	j.committed = err == nil
	l.detach(x)
	l.finish(j, PhaseSave, err)
}

// judge carries out what was decided over a response.
func (l *loop) judge(x *exchange) {
	c, j, v := x.conn, x.job, x.verdict
	whole := c.proto.ended(x)
	if whole {
		l.drop(x)
	} else {
		l.abandon(x)
	}
	l.carryOut(j, v)
	if whole {
		l.release(c) // after follow: the same job may be the next to use it
	}
}

// carryOut does with a job what was decided over its response.
func (l *loop) carryOut(j *job, v *verdict) {
	switch {
	case v.over:
		l.startOver(j)
		l.requeue(j)
	case v.err != nil:
		l.finish(j, PhaseStatus, v.err)
	case v.same:
		l.startOver(j)
		j.unchanged = true
		l.finish(j, PhaseStatus, nil)
	default:
		l.follow(j, v.status, *v.to)
	}
}

// detach ends an exchange whose response is whole, and gives its conn back.
func (l *loop) detach(x *exchange) {
	c := x.conn
	l.drop(x)
	l.release(c)
}

// abandon ends an exchange before its response has: its conn can go on only if
// the protocol says so.
func (l *loop) abandon(x *exchange) {
	c := x.conn
	usable := c.proto.abandon(x)
	l.drop(x)
	if !usable {
		l.broken(c, errAbandoned)
		return
	}
	l.release(c)
	l.settle(c)
}

var errAbandoned = errors.New("another exchange on the same connection was abandoned")

// lost ends an exchange whose conn is broken.
func (l *loop) lost(x *exchange, err error) {
	c, j, v, phase := x.conn, x.job, x.verdict, x.phase()
	if phase == PhaseSend && c.sendFailure() != nil {
		err = c.sendFailure()
	}
	again := j.reused && !j.fresh && !c.proto.started() && isIdempotent(j.outgoing().Method)
	l.drop(x)
	switch {
	case v != nil:
		l.carryOut(j, v)
	case again && !j.outgoing().upload.rewind():
		l.finish(j, phase, &deadReuseError{err}) // who has the body must write it again
	case again:
		// The server closed an idle connection while the request was on its way:
		// no fault of anybody's, RFC 9112 section 9.3.1.
		j.fresh = true
		l.requeue(j)
	default:
		l.finish(j, phase, err)
	}
}

// drop takes an exchange off its conn and its job, which keeps what it learned.
func (l *loop) drop(x *exchange) {
	c, res := x.conn, x.job.tell()
	res.Remote, res.UnixSocket = c.remote(), l.options.UnixSocket
	if c.origin.route.secure {
		res.TLS = c.agreed
	}
	if x.state == exchangeReceiving {
		res.Head, res.End = c.proto.head(x)
		res.Trailer = c.proto.trailer(x)
	}
	l.setExchange(x, exchangeDone)
	for at := &c.first; *at != nil; at = &(*at).next {
		if *at == x {
			*at = x.next
			break
		}
	}
	c.busy--
	if c.busy == 0 && c.resting {
		l.unhold(c)
	}
	x.job.exchange = nil
	*x = exchange{}
}
