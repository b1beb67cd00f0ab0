package lab

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// wire is a connection as TLS sees it. While the handshake lasts, what the
// server sends may be something else than TLS wants to send.
type wire struct {
	*net.TCPConn
	conn   *conn
	answer func(w *wire, p []byte) (int, error) // nil: TLS is let alone
	err    error                                // of answer; then nothing more is sent
}

func (w *wire) Write(p []byte) (n int, err error) {
	if w.answer == nil || w.err != nil {
		n, err = w.TCPConn.Write(p)
		return n, errors.Join(w.err, err)
	}
	n, w.err = w.answer(w, p)
	return n, w.err
}

// errRude is how a handshake ends that the lab has broken off.
var errRude = errors.New("lab: broken off")

// greet agrees with a client on how to speak TLS, and says whether they came to
// an agreement.
func (c *conn) greet(s *secured) bool {
	w := &wire{TCPConn: c.tcp, conn: c}
	secure := tls.Server(w, s.usual)
	timer := time.AfterFunc(idleTimeout, func() { c.tcp.Close() })
	err := secure.Handshake()
	timer.Stop()
	w.answer = nil
	if err != nil {
		c.disagree(err)
		return false
	}
	c.secure, c.in = secure, bufio.NewReader(secure)
	c.server.log.add(c.id, Agreed, 0, "%s", agreed(secure.ConnectionState()))
	return true
}

// agreed tells what a handshake has come to.
func agreed(s tls.ConnectionState) string {
	text := fmt.Sprintf("%s, %s, %s", tls.VersionName(s.Version), s.CurveID, tls.CipherSuiteName(s.CipherSuite))
	if s.ServerName != "" {
		text += fmt.Sprintf(", for %.200q", s.ServerName)
	}
	if s.DidResume {
		text += ", resumed"
	}
	return text
}

// disagree ends a handshake that has come to nothing. A client that does not
// speak TLS is told so.
func (c *conn) disagree(err error) {
	var foreign tls.RecordHeaderError
	switch {
	case errors.Is(err, errRude):
	case errors.As(err, &foreign) && foreign.Conn != nil:
		x := &exchange{conn: c, request: &request{}}
		x.text(400, "This port speaks TLS: the URL begins with https://\n")
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF):
		c.fail(err)
	default:
		c.ending = "no TLS was agreed on (" + err.Error() + "), the lab closed"
	}
}

func dripHandshake(w *wire, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var sent int
		sent, err = w.TCPConn.Write(p[n:min(n+100, len(p))])
		n += sent
		if !w.conn.pause(5 * time.Millisecond) {
			err = errRude
		}
	}
	return n, err
}

func stallHandshake(w *wire, _ []byte) (int, error) {
	w.conn.waitForClient()
	return 0, errRude
}

func finHandshake(*wire, []byte) (int, error) { return 0, errRude }

func cutHandshake(w *wire, p []byte) (int, error) {
	n, _ := w.TCPConn.Write(p[:len(p)/2])
	return n, errRude
}

func resetHandshake(w *wire, _ []byte) (int, error) {
	w.conn.reset()
	return 0, errRude
}

func plainHandshake(w *wire, _ []byte) (int, error) {
	x := &exchange{conn: w.conn, request: &request{}}
	x.text(400, "This port does not speak TLS.\n")
	return 0, errRude
}
