package fetch_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
)

// asked is a Resolver that notes what it is asked for.
type asked struct {
	fetch.Resolver
	names []string
}

func (r *asked) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	r.names = append(r.names, host)
	return r.Resolver.LookupNetIP(ctx, network, host)
}

// counting has a scene's lookups noted.
func counting(s *scene) *asked {
	r := &asked{Resolver: s.k}
	s.options.Resolver = r
	return r
}

// TestOneLookupPerName: however many URLs share a name, on however many ports
// and in whatever case, it is looked up once (img2dataset#98), and then known.
func TestOneLookupPerName(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.k.Serve(address("10.1.0.1:81"), serve)
	r := counting(s)
	f := s.fetcher()
	var urls []string
	for n := range 100 {
		urls = append(urls, fmt.Sprintf("http://%s/length/10/%d", []string{"a.test", "A.Test", "a.test:81", "a.test:80"}[n%4], n))
	}
	s.run(f, gets(urls...)...)
	require.Equal(t, []string{"a.test"}, r.names)
	s.run(f, gets("http://a.test/again")...)
	require.Len(t, r.names, 1, "the answer is remembered")
}

// TestAnswerGrowsOld asks again after a minute.
func TestAnswerGrowsOld(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	r := counting(s)
	s.options.IdleTimeout = time.Second
	f := s.fetcher()
	for _, c := range []struct {
		wait time.Duration
		asks int
	}{{0, 1}, {30 * time.Second, 1}, {31 * time.Second, 2}} {
		s.pass(c.wait)
		s.run(f, gets("http://a.test/")...)
		require.Len(t, r.names, c.asks)
	}
}

// TestFailedLookup ends everything that waits for it, with the resolver's own
// error, and is remembered for a little while only.
func TestFailedLookup(t *testing.T) {
	s := newScene(t)
	r := counting(s)
	f := s.fetcher()
	for _, got := range s.run(f, gets("http://no.test/1", "http://no.test/2", "http://no.test/3")...) {
		var dns *net.DNSError
		require.ErrorAs(t, got.err, &dns)
		require.True(t, dns.IsNotFound)
		require.Equal(t, fetch.PhaseLookup, phaseOf(t, got.err))
		require.Equal(t, 1, got.Attempts)
	}
	s.run(f, gets("http://no.test/4")...)
	require.Len(t, r.names, 1)
	s.pass(6 * time.Second)
	s.host("no.test", "10.1.0.1", ok)
	require.NoError(t, s.run(f, gets("http://no.test/5")...)[0].err)
}

// TestNoAddress: an answer without an address is a failure, not a success.
func TestNoAddress(t *testing.T) {
	s := newScene(t)
	s.options.Resolver = resolver(func() ([]netip.Addr, error) { return nil, nil })
	require.ErrorContains(t, s.one(fetch.Request{URL: "http://a.test/"}).err, "no address")
}

type resolver func() ([]netip.Addr, error)

func (r resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return r() }

// hanging is a resolver that answers only when it is told to stop.
type hanging struct{}

func (hanging) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, &net.DNSError{Err: ctx.Err().Error(), Name: host, IsTimeout: true}
}

// TestLookupTimeoutIsNamed on the real kernel, where the loop's deadline and
// the resolver's own pass at about the same moment: it is the same deadline,
// and the error names it.
func TestLookupTimeoutIsNamed(t *testing.T) {
	k, err := kernel.New()
	require.NoError(t, err)
	workers := offload.New(4, func() { _ = k.Wake() })
	f, err := fetch.NewOn(k, workers, fetch.Options{Resolver: hanging{}, LookupTimeout: 5 * time.Millisecond})
	require.NoError(t, err)
	defer f.Close()
	for range 40 {
		for _, err := range f.Fetch(context.Background(), slices.Values(gets("http://a.test/"))) {
			var timeout *fetch.TimeoutError
			require.ErrorAs(t, err, &timeout, "%v", err)
			require.Equal(t, "lookup", timeout.Deadline)
		}
	}
}

// TestSlowLookupHoldsUpNobody: a name server that is silent keeps only its own
// hosts waiting.
func TestSlowLookupHoldsUpNobody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	port := netip.MustParseAddrPort(server.Listener.Addr().String()).Port()
	found := make(chan struct{})
	f, err := fetch.New(fetch.Options{Resolver: halfHanging{found}})
	require.NoError(t, err)
	defer f.Close()
	var order []fetch.Outcome
	for res := range f.Fetch(context.Background(), slices.Values(gets("http://slow.test/", fmt.Sprintf("http://quick.test:%d/", port)))) {
		if order = append(order, res.Outcome); len(order) == 1 {
			close(found)
		}
	}
	require.Equal(t, []fetch.Outcome{fetch.Fetched, fetch.Failed}, order)
}

// halfHanging finds every name at once, but slow.test only when it is released,
// and then not.
type halfHanging struct{ released <-chan struct{} }

func (r halfHanging) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if host != "slow.test" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	select {
	case <-r.released:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
