package tlsconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"

	"github.com/shoalfetch/shoal/internal/coro"
)

// ErrNeedData is what Read returns when it has given all there is: it goes on
// after Feed or EOF.
var ErrNeedData = errors.New("tlsconn: more data is needed")

// ErrTruncated is what Read returns when the transport has ended and the server
// had not said that it would (close_notify). A body that ends with the
// connection is then incomplete (RFC 9112, 9.8); one whose length is known need
// not be. It wraps io.ErrUnexpectedEOF.
var ErrTruncated error = &Error{"the connection ended without TLS's closing (close_notify)", io.ErrUnexpectedEOF}

// Status is how far a handshake has come.
type Status uint8

const (
	NeedData         Status = iota // it goes on after Feed or EOF
	NeedVerification               // it goes on after Verified
	Done                           // Read and Write may be called
)

// coroutineForLife keeps the coroutine for the reads too, which costs a stack
// of 8 KB and a buffer of 16 KB for each conn. It is what to set if
// TestStandardLibrary ever fails.
const coroutineForLife = false

// Conn is one TLS connection as its client sees it. It is used by one goroutine,
// and must be stopped, whatever happened.
type Conn struct {
	config  *Config
	wire    wire
	tls     *tls.Conn // nil before the first Handshake
	status  Status
	err     error // why there is no more to be had; io.EOF after close_notify
	full    bool  // the last read was cut off by its buffer: there is more
	forLife bool
	plain   []byte // with a coroutine for life: what it has read

	verification func() error // what Verified has to answer
	verdict      error
}

// New makes a Conn. The config is shared by the conns of one origin, the pad by
// those of one loop. Nothing is done yet.
func New(config *Config, pad *Pad) *Conn {
	return &Conn{config: config, wire: wire{pad: pad, first: headerLen}, forLife: coroutineForLife}
}

// Handshake begins the handshake, or goes on with it after Feed, EOF or
// Verified. The bytes of the server's that came with its last message are still
// borrowed when it says Done: call Read or Hold next. An error is for good;
// Outgoing then has the alert that tells the server.
//
// It may take some tenths of a millisecond of CPU at once.
func (c *Conn) Handshake() (Status, error) {
	c.wire.pad.serve(&c.wire)
	switch {
	case c.err != nil:
		return c.status, c.err
	case c.status == Done, c.verification != nil:
		return c.status, nil
	case c.tls == nil:
		c.start()
	}
	c.status = NeedData
	if !c.wire.coro.Resume() {
		c.wire.coro = nil
	}
	if c.status == NeedVerification {
		c.Hold()
	}
	return c.status, c.err
}

// start makes the conn of crypto/tls and the coroutine.
func (c *Conn) start() {
	config := c.config.tls
	if c.config.later {
		config = config.Clone()
		config.VerifyConnection = c.await
	}
	c.tls = tls.Client(&c.wire, config)
	c.wire.coro = coro.Start(func(*coro.Coro) { c.run() })
}

// run is what happens in the coroutine.
func (c *Conn) run() {
	if err := c.tls.Handshake(); err != nil {
		c.end(err)
		return
	}
	c.status = Done
	if c.forLife {
		c.readOn()
	}
}

// await is crypto/tls's question whether the server is to be trusted, when the
// answer is sought elsewhere.
func (c *Conn) await(state tls.ConnectionState) error {
	c.verification = c.config.verification(state.PeerCertificates)
	c.status = NeedVerification
	if !c.wire.coro.Pause() {
		return coro.ErrStopped
	}
	return c.verdict
}

// Verification returns the question that NeedVerification stands for: a
// function that checks the server's certificate and may block. It shares nothing
// with the conn, so it may run on another goroutine and end after Stop. It is
// nil when there is no question. What was fed is not borrowed meanwhile.
func (c *Conn) Verification() func() error { return c.verification }

// Verified answers NeedVerification with what the function of Verification
// returned. Handshake then goes on.
func (c *Conn) Verified(err error) {
	if c.verification == nil {
		panic("tlsconn: Verified without NeedVerification")
	}
	c.verification, c.verdict = nil, err
}

// State says what was agreed in the handshake. The verified chains are empty
// where the certificate was verified elsewhere. It panics before Done.
func (c *Conn) State() tls.ConnectionState {
	c.mustBeOpen("State")
	state := c.tls.ConnectionState()
	if c.config.keeps {
		state.VerifiedChains, _ = c.config.trust(state.PeerCertificates)
	}
	return state
}

// Feed lends the conn the next ciphertext, until Handshake says NeedData or
// NeedVerification, until Read says ErrNeedData or fails, or until Hold. It panics
// if earlier bytes are left, and after EOF. What comes after an error is dropped.
func (c *Conn) Feed(p []byte) {
	switch {
	case len(c.wire.in) > 0:
		panic("tlsconn: Feed before the last bytes are used up")
	case c.wire.eof:
		panic("tlsconn: Feed after EOF")
	case c.err != nil:
		return
	}
	c.wire.in = p
}

