package fetch_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// untrusting is a scene that denies private addresses, in which one public server
// redirects anywhere and each private one would answer.
func untrusting(t *testing.T) *scene {
	s := newScene(t)
	s.options.DenyPrivate = true
	s.host("out.test", "9.1.0.1", func(q *sim.Request) sim.Response {
		if to, is := map[string]string{"/in": "http://in.test/", "/literal": "http://127.0.0.1/", "/six": "http://[::ffff:7f00:1]/"}[q.Target]; is {
			return moved(302, to)
		}
		return ok(q)
	})
	s.host("in.test", "10.1.0.1", ok)
	s.host("loop.test", "127.0.0.1", ok)
	s.host("meta.test", "169.254.169.254", ok)
	return s
}

// TestDenyPrivate: what is private is never dialled, whether it is written in the
// URL, found by a lookup, or where a redirect leads; it is not tried again, and
// no host is down for it.
func TestDenyPrivate(t *testing.T) {
	for _, conns := range []int{1, 50} {
		s := untrusting(t)
		s.options.MaxConns = conns
		s.options.Retry.Max, s.options.Manners.GiveUp = 3, true
		f := s.fetcher()
		for _, url := range []string{
			"http://in.test/", "http://loop.test/", "http://meta.test/", "http://127.0.0.1/", "http://[::1]/", "http://[fe80::1%251]/",
			"http://out.test/in", "http://out.test/literal", "http://out.test/six",
		} {
			for range 6 { // more often than it takes to be down
				got := s.run(f, gets(url)...)[0]
				var private *fetch.PrivateAddressError
				require.ErrorAs(t, got.err, &private, url)
				require.NotEmpty(t, private.Addrs)
				require.Equal(t, fetch.PhaseLookup, phaseOf(t, got.err))
				require.Less(t, got.Attempts, 3)
			}
		}
		require.NoError(t, s.run(f, gets("http://out.test/x")...)[0].err)
		for _, e := range s.events {
			if e.Kind == fetch.CallConnect {
				require.Equal(t, address("9.1.0.1:80"), e.Remote)
			}
		}
	}
}

// TestPrivateIsAllowed unless it is denied.
func TestPrivateIsAllowed(t *testing.T) {
	s := untrusting(t)
	s.options.DenyPrivate = false
	for _, got := range s.run(s.fetcher(), gets("http://out.test/in", "http://out.test/literal", "http://meta.test/")...) {
		require.NoError(t, got.err)
	}
}

// TestPrivateAmongOthers: of several addresses the private ones are left out,
// though they come first.
func TestPrivateAmongOthers(t *testing.T) {
	s := untrusting(t)
	s.k.Host("mixed.test", netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("::1"), netip.MustParseAddr("9.1.0.1"))
	got := s.one(fetch.Request{URL: "http://mixed.test/"})
	require.NoError(t, got.err)
	require.Equal(t, address("9.1.0.1:80"), got.Remote)
}

// TestNoSecondLookup: a name that leads to a public address when it is judged and
// to a private one when it is asked for again gains nothing by that.
func TestNoSecondLookup(t *testing.T) {
	s := untrusting(t)
	s.k.Serve(address("9.1.0.2:80"), func(q *sim.Request, _ *rand.Rand) sim.Response {
		s.k.Host("turns.test", netip.MustParseAddr("127.0.0.1"))
		return moved(302, "http://turns.test"+q.Target+"x")
	})
	s.k.Host("turns.test", netip.MustParseAddr("9.1.0.2"))
	s.options.NoKeepAlive, s.options.MaxRedirects = true, 1
	f := s.fetcher()
	got := s.run(f, gets("http://turns.test/")...)[0]
	require.ErrorAs(t, got.err, new(*fetch.LimitError), "the second request went where the first did")
	s.pass(61 * time.Second)
	got = s.run(f, gets("http://turns.test/")...)[0]
	require.ErrorAs(t, got.err, new(*fetch.PrivateAddressError))
	require.Equal(t, 2, s.k.Counts().Conns)
}
