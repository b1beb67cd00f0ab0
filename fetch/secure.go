package fetch

import (
	"crypto/x509"
	"errors"
	"io"
	"runtime"
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

	// plainBytes is how much is decrypted at once, to be written at once.
	plainBytes = 256 << 10

	// sealBytes is how much of a request's body is encrypted ahead of its being
	// sent.
	sealBytes = 64 << 10

	// sessionsKept is how many origins' sessions are remembered.
	sessionsKept = 4096
)

// verifierBlocks says whether the system's own verifier of certificates may
// wait, for another process or for the network: then it runs beside the loop.
const verifierBlocks = runtime.GOOS == "darwin" || runtime.GOOS == "ios"

// verification is the judgement of a certificate, made by a worker. The worker
// writes err; the loop reads it when the work has finished.
type verification struct{ err error }

// security is what all secure conns share. It is made when the first https URL
// is admitted: to read the system's roots takes some milliseconds, which runs
// without TLS are spared, and handshakes too.
type security struct {
	settings tlsconn.Settings
	configs  map[route]*tlsconn.Config
	pad      *tlsconn.Pad
	plain    []byte // decrypted, on its way to a protocol
	steps    int    // of handshakes, in this turn

	verifying map[uint64]token // the conns that wait, by their work
}

// secured gives what secure conns share.
func (l *loop) secured() *security {
	if l.security == nil {
		var t TLS
		if l.options.TLS != nil {
			t = *l.options.TLS
		}
		s := tlsconn.Settings{
			Roots:        t.Roots,
			Insecure:     t.Insecure,
			Certificates: t.Certificates,
			MinVersion:   t.MinVersion,
			MaxVersion:   t.MaxVersion,
			Curves:       t.Curves,
			KeyLog:       t.KeyLog,
			Time:         l.kernel.Wall,
			Protocols:    []string{"http/1.1"},
			Sessions:     sessionsKept,
			Later:        l.verifyLater,
		}
		if s.Roots == nil && !s.Later {
			s.Roots, _ = x509.SystemCertPool() // an error shows when there is something to judge
		}
		for _, p := range t.Pins {
			s.Pins = append(s.Pins, p[:])
		}
		l.security = &security{
			settings:  s,
			configs:   map[route]*tlsconn.Config{},
			pad:       tlsconn.NewPad(),
			plain:     make([]byte, plainBytes),
			verifying: map[uint64]token{},
		}
	}
	return l.security
}

// tlsConfig is an origin's part of the settings. It outlives the origin, with
// the session that later conns go on with.
func (l *loop) tlsConfig(r route) *tlsconn.Config {
	s := l.secured()
	c := s.configs[r]
	if c == nil {
		if len(s.configs) >= sessionsKept {
			clear(s.configs)
		}
		c = s.settings.Config(r.host)
		s.configs[r] = c
	}
	return c
}

// establish takes the next step on the way from a connected socket to an open
// conn.
func (l *loop) establish(c *conn) {
	if c.origin.route.secure && c.secure == nil {
		l.startHandshake(c)
		return
	}
	l.opened(c)
}

// startHandshake begins TLS on a conn that has connected.
func (l *loop) startHandshake(c *conn) {
	l.setConn(c, connHandshaking)
	c.secure = tlsconn.New(l.tlsConfig(c.origin.route), l.security.pad)
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

// receiveHandshake makes one recv call for a handshake.
func (l *loop) receiveHandshake(c *conn) {
	n, err := l.kernel.Recv(int(c.fd), l.buffer)
	l.trace(CallRecv, c.job, c, n, len(l.buffer), err)
	l.drank(c, n)
	switch {
	case err == syscall.EAGAIN:
		return
	case err != nil:
		l.handshakeFailed(c, err)
		return
	case n == 0 && c.sendFailure() != nil:
		l.handshakeFailed(c, c.sendFailure()) // which has told of the reset, and recv does not again
		return
	case n == 0:
		c.secure.EOF()
	default:
		c.secure.Feed(l.buffer[:n])
	}
	l.handshake(c)
}

// handshake goes as far as what has come allows.
func (l *loop) handshake(c *conn) {
	status, err := c.secure.Handshake()
	if err == nil && status == tlsconn.Done {
		l.shaken(c)
		return
	}
	l.sendOwed(c) // after a failure too: the alert tells the server
	switch {
	case err != nil:
		l.handshakeFailed(c, err)
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
	v, judge := new(verification), c.secure.Verification()
	c.secure.Hold()
	c.verification = v
	l.security.verifying[l.asked] = c.token
	l.workers.Submit(l.asked, func() { v.err = judge() })
}

// verified goes on with a handshake whose certificate has been judged.
func (l *loop) verified(id uint64) {
	if l.security == nil {
		return
	}
	k, known := l.security.verifying[id]
	delete(l.security.verifying, id)
	c := l.conns.get(k)
	if !known || c == nil || c.state != connHandshaking || c.verification == nil {
		return
	}
	c.secure.Verified(c.verification.err)
	c.verification = nil
	l.handshake(c)
	l.settle(c)
}

// handshakeFailed ends the job whose conn could not agree with its server.
// Another address would be the same server's.
func (l *loop) handshakeFailed(c *conn, err error) {
	j := c.job
	if j == nil {
		l.retire(c)
		return
	}
	j.dialing, c.job = nil, nil
	l.retire(c)
	j.tell().Remote = c.remote()
	j.attempt++
	l.finish(j, PhaseTLS, err)
}

// feed passes on what has come from the socket.
func (l *loop) feed(c *conn, p []byte) {
	if c.secure != nil {
		c.secure.Feed(p)
		return
	}
	c.proto.feed(p)
}

// refill feeds the protocol with what has been decrypted, and says whether
// there was any, or the end.
func (l *loop) refill(c *conn) bool {
	if c.secure == nil || c.eof || c.state != connOpen {
		return false
	}
	n, err := c.secure.Read(l.security.plain)
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

// surplus says whether more has come than has been decrypted: a part of a
// record, of which nobody can say whether it is a ticket or what was not asked
// for.
func (c *conn) surplus() bool { return c.secure != nil && c.secure.Pending() }

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
	return out
}

// sendOwed sends what TLS itself has to say: its part of the handshake, the
// answer to a new key, an alert.
func (l *loop) sendOwed(c *conn) {
	if out := c.secure.Outgoing(); len(out) > 0 {
		l.push(c, out)
	}
}

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
	}
	c.secure.Stop()
	c.secure = nil
}
