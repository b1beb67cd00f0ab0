package fetch_test

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
)

// addrs are addresses.
func addrs(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// TestLocalAddrs: a connection comes from the first address of the server's
// family and scope, at any number of connections.
func TestLocalAddrs(t *testing.T) {
	for _, conns := range []int{1, 50} {
		s := newScene(t)
		s.options.MaxConns = conns
		s.options.LocalAddrs = addrs("fe80::9%1", "2001:db8::9", "2001:db8::8", "10.0.0.9", "10.0.0.8")
		s.k.Own(addrs("fe80::9%1", "2001:db8::9", "10.0.0.9")...)
		s.host("four.test", "10.1.0.1", ok)
		s.host("six.test", "2001:db8::1", ok)
		s.host("link.test", "fe80::1%1", ok)
		for _, got := range s.run(s.fetcher(), gets("http://four.test/", "http://six.test/", "http://link.test/")...) {
			require.NoError(t, got.err)
		}
		from := map[string]string{}
		for _, v := range s.k.Served() {
			from[v.Request.Field("Host")] = v.Request.From.String()
		}
		require.Equal(t, map[string]string{"four.test": "10.0.0.9", "six.test": "2001:db8::9", "link.test": "fe80::9%1"}, from)
	}
}

// TestNoLocalAddr: what is no address of this machine is an error and no
// shortage, and so is a server of another family; of several addresses the one
// that can be reached is.
func TestNoLocalAddr(t *testing.T) {
	s := newScene(t)
	s.options.LocalAddrs = addrs("10.0.0.7")
	s.options.Retry.Max = 2
	s.host("a.test", "10.1.0.1", ok)
	s.host("six.test", "2001:db8::1", ok)
	f := s.fetcher()
	for url, text := range map[string]string{
		"http://a.test/":   "cannot connect from 10.0.0.7: it is no address of this machine",
		"http://six.test/": "of another family",
	} {
		got := s.run(f, gets(url)...)[0]
		require.ErrorAs(t, got.err, new(*fetch.BindError))
		require.ErrorContains(t, got.err, text)
		require.Equal(t, fetch.PhaseDial, phaseOf(t, got.err))
		require.Equal(t, 1, got.Attempts)
		require.Less(t, got.at.Seconds(), 1.0)
	}
	s.k.Own(s.options.LocalAddrs...)
	s.k.Host("both.test", addrs("2001:db8::1", "10.1.0.1")...)
	require.NoError(t, s.run(f, gets("http://both.test/")...)[0].err)
}

// onUnix is a scene in which all connections lead to a path.
func onUnix(t *testing.T, chaos sim.Chaos) *scene {
	s := newSceneIn(t, chaos)
	s.k.ServeUnix("/run/web", serve)
	s.options.UnixSocket, s.options.MaxBytes = "/run/web", -1
	return s
}

// TestUnixSocket: whatever host and port a URL has, its request goes to the path,
// with its own Host; nothing is looked up, redirects and reuse are as ever.
func TestUnixSocket(t *testing.T) {
	for _, conns := range []int{1, 50} {
		s := onUnix(t, sim.Chaos{})
		s.options.MaxConns = conns
		r := counting(s)
		got := s.run(s.fetcher(), gets("http://a.test/length/5/a", "http://b.test:81/length/5/b", "http://127.0.0.1/to/302/length/5/c", "http://a.test/chunked/9/d")...)
		for _, g := range got {
			require.NoError(t, g.err)
			require.Equal(t, string(wanted(t, g.Result)), string(g.Body))
			require.False(t, g.Remote.IsValid())
			require.Equal(t, "/run/web", g.UnixSocket)
		}
		hosts := map[string]bool{}
		for _, v := range s.k.Served() {
			hosts[v.Request.Field("Host")] = true
		}
		require.Equal(t, map[string]bool{"a.test": true, "b.test:81": true, "127.0.0.1": true}, hosts)
		require.Empty(t, r.names)
	}
}

// TestUnixSocketMissing: the error has the path.
func TestUnixSocketMissing(t *testing.T) {
	s := onUnix(t, sim.Chaos{})
	s.options.UnixSocket = "/run/none"
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.ErrorIs(t, got.err, syscall.ENOENT)
	require.ErrorContains(t, got.err, "dial: /run/none: ")
	require.Empty(t, got.UnixSocket)
}

// TestUnixSocketFull: a server whose queue is full is waited for.
func TestUnixSocketFull(t *testing.T) {
	s := onUnix(t, sim.Chaos{})
	f := kernel.Inject(s.k, kernel.Faults{Nth: 1, Call: kernel.CallConnect, Errno: syscall.EAGAIN})
	s.on = f
	require.NoError(t, s.one(fetch.Request{URL: "http://a.test/length/9/x"}).err)
	require.True(t, f.Fired())
}

// TestUnixSocketInMildChaos: short calls, spurious events and full queues change
// nothing about what arrives.
func TestUnixSocketInMildChaos(t *testing.T) {
	for _, no := range []float64{0, 0.2} {
		chaos := sim.Mild()
		chaos.NoAddress = no
		s := onUnix(t, chaos)
		s.options.Retry.Max = 3
		var urls []string
		for n := range 60 {
			urls = append(urls, fmt.Sprintf("http://h%d.test/length/%d/x", n%7, n*997))
		}
		for _, got := range s.run(s.fetcher(), gets(urls...)...) {
			require.NoError(t, got.err)
			require.Equal(t, string(wanted(t, got.Result)), string(got.Body))
		}
	}
}

// TestSocketOptionsRefused: what no socket can have, and what makes no sense
// together.
func TestSocketOptionsRefused(t *testing.T) {
	for text, o := range map[string]fetch.Options{
		"LocalAddrs[1] is":      {LocalAddrs: append(addrs("10.0.0.1"), netip.Addr{})},
		"LocalAddrs[0] is ff0":  {LocalAddrs: addrs("ff02::1")},
		"at most 103 bytes":     {UnixSocket: string(times("/x", 104))},
		"does not begin with @": {UnixSocket: "@web"},
		"it leads to this":      {UnixSocket: "/run/web", DenyPrivate: true},
		"it needs no address":   {UnixSocket: "/run/web", LocalAddrs: addrs("10.0.0.1")},
	} {
		require.ErrorContains(t, newOn(t, 1024, o), text)
	}
}
