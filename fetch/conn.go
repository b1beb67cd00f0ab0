package fetch

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/rate"
	"github.com/shoalfetch/shoal/internal/tlsconn"
	"github.com/shoalfetch/shoal/poller"
)

// connState is where one socket is in its life, from socket(2) to close(2).
// An idle conn is Open without an exchange.
type connState uint8

const (
	connNew connState = iota
	connDialing
	connHandshaking // TLS is agreed on: with a proxy, for https with the origin
	connTunnelling  // a proxy is asked for a tunnel
	connOpen
	connClosed
)

var connMoves = [...][]connState{
	connNew:         {connDialing},
	connDialing:     {connHandshaking, connTunnelling, connOpen, connClosed},
	connHandshaking: {connTunnelling, connOpen, connClosed},
	connTunnelling:  {connHandshaking, connOpen, connClosed},
	connOpen:        {connClosed},
	connClosed:      nil,
}

// conn is one socket.
type conn struct {
	token     token
	number    uint32
	fd        int32
	uses      uint32 // exchanges begun
	seat      int32  // index in origin.available, or -1
	busy      uint16 // exchanges under way
	state     connState
	interest  poller.Interest // what the poller has been told; 0: not there
	eof       bool            // the peer has sent its last byte
	leaving   bool            // about to close: takes no more exchanges
	resting   bool            // until its deadline nothing is received, see pace.go
	verifying bool            // its certificate is being judged
	agreed    TLSState

	origin   *origin
	job      *job          // until it is Open: whose attempt it is; nil when that job went elsewhere
	secure   *tlsconn.Conn // nil without TLS; see secure.go
	tunnel   *tunnel       // nil without; see tunnel.go
	proto    protocol
	h1       h1            // what proto is, unless a test speaks something else
	first    *exchange     // of those under way
	outbox   *outbox       // nil when all has been sent, as nearly always
	address  *netip.Addr   // the peer's; one of a lookup's answer
	deadline deadline      // connect, idle or rest
	limit    *rate.Limit   // of bytes; nil while there is none to keep, see throttle.go
	until    time.Duration // when it is too old to be used again

	links[conn] // in loop.idle
}

func (c *conn) place() *links[conn] { return &c.links }

// outbox is what a conn has not been able to send.
type outbox struct {
	head []byte  // bytes of ours still to send, as they go out
	body []byte  // then these, borrowed from a Request, not encrypted yet
	rest *upload // then what comes of this; nil without
	err  error   // send failed, nothing more goes out; what recv says next decides
}

// outboxed is a conn's outbox, made if it has none.
func (c *conn) outboxed() *outbox {
	if c.outbox == nil {
		c.outbox = new(outbox)
	}
	return c.outbox
}

// unsent is how many bytes wait to be sent.
func (c *conn) unsent() int {
	if c.outbox == nil {
		return 0
	}
	return len(c.outbox.head) + len(c.outbox.body)
}

// sendFailure is why nothing more can be sent, if that is so.
func (c *conn) sendFailure() error {
	if c.outbox == nil {
		return nil
	}
	return c.outbox.err
}

// setConn moves a conn on: legality, deadline, event.
func (l *loop) setConn(c *conn, to connState) {
	mustMove(connMoves[c.state], to, "conn", c.state)
	c.state = to
	switch to {
	case connDialing:
		l.timers.set(&c.deadline, c.token, connectPatience, l.now+l.options.ConnectTimeout)
		l.trace(ConnDialing, c.job, c, 0, 0, nil)
	case connTunnelling:
		if c.job != nil {
			c.job.lap(stageConnect, l.now)
		}
		l.timers.set(&c.deadline, c.token, connectPatience, l.now+l.options.ConnectTimeout)
		l.trace(ConnTunnelling, c.job, c, int(c.agreed.Version), int(c.agreed.Suite), nil)
	case connHandshaking:
		if c.job != nil && !c.atProxy() {
			c.job.lap(stageTLS, l.now)
		}
		l.timers.set(&c.deadline, c.token, connectPatience, l.now+l.options.ConnectTimeout)
		l.trace(ConnHandshaking, c.job, c, 0, 0, nil)
	case connOpen:
		c.deadline.clear()
		c.until = l.now + l.options.MaxConnAge
		l.trace(ConnOpen, c.job, c, int(c.agreed.Version), int(c.agreed.Suite), nil)
	case connClosed:
		c.deadline.clear()
		l.trace(ConnClosed, nil, c, 0, 0, nil)
	}
}

