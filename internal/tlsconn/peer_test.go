package tlsconn

import (
	"bytes"
	"crypto/tls"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/coro"
)

// peer is a server of the standard library's in memory. It runs in a coroutine,
// so that a test is one goroutine in which everything happens in order.
type peer struct {
	wire // for the methods that do nothing
	*coro.Source
	coro *coro.Coro
	out  []byte // ciphertext for the client
	said []byte // the first of it
	err  error  // what the script returned
	over bool

	spoil func(out []byte, from int) // changes what is said, of which so much was said before
	count int
}

// serve makes a peer that runs a script over a fresh connection.
func serve(t testing.TB, config *tls.Config, script func(*tls.Conn) error) *peer {
	p := newPeer(config, script)
	t.Cleanup(p.coro.Stop)
	return p
}

// newPeer is serve for a test that stops the peer itself.
func newPeer(config *tls.Config, script func(*tls.Conn) error) *peer {
	p := new(peer)
	p.coro, p.Source = coro.Read(func(*coro.Source) { p.err = script(tls.Server(p, config)) })
	return p
}

func (p *peer) Read(b []byte) (int, error)  { return p.Source.Read(b) }
func (p *peer) Write(b []byte) (int, error) { p.out = append(p.out, b...); return len(b), nil }
func (p *peer) Close() error                { return nil }

// turn gives the peer bytes, lets it run, and takes what it has to say.
func (p *peer) turn(in []byte) (out []byte) {
	if p.over {
		return nil
	}
	p.Feed(in)
	p.over = !p.coro.Resume()
	out, p.out = p.out, nil
	if p.spoil != nil {
		p.spoil(out, p.count)
	}
	p.count += len(out)
	if p.said == nil {
		p.said = out
	}
	return out
}

// client is what an engine does with a Conn: one request, then reading until
// the end.
type client struct {
	*Conn
	request []byte
	piece   []byte // where it reads to
	got     []byte
	err     error // what ended it
	asked   bool
	reads   int // that returned bytes
	verify  func(func() error) error
	scratch []byte
}

func newClient(t testing.TB, c *Conn, forLife bool) *client {
	t.Cleanup(c.Stop)
	c.forLife = forLife
	return &client{Conn: c, request: []byte(hello), piece: make([]byte, 64<<10)}
}

// turn gives the client bytes, which it finds gone afterwards, lets it do all
// it can, and takes what it has to say.
func (c *client) turn(in []byte) (out []byte) {
	if c.err != nil {
		return nil
	}
	if len(in) > 0 {
		c.scratch = append(c.scratch[:0], in...)
		c.Feed(c.scratch)
	}
	out = c.work()
	for i := range c.scratch {
		c.scratch[i] = 0xdb
	}
	return out
}

// end says that the connection has ended.
func (c *client) end() {
	if c.err == nil {
		c.EOF()
		c.work()
	}
}

func (c *client) work() (out []byte) {
	for {
		status, err := c.Handshake()
		out = append(out, c.Outgoing()...)
		switch {
		case err != nil:
			c.err = err
			return out
		case status == NeedData:
			return out
		case status == NeedVerification:
			c.Verified(c.verify(c.Verification()))
			continue
		}
		break
	}
	if !c.asked {
		c.asked = true
		if c.err = c.Write(c.request); c.err != nil {
			return out
		}
	}
	return append(append(out, c.Outgoing()...), c.read()...)
}

// read reads until it needs more.
func (c *client) read() (out []byte) {
	for {
		n, err := c.Read(c.piece)
		out = append(out, c.Outgoing()...)
		c.got = append(c.got, c.piece[:n]...)
		if n > 0 {
			c.reads++
		}
		if err == ErrNeedData {
			return out
		}
		if err != nil {
			c.err = err
			return out
		}
	}
}

// talk carries bytes between the two, at most step at a time (0: all there
// are), until neither has any. It returns how many the client was given.
func talk(c *client, p *peer, step int) int { return talkUntil(c, p, step, math.MaxInt) }

// talkUntil is talk that ends when the client was given so many bytes.
func talkUntil(c *client, p *peer, step, most int) (given int) {
	if step == 0 {
		step = math.MaxInt
	}
	toPeer, toClient := c.turn(nil), []byte(nil)
	for len(toPeer) > 0 || len(toClient) > 0 && given < most {
		if n := min(len(toPeer), step); n > 0 {
			toClient = append(toClient, p.turn(toPeer[:n])...)
			toPeer = toPeer[n:]
		}
		if n := min(len(toClient), step, most-given); n > 0 {
			toPeer = append(toPeer, c.turn(toClient[:n])...)
			toClient = toClient[n:]
			given += n
		}
	}
	return given
}

const hello = "GET / HTTP/1.1\r\n\r\n"

// answer is a script: read the request, write a body, say goodbye.
func answer(body []byte) func(*tls.Conn) error {
	return func(c *tls.Conn) error {
		request := make([]byte, len(hello))
		if _, err := io.ReadFull(c, request); err != nil {
			return err
		}
		if string(request) != hello {
			return io.ErrNoProgress
		}
		if _, err := c.Write(body); err != nil {
			return err
		}
		return c.Close()
	}
}

// body is n bytes that repeat nowhere soon.
func body(n int) []byte {
	b := make([]byte, n)
	x := uint32(n) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// requireBody asks for the whole body and a good end.
func requireBody(t testing.TB, want []byte, c *client) {
	t.Helper()
	require.Equal(t, io.EOF, c.err)
	require.True(t, bytes.Equal(want, c.got), "the body is not what was sent: %d bytes for %d", len(c.got), len(want))
}
