package lab

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

const (
	idleTimeout   = 60 * time.Second // a client that sends no request is let go
	lingerTimeout = time.Second      // Server.linger, but in tests
)

// conn is one client. It is used by one goroutine, but for tcp.Close.
type conn struct {
	server *Server
	id     int
	tcp    *net.TCPConn
	secure *tls.Conn // over tcp; nil: nothing is encrypted
	mute   bool      // closes without close_notify (RFC 8446, section 6.1)
	in     *bufio.Reader
	sent   int64
	writes int
	err    error // the first failure; after it nothing is sent or read
	ending string
}

func newConn(s *Server, tcp *net.TCPConn, id int) *conn {
	tcp.SetNoDelay(true) // every write is a segment of its own, as far as there is room
	return &conn{server: s, id: id, tcp: tcp, in: bufio.NewReader(tcp)}
}

func (c *conn) out() io.Writer {
	if c.secure != nil {
		return c.secure
	}
	return c.tcp
}

// send writes all of p, however long the client takes, and says whether it
// could.
func (c *conn) send(p []byte) bool {
	if c.err != nil {
		return false
	}
	n, err := c.out().Write(p)
	c.sent += int64(n)
	c.writes++
	c.server.stats.bytes.Add(int64(n))
	c.fail(err)
	return c.err == nil
}

// pause waits, and says whether there is a reason to go on: a server that is
// being closed has none.
func (c *conn) pause(d time.Duration) bool {
	if c.err != nil {
		return false
	}
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.server.closing:
		c.fail(net.ErrClosed)
		return false
	}
}

// waitForClient does nothing until the client has gone.
func (c *conn) waitForClient() {
	if c.err != nil {
		return
	}
	_, err := io.Copy(io.Discard, c.in)
	if err == nil {
		err = io.EOF
	}
	c.fail(err)
}

// finish says that it is the end, sends FIN after what was sent, and waits a moment for the client:
// closing with bytes unread would turn into a reset and could take from the
// client what it has not read yet (RFC 9112, section 9.6).
func (c *conn) finish() {
	if c.err != nil {
		return
	}
	if c.ending == "" {
		c.ending = "the lab closed"
	}
	if c.secure != nil && !c.mute {
		c.secure.CloseWrite() // TLS alone; what stands in its way stands in the way of FIN
	}
	if c.fail(c.tcp.CloseWrite()) {
		return
	}
	timer := time.AfterFunc(c.server.linger, func() { c.tcp.Close() })
	defer timer.Stop()
	c.waitForClient()
}

// reset throws the connection away: the client gets RST (a linger time of 0,
// socket(7)).
func (c *conn) reset() {
	if c.err != nil {
		return
	}
	c.ending = "the lab reset"
	c.tcp.SetLinger(0)
	c.tcp.Close()
	c.err = net.ErrClosed
}

// fail notes the first error, and who ended the connection by it.
func (c *conn) fail(err error) bool {
	if err == nil || c.err != nil {
		return err != nil
	}
	c.err = err
	if c.ending == "" {
		c.ending = endedBy(err)
	}
	return true
}

func endedBy(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // in the middle of a request, or of TLS
		return "the client closed"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the client reset"
	case errors.Is(err, net.ErrClosed):
		return "the lab was closed"
	}
	return "failed: " + err.Error()
}

// end closes what is still open.
func (c *conn) end() {
	c.finish()
	c.tcp.Close()
	c.server.stats.closed.Add(1)
	c.server.log.add(c.id, Closed, c.sent, "%s after %d bytes", c.ending, c.sent)
}

// passes tells of an error of accept(2) that does not last: no descriptors, or
// a client that went before it was accepted.
func passes(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}
