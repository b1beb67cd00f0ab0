package fetch_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestSimProxied runs seeds through proxies in the worst of worlds, where the
// proxies have their moods too.
func TestSimProxied(t *testing.T) { simulateProxied(t, worst()) }

// TestSimProxiedMild runs seeds through proxies where every fetch that can end
// well must.
func TestSimProxiedMild(t *testing.T) { simulateProxied(t, sim.Mild()) }

// TestSimProxiedReuse has kept connections closed whenever a server likes, those
// to a proxy among them, which all hosts share.
func TestSimProxiedReuse(t *testing.T) {
	c := sim.Mild()
	c.IdleClose, c.CloseOnReuse = 0.3, 0.2
	simulateProxied(t, c)
}

func simulateProxied(t *testing.T, chaos sim.Chaos) {
	simulateSome(t, simulation{chaos: chaos, proxied: true})
}

// proxyWorld is where the proxies of the simulations are: 3128 is HTTP, 3129 the
// same inside TLS, 1080 is SOCKS 5.
var proxyWorld = netip.MustParseAddr("10.0.9.1")

// addProxies puts the proxies into the world, behind which is the world.
func (s *simulation) addProxies() {
	k := s.kernel.Kernel
	_, certificate := authority()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, Time: k.Wall}
	secured := func(accept sim.Accept) sim.Accept {
		return func(c *sim.Conn) sim.Peer { return newSecurePeer(s.T, c, config, s.chaos.FinWithin == 0, accept) }
	}
	proxy := &simProxy{user: "carp", password: "s3cret", forward: forwarded}
	proxy.reach = func(host string, port uint16) sim.Accept {
		switch {
		case !isReachable(host):
			return nil
		case port == 443:
			return secured(sim.HTTP(serve))
		}
		return sim.HTTP(serve)
	}
	if s.chaos.Stall > 0 {
		proxy.spoil = moody
	}
	k.Host("proxy.test", proxyWorld)
	k.Listen(netip.AddrPortFrom(proxyWorld, 3128), proxy.http)
	k.Listen(netip.AddrPortFrom(proxyWorld, 3129), secured(proxy.http))
	k.Listen(netip.AddrPortFrom(proxyWorld, 1080), proxy.socks)
	s.options.Proxy = s.proxyFor
}

// proxyLogin is a field that no origin may see.
const proxyLogin = "Proxy-Authorization"

// checkProxy judges which way a fetch that ended well has gone.
func (s *simulation) checkProxy(res *fetch.Result) {
	if !s.proxied {
		return
	}
	u, err := url.Parse(res.URL)
	require.NoError(s, err)
	proxy, err := s.proxyFor(u)
	require.NoError(s, err)
	if proxy == nil {
		require.Empty(s, res.Proxy)
		require.NotEqual(s, proxyWorld, res.Remote.Addr(), "seed %d: %s", s.seed, res.URL)
		return
	}
	require.Equal(s, proxy.Scheme+"://"+proxy.Host, res.Proxy)
	require.Equal(s, proxy.Host, fmt.Sprintf("proxy.test:%d", res.Remote.Port()), "seed %d: %s", s.seed, res.URL)
}

// proxyFor draws by the seed which proxy a host has.
func (s *simulation) proxyFor(target *url.URL) (*url.URL, error) {
	h := fnv.New64a()
	h.Write([]byte(target.Hostname()))
	kinds := []string{"http://carp:s3cret@proxy.test:3128", "https://carp:s3cret@proxy.test:3129", viaSOCKS, viaSOCKSH, ""}
	kind := kinds[(h.Sum64()+s.seed)%uint64(len(kinds))]
	if kind == "" {
		return nil, nil
	}
	return url.Parse(kind)
}

// isReachable says whether a proxy can connect to a host.
func isReachable(host string) bool {
	return slices.Contains(up, host) || slices.ContainsFunc(hosts[host], isReachable)
}

// forwarded answers for the host of an absolute target.
func forwarded(q *sim.Request, r *rand.Rand) sim.Response {
	u, err := absolute(q)
	switch {
	case err != nil:
		return sim.Reply(400, "", nil)
	case !isReachable(u.Hostname()):
		return sim.Reply(502, "", nil)
	}
	own := *q
	own.Target, own.Head = u.RequestURI(), bytes.Replace(q.Head, []byte(proxyLogin), []byte("X-"), 1)
	return serve(&own, r)
}

// moody is a spoil: one request for a tunnel in ten goes wrong.
func moody(c *sim.Conn) bool {
	switch c.Rand().IntN(50) {
	case 0:
		c.Close(0)
	case 1:
		c.Reset(0)
	case 2: // silence
	case 3:
		c.Send(0, []byte("HTTP/1.1 503 Not Now\r\nContent-Length: 9\r\n\r\nnot"))
		c.Close(time.Second)
	case 4:
		c.Send(0, []byte{5, 1, 0, 1, 0, 0, 0, 0, 0, 0})
		c.Reset(time.Second)
	default:
		return false
	}
	return true
}

// secureSome has half of the requests over TLS.
func (s *simulation) secureSome() {
	for n := range s.requests {
		if s.rand.IntN(2) == 0 {
			s.requests[n].URL = strings.Replace(s.requests[n].URL, "http:", "https:", 1)
		}
	}
}