// remote is the peer's address and port; nothing when it has a path.
func (c *conn) remote() netip.AddrPort {
	_, port := c.origin.route.hop()
	return peer(*c.address, port)
}

// atProxy says whether a conn on its way to open has to do with a proxy still.
func (c *conn) atProxy() bool {
	p := &c.origin.route.proxy
	return p.kind != noProxy && !c.tunnelled() && (c.state == connTunnelling || p.isSecure())
}

// dial makes a socket and starts to connect it, for a job. The address stays
// where it is.
func (l *loop) dial(j *job, address *netip.Addr) error {
	fd, err := l.socket(*address)
	if err != nil {
		return err
	}
	_, port := j.origin.route.hop()
	to := peer(*address, port)
	err = l.connect(fd, to)
	if err != nil && err != syscall.EINPROGRESS {
		l.kernel.CloseSocket(fd)
		l.traceConnect(j, nil, to, err)
		return err
	}
	c := l.newConn(fd, j, address)
	l.traceConnect(j, c, to, err)
	if err == nil {
		l.establish(c)
		return nil
	}
	if err := l.watch(c); err != nil {
		c.job, j.dialing = nil, nil
		l.retire(c)
		return err
	}
	return nil
}

func (l *loop) newConn(fd int, j *job, address *netip.Addr) *conn {
	c, k := l.conns.add()
	l.dialed++
	c.token, c.number = k, uint32(l.dialed)
	c.fd, c.address, c.seat = int32(fd), address, -1
	c.origin, c.job = j.origin, j
	c.proto = l.speak(c)
	if c.origin.route.proxy.kind == socksProxy {
		c.tunnel = &tunnel{target: j.beyond()}
	}
	j.dialing = c
	l.slots++
	c.origin.slots++
	l.setConn(c, connDialing)
	return c
}

// advance is called when a conn may be ready. An event is a hint: each step
// asks the kernel and believes only that.
func (l *loop) advance(c *conn, e poller.Event) {
	switch c.state {
	case connDialing:
		if c.origin.route.beginsWithTLS() && !l.mayHandshake(c) {
			return
		}
		l.finishDial(c)
	case connHandshaking, connTunnelling:
		if e.Writable && c.unsent() > 0 {
			l.flush(c)
		}
		if e.Readable && !c.verifying && (!c.origin.route.hasTLS() || l.mayHandshake(c)) {
			l.receiveOpening(c)
		}
	case connOpen:
		if e.Writable && c.unsent() > 0 {
			l.flush(c)
		}
		if e.Readable && c.state == connOpen && c.receiving() && l.mayReceive(c) {
			l.receive(c)
		}
	case connNew, connClosed:
		return
	}
	l.settle(c)
}

// finishDial asks how a connect ended. That nothing is pending (SO_ERROR 0)
// says little: it is so while the connect is under way too, and events can be
// spurious. Only a peer's name proves the connection (connect(2)).
func (l *loop) finishDial(c *conn) {
	if err := l.kernel.SocketError(int(c.fd)); err != nil {
		l.dialFailed(c, err)
		return
	}
	if l.kernel.Connected(int(c.fd)) {
		l.establish(c)
	}
}

// failOpening ends the job whose conn got no further than connected: TLS was not
// agreed on, or a proxy made no tunnel. Another address would be the same server's.
func (l *loop) failOpening(c *conn, err error) {
	j := c.job
	if j == nil {
		l.retire(c)
		return
	}
	phase := c.phase()
	if phase == PhaseProxy && c.state == connHandshaking {
		err = &ProxyError{c.origin.route.proxy.String(), PhaseTLS, err}
	}
	j.dialing, c.job = nil, nil
	l.retire(c)
	j.tell().Remote, j.tell().UnixSocket = c.remote(), l.options.UnixSocket
	j.attempt++
	l.finish(j, phase, err)
}

// phase is the phase in which a conn on its way to open would fail now.
func (c *conn) phase() Phase {
	switch {
	case c.state == connDialing:
		return PhaseDial
	case c.atProxy():
		return PhaseProxy
	}
	return PhaseTLS
}

