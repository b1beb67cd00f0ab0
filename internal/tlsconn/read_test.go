package tlsconn

import (
	"bytes"
	"crypto/tls"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// send makes a script that writes each piece in records of its own and neither
// reads nor says goodbye; it stays until it is stopped.
func send(pieces ...[]byte) func(*tls.Conn) error {
	return func(c *tls.Conn) error {
		for _, piece := range pieces {
			if _, err := c.Write(piece); err != nil {
				return err
			}
		}
		_, err := io.Copy(io.Discard, c)
		return err
	}
}

// open makes a conn whose handshake is done, and returns with it the ciphertext
// of what a script has sent meanwhile, of which the client has seen nothing.
func (w *world) open(t testing.TB, forLife bool, script func(*tls.Conn) error) (c *Conn, sent []byte, p *peer) {
	c = w.conn()
	c.forLife = forLife
	p, sent = connect(t, c, w.server, script)
	t.Cleanup(p.coro.Stop)
	t.Cleanup(c.Stop)
	return c, sent, p
}

// connect is open for a test that stops both itself.
func connect(t testing.TB, c *Conn, server *tls.Config, script func(*tls.Conn) error) (p *peer, sent []byte) {
	p = newPeer(server, func(s *tls.Conn) error {
		if err := s.Handshake(); err != nil {
			return err
		}
		p.coro.Pause() // until the client has done its part
		return script(s)
	})
	for {
		status, err := c.Handshake()
		require.NoError(t, err)
		if sent = p.turn(bytes.Clone(c.Outgoing())); status == Done {
			_, err = c.Read(make([]byte, 1)) // tickets may have come with the server's flight
			require.Equal(t, ErrNeedData, err)
			return p, append(sent, p.turn(nil)...)
		}
		c.Feed(sent)
	}
}

// Many records are read at once, as far as the buffer goes.
func TestReadFillsItsBuffer(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		want := body(40_000)
		c, sent, _ := newWorld(t, version).open(t, forLife, send(want))
		c.Feed(sent)
		var got []byte
		for _, size := range []int{1, 10, 1000, 16 << 10, 30_000} {
			require.True(t, c.Pending())
			p := make([]byte, size)
			n, err := c.Read(p)
			require.NoError(t, err)
			require.Equal(t, min(size, len(want)-len(got)), n)
			got = append(got, p[:n]...)
		}
		require.True(t, bytes.Equal(want, got))
		require.False(t, c.Pending())
		_, err := c.Read(make([]byte, 1))
		require.Equal(t, ErrNeedData, err)
	})
}

// The rest of a record is there to be read though nothing is left of what was
// fed.
func TestReadByteByByte(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		c, sent, _ := newWorld(t, version).open(t, forLife, send([]byte("record")))
		c.Feed(sent)
		var got []byte
		for p := make([]byte, 1); ; got = append(got, p...) {
			require.True(t, c.Pending() || len(got) == len("record"))
			if _, err := c.Read(p); err != nil {
				require.Equal(t, ErrNeedData, err)
				break
			}
		}
		require.Equal(t, "record", string(got))
		require.False(t, c.Pending())
	})
}

// What there is comes first, and that there is no more comes next; a record of
// which a part is there is none.
func TestReadInTheMiddleOfARecord(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		c, sent, _ := newWorld(t, version).open(t, forLife, send([]byte("one"), []byte("two"), []byte("three")))
		p := make([]byte, 100)
		c.Feed(sent[:len(sent)-3])
		n, err := c.Read(p)
		require.NoError(t, err)
		require.Equal(t, "onetwo", string(p[:n]))
		n, err = c.Read(p)
		require.Equal(t, []any{0, ErrNeedData}, []any{n, err})
		require.True(t, c.Pending(), "a part of a record")
		n, err = c.Read(nil)
		require.Equal(t, []any{0, nil}, []any{n, err})
		c.Feed(sent[len(sent)-3:])
		n, err = c.Read(p)
		require.NoError(t, err)
		require.Equal(t, "three", string(p[:n]))
		require.False(t, c.Pending())
	})
}

// Hold lets the loop have its buffer back, in the middle of what was fed.
func TestHold(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		want := body(20_000)
		c, sent, _ := newWorld(t, version).open(t, forLife, send(want))
		p := make([]byte, 20_000)
		lent := bytes.Clone(sent)
		c.Feed(lent)
		n, err := c.Read(p[:1000])
		require.NoError(t, err)
		c.Hold()
		clear(lent)
		require.True(t, c.Pending())
		require.PanicsWithValue(t, "tlsconn: Feed before the last bytes are used up", func() { c.Feed(nil) })
		n2, err := c.Read(p[n:])
		require.NoError(t, err)
		require.Equal(t, len(want), n+n2)
		require.True(t, bytes.Equal(want, p))
		require.Nil(t, c.wire.in, "the copy goes when it is read")
		c.Hold()
		require.Nil(t, c.wire.in)
		c.Feed(nil)
	})
}

