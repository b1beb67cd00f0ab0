package tlsconn

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

func TestBodies(t *testing.T) {
	leaktest.Check(t)
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		for _, size := range []int{0, 1, 1000, 16 << 10, 100_000} {
			for _, step := range []int{0, 1, 2, 7, 1448, 16 << 10} {
				if size > 1000 && step > 0 && step < 7 && testing.Short() {
					continue
				}
				t.Run(fmt.Sprintf("%d bytes by %d", size, step), func(t *testing.T) {
					want := body(size)
					c := newClient(t, w.conn(), forLife)
					p := serve(t, w.server, answer(want))
					talk(c, p, step)
					requireBody(t, want, c)
					require.NoError(t, p.err)
					require.Equal(t, version, c.State().Version)
					require.Equal(t, "http/1.1", c.State().NegotiatedProtocol)
					require.False(t, c.Pending())
				})
			}
		}
	})
}

// cheap makes a world's handshakes cost little, for tests that make many.
func (w *world) cheap(t testing.TB) *world {
	w.client.Sessions = -1
	w.client.Curves = []tls.CurveID{tls.X25519}
	w.server.Certificates = []tls.Certificate{w.root.issue(t, template("a.example"), ed25519Key(t))}
	return w
}

// The server falls silent after each number of bytes: the conn waits. It hangs
// up there: that is an error, if not in the same words everywhere.
func TestEveryCut(t *testing.T) {
	leaktest.Check(t)
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version).cheap(t)
		want := body(300)
		dial := func() (*client, *peer) {
			return newClient(t, w.conn(), forLife), serve(t, w.server, answer(want))
		}
		c, p := dial()
		total := talk(c, p, 0)
		requireBody(t, want, c)
		for at := 0; at < total; at += stride() {
			c, p := dial()
			require.Equal(t, at, talkUntil(c, p, 0, at))
			require.NoError(t, c.err, "silence is no error, cut at %d", at)
			require.True(t, bytes.HasPrefix(want, c.got))
			c.end()
			require.ErrorIs(t, c.err, io.ErrUnexpectedEOF, "cut at %d", at)
			if c.status == Done {
				require.Equal(t, ErrTruncated, c.err)
			} else {
				require.EqualError(t, c.err, "the server closed the connection during the TLS handshake")
			}
			require.Empty(t, c.Outgoing(), "nobody is there to hear an alert")
			c.Stop()
			p.coro.Stop()
		}
	})
}

// Stop comes at every step, while the other side goes on.
func TestStopAnywhere(t *testing.T) {
	leaktest.Check(t)
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version).cheap(t)
		New(w.client.Config("a.example"), w.pad).Stop()
		for at := 0; at < 2000; at += 20 + stride() {
			c, p := newClient(t, w.conn(), forLife), serve(t, w.server, answer(body(300)))
			talkUntil(c, p, 0, at)
			c.Stop()
			c.Stop()
			require.Empty(t, c.Outgoing())
			require.False(t, c.Pending())
			_, err := c.Handshake()
			require.Error(t, err)
			p.coro.Stop()
		}
	})
}

// stride is how far apart the places are at which a test that tries them all
// does so.
func stride() int {
	if testing.Short() || raceEnabled {
		return 11
	}
	return 1
}
