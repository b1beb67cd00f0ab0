package fetch_test

import (
	"context"
	"errors"
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

const (
	viaHTTP   = "http://carp:s3cret@proxy.test:3128"
	viaHTTPS  = "https://carp:s3cret@proxy.test:3129"
	viaSOCKS  = "socks5://carp:s3cret@proxy.test:1080"
	viaSOCKSH = "socks5h://carp:s3cret@proxy.test:1080"
)

// says is a spoil that sends something in the place of an answer, and closes.
func says(text string) func(*proxyScene) {
	return func(s *proxyScene) {
		s.proxy.spoil = func(c *sim.Conn) bool {
			c.Send(0, []byte(text))
			c.Close(0)
			return true
		}
	}
}

func resets(s *proxyScene) {
	s.proxy.spoil = func(c *sim.Conn) bool { c.Reset(0); return true }
}

func staysSilent(s *proxyScene) {
	s.proxy.spoil = func(*sim.Conn) bool { return true }
}

// proxyFailures are the ways in which there is no way through a proxy. The error
// begins with the URL, the phase, and the proxy without its password.
var proxyFailures = []struct {
	name, via string
	prepare   func(*proxyScene)
	expect    string
	again     bool // it is tried again
}{
	{"no such name", viaHTTP, func(s *proxyScene) { s.k.Host("proxy.test") }, "lookup: lookup proxy.test: no such host", false},
	{"a slow name", viaHTTP, func(s *proxyScene) { s.options.LookupTimeout = time.Microsecond }, "lookup: no address came within 1µs (lookup timeout)", true},
	{"refused", viaHTTP, func(s *proxyScene) { s.k.Host("proxy.test", address("10.0.9.2:1").Addr()) }, "dial: 10.0.9.2:3128: connection refused", true},
	{"refused, SOCKS", viaSOCKS, func(s *proxyScene) { s.k.Host("proxy.test", address("10.0.9.2:1").Addr()) }, "dial: 10.0.9.2:1080: connection refused", true},
	{"a black hole", viaSOCKSH, func(s *proxyScene) { s.k.BlackHole(address("10.0.9.1:1080")) }, "dial: 10.0.9.1:1080: no connection within 10s (connect timeout)", true},
	{"another certificate", strings.Replace(viaHTTPS, "proxy.test", "10.0.9.1", 1), nil, "tls: the server's certificate is for \"proxy.test\"", false},
	{"no TLS", "https://carp:s3cret@proxy.test:1080", nil, "tls: no connection within 10s (connect timeout)", true},
	{"resets TLS", viaHTTPS, func(s *proxyScene) {
		s.k.Listen(address("10.0.9.1:3129"), func(c *sim.Conn) sim.Peer { c.Reset(time.Millisecond); return nil })
	}, "tls: connection reset by peer", true},
	{"403", viaHTTP, says("HTTP/1.1 403 Forbidden\r\nContent-Length: 100000\r\n\r\n"), "it makes no tunnel to one.test:443: 403 Forbidden", false},
	{"503", viaHTTPS, says("HTTP/1.1 503 Not Now\r\n\r\n"), "it makes no tunnel to one.test:443: 503 Not Now", true},
	{"407", viaHTTP, func(s *proxyScene) { s.proxy.user = "roach" }, "it does not accept the user name or the password (407)", false},
	{"407, TLS", viaHTTPS, func(s *proxyScene) { s.proxy.user = "roach" }, "it does not accept the user name or the password (407)", false},
	{"407 for others", viaHTTP, says("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM, Digest realm=\"a\", qop=\"auth\"\r\n\r\n"),
		"it wants a login of the kind negotiate or ntlm or digest, which is not supported (407)", false},
	{"closes", viaHTTP, says(""), "connection closed before any byte of a response", true},
	{"closes, TLS", viaHTTPS, says(""), "connection closed before any byte of a response", true},
	{"closes within the head", viaHTTPS, says("HTTP/1.1 200 OK\r\nA: b\r\n"), "connection closed within the response head", true},
	{"resets", viaHTTP, resets, "connection reset by peer", true},
	{"resets, TLS", viaHTTPS, resets, "connection reset by peer", true},
	{"silence", viaHTTP, staysSilent, "no connection within 10s (connect timeout)", true},
	{"silence, TLS", viaHTTPS, staysSilent, "no connection within 10s (connect timeout)", true},
	{"not HTTP", viaHTTP, says("SSH-2.0-OpenSSH\r\n"), "malformed response", false},
	{"SOCKS refuses", viaSOCKSH, says("\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"), "connection refused (reply 5)", true},
	{"SOCKS forbids", viaSOCKSH, says("\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"), "its rules do not allow the connection (reply 2)", false},
	{"SOCKS refuses an address", viaSOCKS, says("\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"), "10.0.0.1:443: host unreachable (reply 4)", true},
	{"SOCKS knows another", viaSOCKS, func(s *proxyScene) { s.proxy.user = "roach" }, "the user name or password is not accepted", false},
	{"SOCKS closes", viaSOCKSH, says(""), "closed before its reply to the request was whole", true},
	{"SOCKS resets", viaSOCKS, resets, "connection reset by peer", true},
	{"SOCKS is silent", viaSOCKS, staysSilent, "no connection within 10s (connect timeout)", true},
	{"SOCKS is HTTP", viaSOCKSH, says("HTTP/1.1 400 Bad Request\r\n"), "not an answer of SOCKS 5: it begins with an H, as HTTP does", false},
}

func TestProxyFails(t *testing.T) {
	for _, c := range proxyFailures {
		t.Run(c.name, func(t *testing.T) {
			s := newProxyScene(t, c.via, ok)
			s.proxy.user, s.proxy.password = "carp", "s3cret"
			s.k.Host("one.test", address("10.0.0.1:1").Addr())
			if c.prepare != nil {
				c.prepare(s)
			}
			got := s.one(gets("https://one.test/a")[0])
			require.Equal(t, fetch.PhaseProxy, phaseOf(t, got.err))
			safe := strings.Replace(c.via, "s3cret", "***", 1)
			require.ErrorContains(t, got.err, "https://one.test/a: proxy: "+safe+": "+c.expect)
			require.NotContains(t, got.err.Error(), "s3cret")
			require.Empty(t, s.heads)
			e, _ := errors.AsType[*fetch.Error](got.err)
			require.Equal(t, c.again, fetch.Transient(e, &fetch.Head{}))
			require.Equal(t, strings.Replace(c.via, "carp:s3cret@", "", 1), got.Proxy)
		})
	}
}

// TestProxyUnknown: a URL whose proxy makes no sense is not fetched.
func TestProxyUnknown(t *testing.T) {
	for proxy, expect := range map[string]string{
		"ftp://carp:s3cret@proxy.test":       `a proxy's scheme is http, https, socks5 or socks5h, not "ftp"`,
		"http://carp:s3cret@proxy.test:0":    "a proxy's port is not between 1 and 65535",
		"http://carp:s3cret@:3128":           "a proxy's URL names no host",
		"http://ca%3Arp:s3cret@proxy.test:1": "the user name for a proxy has a colon (RFC 7617 section 2)",
	} {
		s := newProxyScene(t, proxy, ok)
		got := s.one(gets("http://one.test/")[0])
		require.EqualError(t, got.err, "http://one.test/: request: "+expect)
	}
	s := newProxyScene(t, viaHTTP, ok)
	s.options.Proxy = func(*url.URL) (*url.URL, error) { return nil, errors.New("the judge is out") }
	require.EqualError(t, s.one(gets("http://one.test/")[0]).err, "http://one.test/: request: the judge is out")
}

// TestProxyWantsLogin: a proxy that forwards answers 407 instead of the origin,
// which is no status of the origin's.
func TestProxyWantsLogin(t *testing.T) {
	for _, via := range kinds[:2] {
		s := newProxyScene(t, via, ok)
		s.proxy.user = "carp"
		s.options.Accept = func(*fetch.Head) error { return nil }
		got := s.one(gets("http://one.test/a")[0])
		require.EqualError(t, got.err, "http://one.test/a: proxy: "+via+": it wants a user name and a password (407); give them with the proxy (-U, or in its URL)")
	}
}

// TestProxyOwnLogin: a caller's own Proxy-Authorization goes to the proxy in the
// place of ours, and never through a tunnel.
func TestProxyOwnLogin(t *testing.T) {
	own := []fetch.Field{{Name: "proxy-authorization", Value: "Bearer x"}}
	for url, forwarded := range map[string]bool{"http://one.test/": true, "https://one.test/": false} {
		s := newProxyScene(t, viaHTTP, ok)
		require.NoError(t, s.one(fetch.Request{URL: url, Fields: own}).err)
		require.Equal(t, forwarded, strings.Contains(s.heads[0], "proxy-authorization: Bearer x"))
		require.Equal(t, 1, strings.Count(strings.ToLower("\n"+s.heads[0]+"proxy-authorization"), "proxy-authorization")-map[bool]int{true: 1}[forwarded])
	}
}

// TestProxyRetries: what a proxy could not do it is asked again.
func TestProxyRetries(t *testing.T) {
	for _, kind := range kinds {
		s := newProxyScene(t, kind, ok)
		refusals := 0
		s.proxy.spoil = func(c *sim.Conn) bool {
			if refusals++; refusals > 2 {
				return false
			}
			c.Close(0)
			return true
		}
		s.options.Retry = fetch.Retry{Max: 2}
		got := s.one(gets("https://one.test/")[0])
		require.NoError(t, got.err)
		require.Equal(t, 3, got.Attempts)
	}
}

// TestSOCKSAddresses: a proxy that is to be given addresses is asked for each in
// turn, over the address of its own that has answered.
func TestSOCKSAddresses(t *testing.T) {
	s := newProxyScene(t, viaSOCKS, ok)
	s.k.Host("proxy.test", address("10.0.9.2:1").Addr(), address("10.0.9.1:1").Addr())
	s.k.Host("one.test", netip.MustParseAddr("10.7.7.7"), netip.MustParseAddr("2001:db8::1"))
	got := s.one(gets("https://one.test/")[0])
	require.NoError(t, got.err)
	require.Equal(t, 1, got.Attempts)
	require.Equal(t, []string{"10.7.7.7:443", "[2001:db8::1]:443"}, s.proxy.asked)

	s = newProxyScene(t, viaSOCKS, ok)
	s.k.Host("one.test", netip.MustParseAddr("10.7.7.7"), netip.MustParseAddr("10.7.7.8"))
	got = s.one(gets("http://one.test/")[0])
	require.EqualError(t, got.err, "http://one.test/: proxy: socks5://carp:***@proxy.test:1080: 10.7.7.7:80: connection refused (reply 5); 10.7.7.8:80: connection refused (reply 5)")

	s = newProxyScene(t, viaSOCKS, ok)
	got = s.one(gets("http://nowhere.test/")[0])
	require.EqualError(t, got.err, "http://nowhere.test/: lookup: lookup nowhere.test: no such host", "our own lookup, no fault of the proxy's")
}

// TestSOCKSLiteral: an address needs no lookup, and goes to the proxy as one.
func TestSOCKSLiteral(t *testing.T) {
	for _, via := range []string{viaSOCKS, viaSOCKSH} {
		s := newProxyScene(t, via, ok)
		for _, got := range s.run(s.fetcher(), gets("http://10.0.0.2/", "http://[2001:db8::1]/")...) {
			require.NoError(t, got.err)
		}
		slices.Sort(s.proxy.asked)
		require.Equal(t, []string{"10.0.0.2:80", "[2001:db8::1]:80"}, s.proxy.asked)
	}
}

// TestTunnelSurplus: what comes right behind a proxy's answer is the origin's: TLS
// is shown it, and before a request in plain HTTP it is an answer to nothing.
func TestTunnelSurplus(t *testing.T) {
	unasked := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"
	for _, kind := range kinds {
		s := newProxyScene(t, kind, ok)
		s.proxy.surplus = []byte(unasked)
		got := s.one(gets("https://one.test/")[0])
		require.Equal(t, fetch.PhaseTLS, phaseOf(t, got.err))
		require.ErrorContains(t, got.err, `it answered "HTTP/1.1 200 OK"`)
	}
	s := newProxyScene(t, viaSOCKSH, ok)
	s.proxy.surplus = []byte(unasked)
	got := s.one(gets("http://one.test/")[0])
	require.EqualError(t, got.err, "http://one.test/: proxy: socks5h://carp:***@proxy.test:1080: bytes came through the tunnel before anything was asked")
}

// TestProxyRedirects: each URL is asked for its own proxy, and credentials are
// kept apart: those of the origin from the next one, those of the proxy from all
// origins.
func TestProxyRedirects(t *testing.T) {
	s := newProxyScene(t, viaHTTP, func(q *sim.Request) sim.Response {
		if strings.HasSuffix(q.Target, "/up") {
			return moved(302, "https://one.test/over")
		}
		return moved(302, "http://direct.test/here")
	})
	s.proxy.user, s.proxy.password = "carp", "s3cret"
	s.options.AllowDowngrade = true
	through := s.options.Proxy
	s.options.Proxy = func(u *url.URL) (*url.URL, error) {
		if u.Hostname() == "direct.test" {
			return nil, nil
		}
		return through(u)
	}
	direct := ""
	s.host("direct.test", "10.0.0.7", func(q *sim.Request) sim.Response { direct = string(q.Head); return ok(q) })
	got := s.one(fetch.Request{URL: "http://one.test/up", Fields: []fetch.Field{{Name: "Authorization", Value: "Basic b25l"}}})
	require.NoError(t, got.err)
	require.Equal(t, 2, got.Redirects)
	require.Empty(t, got.Proxy, "of the last connection")
	require.Len(t, s.heads, 2)
	require.Contains(t, s.heads[0], "Authorization: Basic b25l")
	require.Contains(t, s.heads[0], "Proxy-Authorization: Basic Y2FycDpzM2NyZXQ=")
	require.NotContains(t, s.heads[1], "Authorization")
	require.NotContains(t, direct, "Authorization")
	require.True(t, strings.HasPrefix(direct, "GET /here "))
}

// TestProxyCancelled ends a fetch at each event of its life: neither a descriptor
// nor a coroutine is left.
func TestProxyCancelled(t *testing.T) {
	before := coroutines()
	for _, kind := range kinds {
		for n, more := 1, true; more; n++ {
			s := newProxyScene(t, kind, ok)
			ctx, cancel := context.WithCancel(context.Background())
			left := n
			s.options.Trace = func(fetch.Event) {
				if left--; left == 0 {
					cancel()
				}
			}
			f := s.fetcher()
			for range f.Fetch(ctx, slices.Values(gets("https://one.test/"))) {
			}
			cancel()
			require.NoError(t, f.Close())
			for _, p := range s.peers {
				p.hand.Stop()
			}
			require.Equal(t, before, coroutines(), "%s: coroutines were left at event %d", kind, n)
			more = left <= 0
			require.True(t, more || n > 15)
		}
	}
}

// TestProxyTotal: the total timeout passes at a proxy too.
func TestProxyTotal(t *testing.T) {
	for _, kind := range kinds {
		s := newProxyScene(t, kind, ok)
		staysSilent(s)
		s.options.TotalTimeout = 3 * time.Second
		got := s.one(gets("https://one.test/")[0])
		require.EqualError(t, got.err, "https://one.test/: proxy: "+kind+": not done within 3s (total timeout)")
	}
}