// opened is called when a conn can carry an exchange. The job that wanted it gets it,
// or, when that one went elsewhere, whoever is next at the origin.
func (l *loop) opened(c *conn) {
	j := c.job
	l.setConn(c, connOpen)
	l.reached(c.origin)
	if j != nil {
		j.dialing, c.job = nil, nil
		l.unlink(j)
		l.assign(c, j)
		l.settle(c)
		return
	}
	l.release(c)
	l.settle(c)
}

// transmit sends a request at once, as far as the send buffer takes it, and
// keeps the rest. body is borrowed; head is not.
func (l *loop) transmit(c *conn, head, body []byte, rest *upload) {
	if c.secure != nil {
		head = l.seal(c, head)
	}
	l.push(c, head)
	if (len(body) > 0 || rest != nil) && c.sendFailure() == nil {
		o := c.outboxed()
		o.body, o.rest = body, rest
		l.drain(c)
	}
	if c.sendFailure() == nil {
		l.progressSent(c)
	}
}

// push sends bytes as they are, and keeps a copy of those that the send buffer
// does not take now.
func (l *loop) push(c *conn, p []byte) {
	if len(p) == 0 {
		return
	}
	awaited := c.awaitsUpload()
	if c.unsent() == 0 && c.sendFailure() == nil {
		p = p[l.send(c, p):]
	}
	if len(p) > 0 && c.sendFailure() == nil {
		o := c.outboxed()
		o.head = append(o.head, p...)
	}
	if awaited {
		l.progressSent(c)
	}
}

// drain sends what it can of an outbox, lets go of it when it is empty, and says
// how much it sent.
func (l *loop) drain(c *conn) (sent int) {
	o := c.outbox
	for o.err == nil {
		switch {
		case len(o.head) > 0:
			n := l.send(c, o.head)
			sent += n
			if o.head = o.head[min(n, len(o.head)):]; len(o.head) > 0 {
				return sent
			}
		case len(o.body) > 0 && c.secure == nil:
			n := l.send(c, o.body)
			sent += n
			if o.body = o.body[min(n, len(o.body)):]; len(o.body) > 0 {
				return sent
			}
		case len(o.body) > 0:
			n := min(len(o.body), sealBytes)
			sealed := l.seal(c, o.body[:n])
			if o.err == nil {
				o.head, o.body = append(o.head, sealed...), o.body[n:]
			}
		case o.rest != nil:
			piece, more := o.rest.take()
			if o.body = piece; !more {
				o.rest = nil
			} else if len(piece) == 0 || sent >= uploadTurn {
				return sent
			}
		default:
			c.outbox = nil
			return sent
		}
	}
	return sent
}

// flush goes on sending what is left.
func (l *loop) flush(c *conn) {
	if l.drain(c) > 0 && c.sendFailure() == nil {
		l.progressSent(c)
	}
}

// send makes one send call. On an error nothing more is sent, and the conn
// waits for its next recv: the peer may have answered before it went away.
func (l *loop) send(c *conn, p []byte) int {
	n, err := l.kernel.Send(int(c.fd), p)
	l.trace(CallSend, c.soleJob(), c, n, len(p), err)
	if err != nil && err != syscall.EAGAIN {
		c.failSending(err)
		return 0
	}
	return n
}

// failSending drops what was still to be sent: nothing more goes out.
func (c *conn) failSending(err error) {
	*c.outboxed() = outbox{err: err}
}

// receive makes one recv call into the loop's one buffer and passes on what
// came. Level triggering will tell of what is left.
func (l *loop) receive(c *conn) {
	if x := c.proto.straight(); x != nil && c.secure == nil && !l.options.paced() && l.splice(c, x) {
		return
	}
	most := l.portion(len(l.buffer))
	n, err := l.kernel.Recv(int(c.fd), l.buffer[:most])
	l.trace(CallRecv, c.soleJob(), c, n, most, err)
	l.drank(c, n)
	switch {
	case err == syscall.EAGAIN:
	case err != nil:
		l.broken(c, err)
	case c.busy == 0 && (n == 0 || c.secure == nil):
		// Idle: neither bytes nor the end belong to an exchange of ours.
		l.retire(c)
	case n == 0:
		l.ended(c)
	default:
		if c.busy == 1 && (c.secure == nil || c.proto.started()) {
			l.heard(c.first) // be it only a part of a head, or of a record
		}
		c.feed(l.buffer[:n])
		l.pull(c)
		l.pace(c)
	}
}

