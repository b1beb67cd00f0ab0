package fetch_test

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

// several gives a.test more than one address.
func (s *scene) several(addrs ...string) {
	var all []netip.Addr
	for _, a := range addrs {
		all = append(all, netip.MustParseAddr(a))
	}
	s.k.Host("a.test", all...)
}

// TestFirstAddressRefuses is localhost where nobody listens on ::1.
func TestFirstAddressRefuses(t *testing.T) {
	for name, prepare := range map[string]func(s *scene){
		"refused":     func(s *scene) {},
		"unreachable": func(s *scene) { s.k.Unreachable(address("[2001:db8::1]:80"), syscall.ENETUNREACH) },
		"no family":   func(s *scene) { s.k.Unreachable(address("[2001:db8::1]:80"), syscall.EAFNOSUPPORT) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.host("a.test", "10.1.0.1", ok)
			s.several("2001:db8::1", "10.1.0.1")
			prepare(s)
			got := s.one(fetch.Request{URL: "http://a.test/"})
			require.NoError(t, got.err)
			require.Equal(t, "10.1.0.1:80", got.Remote.String())
			require.Equal(t, 1, got.Attempts, "no request was sent to the first")
		})
	}
}

// TestAllAddressesFail: the error has each address with what it met, on one
// line.
func TestAllAddressesFail(t *testing.T) {
	s := newScene(t)
	s.several("2001:db8::1", "10.1.0.1", "10.1.0.2", "10.1.0.3")
	s.k.Unreachable(address("10.1.0.1:80"), syscall.ENETUNREACH)
	s.k.BlackHole(address("10.1.0.2:80"))
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.Equal(t, fetch.PhaseDial, phaseOf(t, got.err))
	require.ErrorIs(t, got.err, syscall.ECONNREFUSED)
	require.ErrorIs(t, got.err, syscall.ENETUNREACH)
	for _, part := range []string{
		"[2001:db8::1]:80: connection refused",
		"10.1.0.1:80: network is unreachable",
		"10.1.0.2:80: no connection within 10s (connect timeout)",
		"10.1.0.3:80: connection refused",
	} {
		require.ErrorContains(t, got.err, part)
	}
	require.False(t, strings.Contains(got.err.Error(), "\n"), "one failed URL is one line, not:\n%v", got.err)
	require.Equal(t, 1, got.Attempts)
	require.False(t, got.Remote.IsValid(), "Remote is zero when never connected")
}

// TestAddressNeedsNoLookup takes addresses for what they are.
func TestAddressNeedsNoLookup(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.host("six.test", "2001:db8::6", ok)
	s.options.Resolver = nil // would ask the world
	for _, got := range s.run(s.fetcher(), gets("http://10.1.0.1/", "http://[2001:db8::6]/", "http://[2001:DB8:0::6]:80/")...) {
		require.NoError(t, got.err)
		require.Zero(t, got.Timings.Lookup)
	}
	hosts := map[string]bool{}
	for _, v := range s.k.Served() {
		hosts[v.Request.Field("Host")] = true
	}
	require.Equal(t, map[string]bool{"10.1.0.1": true, "[2001:db8::6]": true, "[2001:DB8:0::6]": true}, hosts)
}

// TestZoneIsOurs: a zone names an interface of this machine and is not for the
// Host field (RFC 9110 section 7.2 knows none, RFC 6874 section 3 has it
// removed).
func TestZoneIsOurs(t *testing.T) {
	s := newScene(t)
	s.host("zone.test", "fe80::1", ok)
	s.k.Serve(address("[fe80::1%eth0]:80"), serve)
	s.one(fetch.Request{URL: "http://[fe80::1%25eth0]/length/5/1"})
	require.Len(t, s.k.Served(), 1)
	require.Equal(t, "[fe80::1]", s.k.Served()[0].Request.Field("Host"))
}

// TestIdleConnBeatsDial: a job that is dialling takes a conn that comes free,
// and its attempt serves the next.
func TestIdleConnBeatsDial(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.host("b.test", "10.1.0.2", ok)
	f := s.fetcher()
	s.k.Delay(address("10.1.0.1:80"), 1)
	s.run(f, gets("http://a.test/")...)
	s.k.Delay(address("10.1.0.1:80"), 50_000_000) // new connections take 100 ms, the old one does not
	for _, got := range s.run(f, gets("http://a.test/1", "http://a.test/2", "http://a.test/3")...) {
		require.NoError(t, got.err)
		require.Less(t, got.Timings.Total.Milliseconds(), int64(50))
		require.True(t, got.Reused)
	}
}
