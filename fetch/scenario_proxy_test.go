package fetch_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
)

// proxyScene is a scene in which all goes through the proxies of proxy.test, one
// of each kind: 3128 is HTTP, 3129 the same inside TLS, 1080 is SOCKS 5. Behind
// them is one.test, with TLS on 443, whose name and addresses only they know.
type proxyScene struct {
	*scene
	proxy *simProxy
	heads []string      // of the requests that arrived at one.test, or were forwarded to it
	peers []*securePeer // of the proxy and of one.test
}

// kinds are the proxies of a proxyScene.
var kinds = []string{"http://proxy.test:3128", "https://proxy.test:3129", "socks5h://proxy.test:1080", "socks5://proxy.test:1080"}

func newProxyScene(t *testing.T, through string, answer func(*sim.Request) sim.Response) *proxyScene {
	s := &proxyScene{scene: newScene(t)}
	_, certificate := authority()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, Time: s.k.Wall}
	s.options.TLS = worldTLS()
	s.through(through)
	served := func(q *sim.Request, _ *rand.Rand) sim.Response {
		s.heads = append(s.heads, string(q.Head))
		return answer(q)
	}
	secured := func(accept sim.Accept) sim.Accept {
		return func(c *sim.Conn) sim.Peer {
			p := newSecurePeer(t, c, config, true, accept)
			s.peers = append(s.peers, p.(*securePeer))
			return p
		}
	}
	s.proxy = &simProxy{forward: served, reach: func(host string, port uint16) sim.Accept {
		known := host == "one.test" || host == "10.0.0.1" || host == "10.0.0.2" || host == "2001:db8::1"
		switch {
		case known && port == 80:
			return sim.HTTP(served)
		case known && port == 443:
			return secured(sim.HTTP(served))
		}
		return nil
	}}
	at := netip.MustParseAddr("10.0.9.1")
	s.k.Host("proxy.test", at)
	if strings.HasPrefix(through, "socks5:") {
		s.k.Host("one.test", netip.MustParseAddr("10.0.0.1"))
	}
	s.k.Listen(netip.AddrPortFrom(at, 3128), s.proxy.http)
	s.k.Listen(netip.AddrPortFrom(at, 3129), secured(s.proxy.http))
	s.k.Listen(netip.AddrPortFrom(at, 1080), s.proxy.socks)
	return s
}

// through says which proxy all URLs have.
func (s *proxyScene) through(proxy string) {
	u, err := url.Parse(proxy)
	require.NoError(s.t, err)
	s.options.Proxy = func(*url.URL) (*url.URL, error) { return u, nil }
}

// TestProxy fetches http and https through proxies of every kind, with and
// without credentials.
func TestProxy(t *testing.T) {
	for _, kind := range kinds {
		for _, login := range []string{"", "carp:net 5"} {
			for _, target := range []string{"http://one.test/a?b", "https://one.test/a?b"} {
				t.Run(kind+" "+login+" "+target, func(t *testing.T) {
					s := newProxyScene(t, kind, ok)
					if login != "" {
						s.proxy.user, s.proxy.password, _ = strings.Cut(login, ":")
						s.through(strings.Replace(kind, "://", "://carp:net%205@", 1))
					}
					for n, got := range s.run(s.fetcher(), slices.Repeat(gets(target), 10)...) {
						require.NoError(t, got.err, "fetch %d", n)
						require.Equal(t, "hello", string(got.Body))
						require.Equal(t, kind, got.Proxy)
						require.Equal(t, "10.0.9.1", got.Remote.Addr().String())
						require.Equal(t, strings.HasPrefix(target, "https:"), got.TLS.Version != 0)
					}
					s.checkProxied(target, kind, login != "")
				})
			}
		}
	}
}

// checkProxied looks at what arrived: an absolute URL and the proxy's credentials
// where the proxy forwards, and neither at the origin.
func (s *proxyScene) checkProxied(target, kind string, login bool) {
	forwards := strings.HasPrefix(kind, "http") && strings.HasPrefix(target, "http:")
	line := "GET /a?b HTTP/1.1\r\n"
	if forwards {
		line = "GET http://one.test/a?b HTTP/1.1\r\n"
	}
	for _, head := range s.heads {
		require.True(s.t, strings.HasPrefix(head, line), head)
		require.Contains(s.t, head, "\r\nHost: one.test\r\n")
		require.Equal(s.t, forwards && login, strings.Contains(head, "Proxy-Authorization: Basic Y2FycDpuZXQgNQ=="), head)
	}
	require.Equal(s.t, forwards, len(s.proxy.asked) == 0)
	host, port := "one.test", 80
	if strings.HasPrefix(kind, "socks5:") {
		host = "10.0.0.1"
	}
	if strings.HasPrefix(target, "https:") {
		port = 443
	}
	for _, asked := range s.proxy.asked {
		require.Equal(s.t, fmt.Sprintf("%s:%d", host, port), asked)
	}
}

