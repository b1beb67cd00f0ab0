package fetch

// A textbook shows TCP's flow control by pausing between recvs: what is not
// received fills the kernel's buffer, and then the server can send no more. Here
// the pause is a timer of the loop, so that other conns go on meanwhile.

// EndAt says how the end of a response is known.
type EndAt uint8

// The three ways.
const (
	AtFraming EndAt = iota // by Content-Length, chunks, or else the closing (RFC 9112 section 6.3)
	AtClose                // when the server closes, whatever the head says
	AtSilence              // as AtClose, or when nothing has come for Options.StallTimeout
)

// paced says whether each recv is to be seen for itself.
func (o *Options) paced() bool { return o.RecvDelay > 0 || o.RecvBytes != recvBytes }

// receiving says whether a conn may be read from now.
func (c *conn) receiving() bool { return !c.resting && c.proto.reading() }

// pace lets a conn rest after a recv: it leaves the poller until its deadline.
func (l *loop) pace(c *conn) {
	if l.options.RecvDelay <= 0 || c.state != connOpen || c.busy == 0 {
		return
	}
	c.resting = true
	l.timers.set(&c.deadline, c.token, pacePatience, l.now+l.options.RecvDelay)
}

// endRest lets a conn be read from again.
func (l *loop) endRest(c *conn) {
	if l.sip == 0 {
		c.resting = false
		l.settle(c)
		return
	}
	l.unhold(c)
	if l.mayReceive(c) {
		l.sipFrom(c)
		return
	}
	l.settle(c)
}

// silent takes a silence for the end of a response, over TLS without its being
// told.
func (l *loop) silent(x *exchange) {
	c := x.conn
	c.eof = true
	c.proto.eof()
	l.pull(c)
	l.settle(c)
}
