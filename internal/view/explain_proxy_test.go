package view

import (
	"math/rand/v2"
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/sim"
)

// TestExplainTunnel goes through a SOCKS proxy, whose server is behind it.
func TestExplainTunnel(t *testing.T) {
	w := newWorld(t)
	at := netip.MustParseAddrPort("10.1.0.9:1080")
	w.k.Host("proxy.test", at.Addr())
	w.k.Listen(at, func(c *sim.Conn) sim.Peer { return &socksPeer{c: c} })
	w.through(t, "socks5h://proxy.test:1080")
	golden(t, w.fetch("http://a.test/plain"))
}

// TestExplainRefusedTunnel asks an HTTP proxy that refuses.
func TestExplainRefusedTunnel(t *testing.T) {
	w := newWorld(t)
	w.host("proxy.test", "10.1.0.9", func(q *sim.Request, _ *rand.Rand) sim.Response {
		return sim.Reply(403, "", []byte("not "+q.Target))
	})
	w.through(t, "http://proxy.test:80")
	golden(t, w.fetch("https://a.test/plain"))
}

func (w *world) through(t *testing.T, proxy string) {
	u, err := url.Parse(proxy)
	require.NoError(t, err)
	w.options.Proxy = func(*url.URL) (*url.URL, error) { return u, nil }
}

// socksPeer says yes to a greeting, and to what follows it; then it is a server.
type socksPeer struct {
	c     *sim.Conn
	said  int
	inner sim.Peer
}

// Receive implements sim.Peer.
func (s *socksPeer) Receive(p []byte) {
	answers := [][]byte{{5, 0}, {5, 0, 0, 1, 0, 0, 0, 0, 0, 0}}
	if s.said < len(answers) {
		s.c.Send(0, answers[s.said])
		s.said++
		return
	}
	if s.inner == nil {
		s.inner = sim.HTTP(serve)(s.c)
	}
	s.inner.Receive(p)
}

// Closed implements sim.Peer.
func (s *socksPeer) Closed() {}
