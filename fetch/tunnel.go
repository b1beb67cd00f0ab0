package fetch

import (
	"errors"
	"io"
	"net/netip"

	"github.com/shoalfetch/shoal/internal/socks5"
	"github.com/shoalfetch/shoal/internal/tlsconn"
)

// A tunnel leads through a proxy to the origin: the proxy is asked for it once
// the conn has connected to the proxy (and agreed on TLS with it), and then
// carries bytes without a look at them. Over the tunnel of an HTTPS proxy TLS
// with the origin goes through TLS with the proxy: two layers.

// tunnel is what a conn has that leads through one.
type tunnel struct {
	request tunnelRequest // under way; nil before and after
	target  *netip.Addr   // SOCKS with our own lookups: the origin's address, one of a lookup's answer
	rest    []byte        // what came behind the proxy's answer; borrowed
	outer   *tlsconn.Conn // TLS with the proxy, when conn.secure is TLS with the origin
	stands  bool
}

// tunnelRequest is how a proxy is asked. Like a protocol it is fed bytes and does
// no I/O.
type tunnelRequest interface {
	// feed borrows bytes that have come until next says tunnelNeedsData; eof
	// says that no more will.
	feed(p []byte)
	eof()

	next() (tunnelStep, error)

	// say appends what is to be sent after tunnelSends.
	say(dst []byte) []byte

	// rest is what came behind the answer that made the tunnel.
	rest() []byte
}

// tunnelStep is how a tunnelRequest stands.
type tunnelStep uint8

const (
	tunnelNeedsData tunnelStep = iota
	tunnelSends
	tunnelStands
)

// outer is the layer beneath conn.secure, if there are two.
func (c *conn) outer() *tlsconn.Conn {
	if c.tunnel == nil {
		return nil
	}
	return c.tunnel.outer
}

// tunnelled says whether a tunnel stands.
func (c *conn) tunnelled() bool { return c.tunnel != nil && c.tunnel.stands }

// startTunnel asks for a tunnel.
func (l *loop) startTunnel(c *conn) {
	l.setConn(c, connTunnelling)
	if c.tunnel == nil {
		c.tunnel = new(tunnel)
	}
	var err error
	if r := &c.origin.route; r.proxy.isSOCKS() {
		c.tunnel.request, err = newSOCKSRequest(r, c.tunnel.target)
	} else {
		c.tunnel.request = l.newConnectRequest(c.origin)
	}
	if err != nil {
		l.tunnelFailed(c, err)
		return
	}
	l.negotiate(c)
	l.settle(c)
}

// negotiate goes as far as what has come allows.
func (l *loop) negotiate(c *conn) {
	for c.state == connTunnelling {
		step, err := c.tunnel.request.next()
		switch {
		case err != nil:
			l.tunnelFailed(c, err)
		case step == tunnelSends:
			l.scratch = c.tunnel.request.say(l.scratch[:0])
			l.transmit(c, l.scratch, nil, nil)
		case step == tunnelStands:
			l.tunnelMade(c)
		case !l.refillRequest(c):
			return
		}
	}
}

// refillRequest feeds the request for a tunnel with what TLS has, and says
// whether there was any, or the end.
func (l *loop) refillRequest(c *conn) bool {
	if c.secure == nil {
		return false
	}
	n, err := c.secure.Read(l.security.lifted)
	l.sendOwed(c)
	switch {
	case n > 0:
		c.tunnel.request.feed(l.security.lifted[:n])
	case err == tlsconn.ErrNeedData:
		return false
	case err == io.EOF, errors.Is(err, tlsconn.ErrTruncated):
		c.tunnel.request.eof()
	default:
		l.tunnelFailed(c, err)
		return false
	}
	return true
}

var errUnasked = errors.New("bytes came through the tunnel before anything was asked")

// tunnelMade goes on with a conn whose tunnel stands.
func (l *loop) tunnelMade(c *conn) {
	t := c.tunnel
	t.rest = t.request.rest()
	if len(t.rest) > 0 && !c.origin.route.secure {
		l.tunnelFailed(c, errUnasked)
		return
	}
	t.request, t.stands = nil, true
	if c.origin.route.secure {
		t.outer, c.secure = c.secure, nil
	}
	l.establish(c)
}

// tunnelFailed is called when a proxy has made no tunnel. Where it was given an
// address, there may be another.
func (l *loop) tunnelFailed(c *conn, err error) {
	j, t := c.job, c.tunnel
	if _, refused := errors.AsType[*socks5.ReplyError](err); !refused || t.target == nil || j == nil {
		l.failOpening(c, err)
		return
	}
	_, port := c.origin.route.end()
	l.note(j, netip.AddrPortFrom(*t.target, port), err)
	s := j.special
	if s.asked++; int(s.asked) >= len(s.beyond.answer.addrs) {
		l.failOpening(c, j.trouble.dialErrs)
		return
	}
	j.dialing, c.job = nil, nil
	l.retire(c)
	j.tried-- // the proxy's address that has answered
	l.dialNext(j)
}

// lift feeds the layer of the origin with what that of the proxy has decrypted,
// and says whether there was any, or the end.
func (l *loop) lift(c *conn) (bool, error) {
	o := c.outer()
	if o == nil {
		return false, nil
	}
	n, err := o.Read(l.security.lifted)
	l.push(c, o.Outgoing())
	switch {
	case n > 0:
		c.secure.Feed(l.security.lifted[:n])
	case err == tlsconn.ErrNeedData:
		return false, nil
	case err == io.EOF, errors.Is(err, tlsconn.ErrTruncated):
		c.secure.EOF() // who cut the connection cannot have said the origin's goodbye
	default:
		return false, err
	}
	return true, nil
}

// wrap puts what the layer of the origin has sealed into that of the proxy, if
// there is one. The result is good until the next conn has its turn.
func (l *loop) wrap(c *conn, sealed []byte) []byte {
	o := c.outer()
	if o == nil || len(sealed) == 0 {
		return sealed
	}
	err := o.Write(sealed)
	out := o.Outgoing()
	if err != nil {
		c.failSending(err)
		return nil
	}
	return out
}