// ended is called when the peer has sent its last byte.
func (l *loop) ended(c *conn) {
	if err := c.sendFailure(); err != nil && !c.proto.started() {
		l.broken(c, err)
		return
	}
	c.feedEnd()
	l.pull(c)
}

// pull takes what the bytes fed so far amount to and hands it to the exchanges,
// until more bytes are needed or a sink has asked for a pause.
func (l *loop) pull(c *conn) {
	for c.state == connOpen {
		if !c.proto.reading() {
			c.proto.hold()
			c.hold()
			return
		}
		x, kind, err := c.proto.next()
		switch {
		case err != nil:
			l.broken(c, err)
		case kind == http1.NeedData && c.eof:
			l.broken(c, http1.ErrNoResponse)
		case kind == http1.NeedData:
			if !l.refill(c) {
				return
			}
		default:
			l.step(x, kind)
		}
	}
}

// broken is called when a conn can carry nothing more: its exchanges fail, or
// begin again elsewhere, and it is closed.
func (l *loop) broken(c *conn, err error) {
	for c.first != nil {
		l.lost(c.first, err)
	}
	if c.state != connClosed {
		l.retire(c)
	}
}

// wants is what a conn waits for, derived from its state and unsent bytes.
// Nothing, for a paused one: it leaves the poller until it is resumed.
func (c *conn) wants() (i poller.Interest) {
	switch c.state {
	case connDialing:
		return poller.Writable
	case connHandshaking, connTunnelling, connOpen:
		if !c.verifying && c.receiving() {
			i |= poller.Readable
		}
		if c.unsent() > 0 {
			i |= poller.Writable
		}
	}
	return i
}

// watch tells the poller what a conn waits for, if that has changed.
func (l *loop) watch(c *conn) (err error) {
	want := c.wants()
	switch {
	case want == c.interest:
		return nil
	case c.interest == 0:
		err = l.kernel.Add(int(c.fd), poller.Token(c.token), want)
	case want == 0:
		err = l.kernel.Remove(int(c.fd))
	default:
		err = l.kernel.Modify(int(c.fd), poller.Token(c.token), want)
	}
	if err == nil {
		c.interest = want
	}
	return err
}

// settle ends every step taken on a conn: what it owes the peer is sent, and
// whatever it has become, the poller knows.
func (l *loop) settle(c *conn) {
	if c.state == connOpen {
		if out := c.proto.owed(l.scratch[:0]); len(out) > 0 {
			l.transmit(c, out, nil, nil)
		}
	}
	if c.state == connClosed {
		return
	}
	if err := l.watch(c); err != nil {
		l.broken(c, err)
	}
}

// expireConn is called when a conn's own deadline has passed.
func (l *loop) expireConn(c *conn) {
	switch {
	case c.state == connDialing:
		l.dialFailed(c, l.timeout(connectPatience))
	case c.state == connHandshaking, c.state == connTunnelling:
		l.failOpening(c, l.timeout(connectPatience))
	case c.resting:
		l.endRest(c)
	default:
		l.retire(c)
	}
}

// retire closes a conn. It is the one place where a socket is closed once it
// has a conn. No exchange is left on it.
func (l *loop) retire(c *conn) {
	if c.busy > 0 || c.job != nil {
		panic("fetch: retired a conn that is in use")
	}
	l.leavePool(c)
	l.unsecure(c)
	if c.interest != 0 {
		l.kernel.Remove(int(c.fd))
		c.interest = 0
	}
	l.kernel.CloseSocket(int(c.fd))
	l.setConn(c, connClosed)
	l.slots--
	c.origin.slots--
	l.markReady(c.origin)
	l.forget(c.origin)
	l.doneConns = append(l.doneConns, c)
}

// soleJob is the job a conn works for, for events; nil when idle or several.
func (c *conn) soleJob() *job {
	if c.busy == 1 {
		return c.first.job
	}
	return c.job
}
