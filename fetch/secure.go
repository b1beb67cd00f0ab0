package fetch

import (
	"errors"
	"io"
	"syscall"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/tlsconn"
)

// Between the socket and the protocol of a secure conn stands TLS. It is fed
// what has come and asked what it amounts to, as a protocol is; bytes that it has
// decrypted are in memory and no readiness tells of them, so they are read
// until there are no more (refill) before another conn has its turn.

const (
	// handshakesPerTurn bounds the steps of handshakes that one turn takes: each
	// may hold the loop for a third of a millisecond, and transfers wait
	// meanwhile. The rest is ready in the next turn still.
	handshakesPerTurn = 16

	// sealBytes is how much of a request's body is encrypted ahead of its being
	// sent.
	sealBytes = 64 << 10
)

// establish takes the next step on the way from a connected socket to an open
// conn: TLS with a proxy, a tunnel through it, TLS with the origin.
func (l *loop) establish(c *conn) {
	r := &c.origin.route
	switch {
	case r.proxy.isSecure() && c.secure == nil && !c.tunnelled():
		l.startHandshake(c, l.newProxyTLS(&r.proxy))
	case r.tunnels() && !c.tunnelled():
		l.startTunnel(c)
	case r.secure && c.secure == nil:
		l.startHandshake(c, tlsconn.New(l.tlsConfig(*r), l.secured().pad))
	default:
		l.opened(c)
	}
}

// startHandshake begins TLS on a conn that has connected, or has a tunnel.
func (l *loop) startHandshake(c *conn, with *tlsconn.Conn) {
	l.setConn(c, connHandshaking)
	c.secure = with
	if t := c.tunnel; t != nil && len(t.rest) > 0 {
		c.secure.Feed(t.rest)
		t.rest = nil
	}
	l.handshake(c)
	l.settle(c)
}

// mayHandshake says whether this turn has room for another step of a handshake.
// A conn that has to wait is ready in the next turn too, and loses nothing: its
// time begins anew.
func (l *loop) mayHandshake(c *conn) bool {
	s := l.secured()
	s.steps++
	if s.steps > handshakesPerTurn {
		l.timers.set(&c.deadline, c.token, connectPatience, l.now+l.options.ConnectTimeout)
		return false
	}
	return true
}

// receiveOpening makes one recv call for a conn that is on its way to open.
func (l *loop) receiveOpening(c *conn) {
	n, err := l.kernel.Recv(int(c.fd), l.buffer)
	l.trace(CallRecv, c.job, c, n, len(l.buffer), err)
	l.drank(c, n)
	switch {
	case err == syscall.EAGAIN:
		return
	case err != nil:
		l.failOpening(c, err)
		return
	case n == 0 && c.sendFailure() != nil:
		l.failOpening(c, c.sendFailure()) // which has told of the reset, and recv does not again
		return
	case n == 0:
		c.feedEnd()
	default:
		c.feed(l.buffer[:n])
	}
	if c.state == connTunnelling {
		l.negotiate(c)
	} else {
		l.handshake(c)
	}
}

// handshake goes as far as what has come allows.
func (l *loop) handshake(c *conn) {
	status, err := c.secure.Handshake()
	for more := true; more && err == nil && status == tlsconn.NeedData; {
		l.sendOwed(c)
		if more, err = l.lift(c); more {
			status, err = c.secure.Handshake()
		}
	}
	if err == nil && status == tlsconn.Done {
		l.shaken(c)
		return
	}
	l.sendOwed(c) // after a failure too: the alert tells the server
	switch {
	case err != nil:
		l.failOpening(c, err)
	case status == tlsconn.NeedVerification:
		l.verify(c)
	}
}

// shaken goes on with a conn whose handshake is done. What that still owes waits
// for the request and goes out together with it: apart, the second of two small
// sends would wait for the server's delayed acknowledgment of the first (Nagle's
// algorithm, RFC 1122 section 4.2.3.4).
func (l *loop) shaken(c *conn) {
	state := c.secure.State()
	c.agreed = TLSState{state.Version, state.CipherSuite, state.DidResume}
	l.establish(c)
	if c.state == connOpen {
		l.pull(c) // what came with the end of the handshake: tickets
	}
}

// verify has a certificate judged beside the loop. The conn waits outside the
// poller.
func (l *loop) verify(c *conn) {
	l.asked++
	v, judge := verification{c.token, new(error)}, c.secure.Verification()
	c.hold()
	c.verifying = true
	l.security.verifying[l.asked] = v
	l.workers.Submit(l.asked, func() { *v.err = judge() })
}