// TestProxyByBytes: each call moves one byte.
func TestProxyByBytes(t *testing.T) {
	for _, kind := range kinds {
		for _, scheme := range []string{"http", "https"} {
			t.Run(kind+" "+scheme, func(t *testing.T) {
				s := newProxyScene(t, kind, func(q *sim.Request) sim.Response { return sim.Reply(200, "", q.Body) })
				s.on = kernel.Inject(s.k, kernel.Faults{RecvMax: 1, SendMax: 1})
				content := times("as it is", 3000)
				for _, got := range s.run(s.fetcher(), slices.Repeat([]fetch.Request{{URL: scheme + "://one.test/", Method: "PUT", Body: content}}, 3)...) {
					require.NoError(t, got.err)
					require.Equal(t, string(content), string(got.Body))
				}
			})
		}
	}
}

// TestProxyBody sends and receives more than any buffer on the way has room for.
func TestProxyBody(t *testing.T) {
	content := times("one megabyte and more. ", 1_200_000)
	for _, kind := range kinds {
		for _, scheme := range []string{"http", "https"} {
			t.Run(kind+" "+scheme, func(t *testing.T) {
				s := newProxyScene(t, kind, func(q *sim.Request) sim.Response { return sim.Reply(200, "", q.Body) })
				got := s.one(fetch.Request{URL: scheme + "://one.test/", Method: "POST", Body: content})
				require.NoError(t, got.err)
				require.True(t, string(content) == string(got.Body))
			})
		}
	}
}

// TestProxyShared: connections to a proxy that forwards serve every host, and the
// limit for each host holds all the same.
func TestProxyShared(t *testing.T) {
	for _, through := range kinds[:2] {
		s := newProxyScene(t, through, func(q *sim.Request) sim.Response {
			u, err := absolute(q)
			require.NoError(t, err)
			return late(10*time.Millisecond, sim.Reply(200, "", []byte(u.Host)))
		})
		s.options.MaxConns, s.options.MaxPerHost = 6, 2
		var requests []fetch.Request
		hostOf := func(n int) string { return fmt.Sprintf("host%d.test", min(n, 30)) }
		for n := range 60 {
			requests = append(requests, fetch.Request{URL: "http://" + hostOf(n+1) + "/"})
		}
		f := s.fetcher()
		for _, some := range [][]fetch.Request{requests[:20], requests[20:]} {
			for _, got := range s.run(f, some...) {
				require.NoError(t, got.err)
				require.Equal(t, "http://"+string(got.Body)+"/", got.URL)
			}
		}
		require.Equal(t, 6, s.k.Counts().Conns)
		busy, most := map[string]int{}, 0
		for _, e := range s.events {
			switch host := hostOf(int(e.Job)); e.Kind {
			case fetch.ExchangeSending:
				busy[host]++
				most = max(most, busy[host])
			case fetch.ExchangeDone:
				busy[host]--
			}
		}
		require.Equal(t, 2, most, "at a time to one host")
	}
}

// TestProxiesApart: a connection to one proxy serves no host that has another.
func TestProxiesApart(t *testing.T) {
	s := newProxyScene(t, kinds[0], func(q *sim.Request) sim.Response {
		return sim.Reply(200, "", []byte(q.Address.String()))
	})
	s.options.MaxConns = 1
	s.options.Proxy = func(u *url.URL) (*url.URL, error) {
		n, err := strconv.Atoi(u.Hostname()[:1])
		require.NoError(t, err)
		return url.Parse(kinds[n])
	}
	for _, got := range s.run(s.fetcher(), gets("http://0.test/", "http://1.test/", "http://0.test/2", "http://1.test/2")...) {
		require.NoError(t, got.err)
		require.Equal(t, got.Remote.String(), string(got.Body))
		require.True(t, strings.HasPrefix(got.URL, "http://0") == strings.HasSuffix(string(got.Body), ":3128"))
	}
}

// TestProxySurplus: a response with more behind it, of which a part has come, ends
// its connection through two layers too.
func TestProxySurplus(t *testing.T) {
	for most := 60; most < 1300; most += 17 {
		s := newProxyScene(t, kinds[1], func(*sim.Request) sim.Response {
			p := sim.Reply(200, "", []byte("hello"))
			p.Pieces = append(p.Pieces, sim.Piece{Bytes: []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")})
			return p
		})
		s.options.MaxPerHost = 1
		s.on = kernel.Inject(s.k, kernel.Faults{RecvMax: most})
		for _, got := range s.run(s.fetcher(), slices.Repeat(gets("https://one.test/"), 3)...) {
			require.NoError(t, got.err)
			require.Equal(t, "hello", string(got.Body), "recvs of %d bytes", most)
		}
	}
}
