package fetch_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestConnectTo: connections lead elsewhere, for redirects too and at any number
// of connections, and the server is told what the URL says; the URL's own name is
// not looked up.
func TestConnectTo(t *testing.T) {
	for _, conns := range []int{1, 50} {
		s := newScene(t)
		s.options.MaxConns = conns
		s.host("b.test", "10.1.0.2", ok)
		s.k.Serve(address("10.1.0.2:81"), func(q *sim.Request, _ *rand.Rand) sim.Response {
			if q.Target == "/moved" {
				return moved(302, "http://c.test/c")
			}
			return ok(q)
		})
		r := counting(s)
		s.options.ConnectTo = func(host string, port uint16) (string, uint16) {
			switch {
			case host == "a.test" && port == 80:
				return "B.test", 81
			case host == "b.test":
				return "", 81
			case host == "c.test":
				return "10.1.0.2", 0
			}
			return host, port
		}
		remotes := map[string]string{}
		for _, got := range s.run(s.fetcher(), gets("http://a.test/x", "http://A.test/moved", "http://b.test/", "http://10.1.0.2:81/")...) {
			require.NoError(t, got.err)
			remotes[got.URL] = got.Remote.String()
		}
		require.Equal(t, map[string]string{"http://a.test/x": "10.1.0.2:81", "http://c.test/c": "10.1.0.2:80",
			"http://b.test/": "10.1.0.2:81", "http://10.1.0.2:81/": "10.1.0.2:81"}, remotes)
		for _, v := range s.k.Served() {
			want := map[string]string{"/x": "a.test", "/moved": "a.test", "/c": "c.test"}[v.Request.Target]
			require.True(t, want == "" || want == v.Request.Field("Host"))
		}
		require.Equal(t, []string{"b.test"}, r.names)
	}
}

// TestConnectToApart: connections that lead to two places are never taken for
// each other, though they are for the same URL.
func TestConnectToApart(t *testing.T) {
	s := newScene(t)
	s.host("one.test", "10.1.0.1", ok)
	s.host("two.test", "10.1.0.2", ok)
	to := "one.test"
	s.options.ConnectTo = func(string, uint16) (string, uint16) { return to, 0 }
	f := s.fetcher()
	for _, next := range []struct{ to, remote string }{{"one.test", "10.1.0.1:80"}, {"two.test", "10.1.0.2:80"}, {"one.test", "10.1.0.1:80"}} {
		to = next.to
		got := s.run(f, gets("http://a.test/")...)[0]
		require.NoError(t, got.err)
		require.Equal(t, next.remote, got.Remote.String())
	}
	require.Equal(t, 2, s.k.Counts().Conns)
}

// TestConnectToThroughProxy: a proxy of any kind is asked for a tunnel to the
// other place, for http too; with TLS the name stays the URL's.
func TestConnectToThroughProxy(t *testing.T) {
	for _, kind := range kinds {
		for url, to := range map[string]string{"http://else.test/x": "one.test:80", "https://one.test:444/": "10.0.0.1:443"} {
			s := newProxyScene(t, kind, ok)
			s.options.ConnectTo = func(host string, _ uint16) (string, uint16) {
				if host == "else.test" {
					return "one.test", 0
				}
				return "10.0.0.1", 443
			}
			got := s.run(s.fetcher(), gets(url)...)[0]
			require.NoError(t, got.err, kind)
			if strings.HasPrefix(kind, "socks5:") {
				to = strings.Replace(to, "one.test", "10.0.0.1", 1)
			}
			require.Equal(t, []string{to}, s.proxy.asked, kind)
			require.Contains(t, s.heads[0], "\r\nHost: "+map[bool]string{true: "else.test", false: "one.test:444"}[strings.HasPrefix(url, "http:")]+"\r\n")
		}
	}
}

// TestConnectToPrivate: what is denied is denied there too.
func TestConnectToPrivate(t *testing.T) {
	s := untrusting(t)
	s.options.ConnectTo = func(string, uint16) (string, uint16) { return "in.test", 0 }
	got := s.one(fetch.Request{URL: "http://out.test/"})
	require.ErrorAs(t, got.err, new(*fetch.PrivateAddressError))
	require.ErrorContains(t, got.err, "in.test leads to a private address only")
}