// Hold copies what is fed and not read yet, so that it is borrowed no longer:
// for a conn that nobody reads for a while. The copy goes when it is read.
func (c *Conn) Hold() { c.wire.in = bytes.Clone(c.wire.in) }

// EOF says that the transport has ended: after what was fed nothing more comes.
func (c *Conn) EOF() { c.wire.eof = true }

// Pending says whether bytes were fed that are no part of what Read has given:
// the rest of a record, a record that Read did not come to, or a part of one,
// which with TLS 1.3 may be a ticket. It is certain when Read has said
// ErrNeedData: a Read that filled its buffer does not know whether it took all.
func (c *Conn) Pending() bool { return c.full || len(c.wire.in) > 0 || c.wire.record.begun() }

// Read puts plaintext into p, from as many records as it takes to fill it. It
// returns ErrNeedData when there is none; io.EOF after close_notify; ErrTruncated
// when the transport has ended without; any other error is for good too. What it
// has is returned first, and the error by the next call. A KeyUpdate or an alert
// may be in Outgoing afterwards. It panics before Done.
func (c *Conn) Read(p []byte) (n int, err error) {
	c.wire.pad.serve(&c.wire)
	c.mustBeOpen("Read")
	for n < len(p) && c.readable() {
		if c.forLife {
			n += c.resume(p[n:])
		} else {
			n += c.read(p[n:])
		}
	}
	switch {
	case n > 0 || len(p) == 0:
		return n, nil
	case c.err != nil:
		return 0, c.err
	}
	return 0, ErrNeedData
}

// readable says whether crypto/tls can do something with what there is.
func (c *Conn) readable() bool {
	return c.full || c.err == nil && (len(c.wire.in) > 0 || c.wire.eof)
}

// read reads the rest of a record, or the next one.
func (c *Conn) read(p []byte) int {
	n, err := c.tls.Read(p)
	c.full = n == len(p)
	if err != nil && err != (wouldBlock{}) {
		c.end(err)
	}
	return n
}

// resume is read with a coroutine for life.
func (c *Conn) resume(p []byte) int {
	if len(c.plain) == 0 && !c.wire.coro.Resume() {
		c.wire.coro = nil
	}
	n := copy(p, c.plain)
	c.plain = c.plain[n:]
	c.full = len(c.plain) > 0
	return n
}

// readOn reads one record for each time that it is resumed. It has a buffer of
// its own, because the caller's is gone when the rest of a record comes.
func (c *Conn) readOn() {
	buf := make([]byte, maxPlaintext)
	for c.err == nil && c.wire.coro.Pause() {
		n, err := c.tls.Read(buf)
		c.plain = buf[:n]
		if err != nil {
			c.end(err)
		}
	}
}

// maxPlaintext is what a record holds at most (RFC 8446, 5.1).
const maxPlaintext = 16 << 10

// end keeps the first error that is for good, in words. What else was fed is
// nobody's (RFC 8446, 6.1).
func (c *Conn) end(err error) {
	if c.err != nil {
		return
	}
	c.err = c.explain(err)
	c.wire.in, c.wire.record = nil, record{}
}

// Write encrypts p and adds it to Outgoing. It takes all of it; the caller
// bounds how much that is. It panics before Done.
func (c *Conn) Write(p []byte) error {
	c.wire.pad.serve(&c.wire)
	c.mustBeOpen("Write")
	if _, err := c.tls.Write(p); err != nil {
		return c.explain(err)
	}
	return nil
}

// CloseNotify adds the alert to Outgoing that ends the stream in good order.
// It does nothing before Done, and after an error of the conn's own.
func (c *Conn) CloseNotify() {
	c.wire.pad.serve(&c.wire)
	if c.status == Done && (c.err == nil || c.err == io.EOF || c.err == ErrTruncated) {
		_ = c.tls.CloseWrite() // what it says concerns the wire, which takes everything
	}
}

// Outgoing takes the ciphertext that calls on this conn have made. It must be
// asked for after every Handshake, Read, Write and CloseNotify, before another
// conn on the same Pad is served, and is valid until the next call on any of
// them. It is empty when there is nothing to send.
func (c *Conn) Outgoing() []byte { return c.wire.pad.take(&c.wire) }

// Stop ends the conn without a word to the server, and frees the coroutine. It
// may be called again.
func (c *Conn) Stop() {
	if c.err == nil {
		c.err = coro.ErrStopped
	}
	c.wire.pad.take(&c.wire)
	c.wire.stopped = true
	if c.wire.coro != nil {
		c.wire.coro.Stop()
		c.wire.coro = nil
	}
	c.wire.in, c.wire.record = nil, record{}
	c.plain, c.full, c.verification = nil, false, nil
}

func (c *Conn) mustBeOpen(what string) {
	if c.status != Done {
		panic(fmt.Sprintf("tlsconn: %s before the handshake is done", what))
	}
}