// verified goes on with a handshake whose certificate has been judged.
func (l *loop) verified(id uint64) {
	if l.security == nil {
		return
	}
	v := l.security.verifying[id]
	delete(l.security.verifying, id)
	c := l.conns.get(v.conn)
	if v.err == nil || c == nil || c.state != connHandshaking || !c.verifying {
		return
	}
	c.verifying = false
	c.secure.Verified(*v.err)
	l.handshake(c)
	l.settle(c)
}

// feed passes on what has come from the socket.
func (c *conn) feed(p []byte) {
	switch {
	case c.outer() != nil:
		c.outer().Feed(p)
	case c.secure != nil:
		c.secure.Feed(p)
	case c.state == connTunnelling:
		c.tunnel.request.feed(p)
	default:
		c.proto.feed(p)
	}
}

// feedEnd passes on that the socket has brought its last byte. What has not been
// asked for yet comes first.
func (c *conn) feedEnd() {
	switch {
	case c.outer() != nil:
		c.outer().EOF()
	case c.secure != nil:
		c.secure.EOF()
	case c.state == connTunnelling:
		c.tunnel.request.eof()
	default:
		c.eof = true
		c.proto.eof()
	}
}

// hold keeps what TLS has been fed and not used up: the buffer it came in will
// be used for something else.
func (c *conn) hold() {
	if c.secure != nil {
		c.secure.Hold()
	}
	if o := c.outer(); o != nil {
		o.Hold()
	}
}

// refill feeds the protocol with what has been decrypted, and says whether
// there was any, or the end.
func (l *loop) refill(c *conn) bool {
	if c.secure == nil || c.eof || c.state != connOpen {
		return false
	}
	n, err := l.decrypt(c)
	l.sendOwed(c)
	switch {
	case n > 0 && c.busy > 0:
		if c.busy == 1 {
			l.heard(c.first)
		}
		c.proto.feed(l.security.plain[:n])
		return true
	case n == 0 && err == tlsconn.ErrNeedData:
	case c.busy == 0:
		l.retire(c) // idle: neither bytes nor the end belong to an exchange of ours
	case err == io.EOF, errors.Is(err, tlsconn.ErrTruncated) && !c.endsByClosing():
		c.eof = true
		c.proto.eof()
		return true
	default:
		l.broken(c, err)
	}
	return false
}

// decrypt reads what TLS has, through both layers if there are two.
func (l *loop) decrypt(c *conn) (int, error) {
	for {
		n, err := c.secure.Read(l.security.plain)
		if n > 0 || err != tlsconn.ErrNeedData {
			return n, err
		}
		if more, failed := l.lift(c); failed != nil {
			return 0, failed
		} else if !more {
			return 0, err
		}
	}
}

// surplus says whether more has come than has been decrypted: a part of a
// record, of which nobody can say whether it is a ticket or what was not asked
// for.
func (c *conn) surplus() bool {
	return c.secure != nil && (c.secure.Pending() || c.outer() != nil && c.outer().Pending())
}

// endsByClosing says whether the end of the connection is all that tells where
// the response under way ends. Then it must be a close_notify: anyone could cut
// the connection (RFC 9112 section 9.8).
func (c *conn) endsByClosing() bool {
	x := c.first
	if x == nil || x.state != exchangeReceiving {
		return false
	}
	_, framing := c.proto.head(x)
	return framing == http1.UntilClose
}

// seal encrypts what is to be sent, and puts it behind what TLS itself has to
// say. The result is good until the next conn has its turn.
func (l *loop) seal(c *conn, p []byte) []byte {
	err := c.secure.Write(p)
	out := c.secure.Outgoing()
	if err != nil {
		c.failSending(err)
		return nil
	}
	return l.wrap(c, out)
}

// sendOwed sends what TLS itself has to say: its part of the handshake, the
// answer to a new key, an alert.
func (l *loop) sendOwed(c *conn) { l.push(c, l.wrap(c, c.secure.Outgoing())) }

// unsecure ends TLS on a conn that is about to close. A server that still
// listens is told, so that it need not suspect a cut (RFC 8446 section 6.1);
// whether that gets through makes no difference to us.
func (l *loop) unsecure(c *conn) {
	if c.secure == nil {
		return
	}
	if c.state == connOpen && !c.eof && c.outbox == nil {
		c.secure.CloseNotify()
		l.sendOwed(c)
		if o := c.outer(); o != nil {
			o.CloseNotify()
			l.push(c, o.Outgoing())
		}
	}
	c.stopTLS()
}

// stopTLS frees what TLS has, without a word to anybody.
func (c *conn) stopTLS() {
	if c.secure != nil {
		c.secure.Stop()
		c.secure = nil
	}
	if o := c.outer(); o != nil {
		o.Stop()
		c.tunnel.outer = nil
	}
}