func TestCloseNotify(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		said := func(c *tls.Conn) error {
			if _, err := c.Write([]byte("all")); err != nil {
				return err
			}
			if err := c.CloseWrite(); err != nil {
				return err
			}
			_, err := io.ReadAll(c)
			return err
		}
		c, sent, p := w.open(t, forLife, said)
		c.Feed(append(sent, "what comes after close_notify is nobody's"...))
		buf := make([]byte, 100)
		n, err := c.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "all", string(buf[:n]))
		for range 2 {
			_, err = c.Read(buf)
			require.Equal(t, io.EOF, err)
		}
		require.NoError(t, c.Write([]byte("the other direction is open")))
		p.turn(bytes.Clone(c.Outgoing()))
		require.False(t, p.over)
		c.CloseNotify()
		p.turn(bytes.Clone(c.Outgoing()))
		require.True(t, p.over)
		require.NoError(t, p.err, "the server got a close_notify too")
		c.CloseNotify()
		require.Empty(t, c.Outgoing())
		c.Feed([]byte("nor is what comes later"))
		require.False(t, c.Pending())
		require.ErrorContains(t, c.Write([]byte("more")), "shutdown")
	})
}

// A transport that ends without close_notify: what came is there, then the
// error that an engine may overlook if it knows the length.
func TestTruncated(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		for lost := range 30 { // at the end of the record, and within it
			c, sent, _ := newWorld(t, version).cheap(t).open(t, forLife, send([]byte("one"), []byte("two")))
			c.Feed(sent[:len(sent)-lost])
			c.EOF()
			require.PanicsWithValue(t, "tlsconn: Feed before the last bytes are used up", func() { c.Feed(nil) })
			buf := make([]byte, 100)
			n, err := c.Read(buf)
			require.NoError(t, err)
			if lost == 0 {
				require.Equal(t, "onetwo", string(buf[:n]))
			}
			for range 2 {
				_, err = c.Read(buf)
				require.Equal(t, ErrTruncated, err)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
			require.PanicsWithValue(t, "tlsconn: Feed after EOF", func() { c.Feed(nil) })
			c.CloseNotify()
			require.NotEmpty(t, c.Outgoing(), "the server may hear it still")
			if lost == 20 {
				break
			}
		}
	})
}

// close_notify and the end of the transport in one event: a good end.
func TestCloseNotifyThenEOF(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		c, sent, _ := newWorld(t, version).open(t, forLife, (*tls.Conn).Close)
		c.Feed(sent)
		c.EOF()
		_, err := c.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	})
}

func TestCorruptedRecord(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		c, sent, p := newWorld(t, version).open(t, forLife, send([]byte("one"), []byte("two")))
		sent[len(sent)-1] ^= 1
		c.Feed(sent)
		buf := make([]byte, 100)
		n, err := c.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "one", string(buf[:n]))
		alert := bytes.Clone(c.Outgoing())
		_, err = c.Read(buf)
		require.EqualError(t, err, "what came cannot be decrypted (bad record MAC): it was changed on the way, or the server is at fault")
		p.turn(alert)
		require.EqualError(t, p.err, "remote error: tls: bad record MAC")
		c.CloseNotify()
		require.Empty(t, c.Outgoing())
		require.Error(t, c.Write([]byte("more")))
	})
}

func TestMisuse(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	c := w.conn()
	defer c.Stop()
	require.PanicsWithValue(t, "tlsconn: Read before the handshake is done", func() { _, _ = c.Read(nil) })
	require.PanicsWithValue(t, "tlsconn: Write before the handshake is done", func() { _ = c.Write(nil) })
	require.PanicsWithValue(t, "tlsconn: State before the handshake is done", func() { c.State() })
	require.PanicsWithValue(t, "tlsconn: Verified without NeedVerification", func() { c.Verified(nil) })
	c.CloseNotify()
	require.Empty(t, c.Outgoing())
}

// A conn whose ciphertext was not taken stands in the way of the others.
func TestPadIsOneConnsAtATime(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	a, b := w.conn(), w.conn()
	defer a.Stop()
	defer b.Stop()
	_, err := a.Handshake()
	require.NoError(t, err)
	require.Empty(t, b.Outgoing(), "it is the other's")
	require.PanicsWithValue(t, "tlsconn: Outgoing of the conn served before was not taken", func() { _, _ = b.Handshake() })
	require.NotEmpty(t, a.Outgoing())
	require.Empty(t, a.Outgoing())
	_, err = b.Handshake()
	require.NoError(t, err)
	b.Stop()
	_, err = a.Handshake()
	require.NoError(t, err, "what a stopped conn had to say is gone")
}

// What a large request has made of the pad goes with it.
func TestPadShrinks(t *testing.T) {
	c, _, _ := newWorld(t, tls.VersionTLS13).open(t, false, send())
	require.NoError(t, c.Write(make([]byte, 1<<20)))
	require.Greater(t, len(c.Outgoing()), 1<<20)
	require.NoError(t, c.Write(make([]byte, 100)))
	require.Less(t, len(c.Outgoing()), 200)
	require.LessOrEqual(t, cap(c.wire.pad.out), padKeep)
}

// Several writes may be taken together.
func TestWritesAddUp(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		c, _, p := newWorld(t, version).open(t, forLife, answer([]byte("heard")))
		for i := range hello {
			require.NoError(t, c.Write([]byte(hello[i:i+1])))
		}
		c.Feed(p.turn(bytes.Clone(c.Outgoing())))
		buf := make([]byte, 10)
		n, err := c.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "heard", string(buf[:n]))
	})
}
