package fetch_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
	"github.com/shoalfetch/shoal/poller"
)

// scene is a world in which one thing happens: servers that do what a test
// says, on a kernel where nothing goes wrong that the test does not make go
// wrong. When the test ends, nothing may be open and no rule broken.
type scene struct {
	t       *testing.T
	k       *sim.Kernel
	on      kernel.Kernel // what the engine sees: k, or something before it
	options fetch.Options
	events  []fetch.Event
}

// ended is one result as it was yielded, and when.
type ended struct {
	*fetch.Result
	err error
	at  time.Duration
}

func newScene(t *testing.T) *scene { return newSceneIn(t, sim.Chaos{}) }

func newSceneIn(t *testing.T, chaos sim.Chaos) *scene {
	k := sim.New(1, chaos)
	k.Fatal = func(text string) { t.Error(text) }
	s := &scene{t: t, k: k, on: k}
	s.options.Resolver = k
	s.options.Trace = func(e fetch.Event) { s.events = append(s.events, e) }
	return s
}

// host puts an HTTP server at an address and gives it a name.
func (s *scene) host(name, addr string, answer func(q *sim.Request) sim.Response) {
	a := netip.MustParseAddr(addr)
	s.k.Host(name, a)
	s.k.Serve(netip.AddrPortFrom(a, 80), func(q *sim.Request, _ *rand.Rand) sim.Response { return answer(q) })
}

// fetcher makes the Fetcher of the scene. It is closed, and the kernel looked
// over, when the test ends.
func (s *scene) fetcher() *fetch.Fetcher {
	f, err := fetch.NewOn(s.on, s.k.Runner(), s.options)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		require.NoError(s.t, f.Close())
		require.Empty(s.t, s.k.Open(), "descriptors leaked")
		require.Empty(s.t, s.k.Violations())
	})
	return f
}

// run fetches and gives the results in the order in which they came. Each
// request must be answered by exactly one.
func (s *scene) run(f *fetch.Fetcher, requests ...fetch.Request) []ended {
	var got []ended
	for res, err := range f.Fetch(context.Background(), slices.Values(requests)) {
		require.Equal(s.t, err == nil, res.Outcome != fetch.Failed, "outcome %v with error %v", res.Outcome, err)
		got = append(got, ended{res, err, s.k.Now()})
	}
	require.Len(s.t, got, len(requests), "results")
	return got
}

// one fetches one request with a Fetcher of its own.
func (s *scene) one(q fetch.Request) ended { return s.run(s.fetcher(), q)[0] }

// gets are plain requests for URLs.
func gets(urls ...string) []fetch.Request {
	var all []fetch.Request
	for _, u := range urls {
		all = append(all, fetch.Request{URL: u})
	}
	return all
}

// pass lets time pass between two Fetches, until something happens to an idle
// connection or for so long.
func (s *scene) pass(d time.Duration) {
	_, err := s.k.Wait(make([]poller.Event, 1), d)
	require.NoError(s.t, err)
}

// phaseOf is the phase in which a fetch failed.
func phaseOf(t *testing.T, err error) fetch.Phase {
	var e *fetch.Error
	require.ErrorAs(t, err, &e)
	return e.Phase
}

// ok answers everything with a short body.
func ok(*sim.Request) sim.Response { return sim.Reply(200, "", []byte("hello")) }

// late is a response that begins to leave after a delay.
func late(d time.Duration, p sim.Response) sim.Response {
	p.Pieces = slices.Clone(p.Pieces)
	p.Pieces[0].Delay = d
	return p
}

// moved is a redirect.
func moved(status int, location string) sim.Response {
	return sim.Reply(status, "Location: "+location+"\r\n", []byte("elsewhere"))
}

// times is a text, repeated to a length in bytes.
func times(text string, size int) []byte {
	return []byte(strings.Repeat(text, size/len(text)+1)[:size])
}

// targets are what servers were asked for, in order: method and target.
func (s *scene) targets() []string {
	var all []string
	for _, v := range s.k.Served() {
		all = append(all, v.Request.Method+" "+v.Request.Target)
	}
	return all
}

// address is an address and port.
func address(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
