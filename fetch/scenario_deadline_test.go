package fetch_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// slack is how much later than its deadline a fetch may end: waits are counted
// in milliseconds, and a packet takes one.
const slack = 3 * time.Millisecond

// stuck are the places where a fetch can be stuck: what to do to a scene, and
// which of the timings then runs until the deadline.
var stuck = []struct {
	deadline string
	phase    fetch.Phase
	chaos    sim.Chaos
	set      func(o *fetch.Options, d time.Duration)
	prepare  func(s *scene)
	request  fetch.Request
	spent    func(t fetch.Timings) time.Duration
}{
	{
		deadline: "lookup", phase: fetch.PhaseLookup, chaos: sim.Chaos{LookupLost: 1},
		set:     func(o *fetch.Options, d time.Duration) { o.LookupTimeout = d },
		prepare: func(s *scene) { s.host("a.test", "10.1.0.1", ok) },
		request: fetch.Request{URL: "http://a.test/"},
		spent:   func(t fetch.Timings) time.Duration { return t.Lookup },
	},
	{
		deadline: "connect", phase: fetch.PhaseDial,
		set:     func(o *fetch.Options, d time.Duration) { o.ConnectTimeout = d },
		prepare: func(s *scene) { s.k.BlackHole(address("10.1.0.1:80")) },
		request: fetch.Request{URL: "http://10.1.0.1/"},
		spent:   func(t fetch.Timings) time.Duration { return t.Connect },
	},
	{
		// Packets take an hour, so that the send buffer fills and stays full.
		deadline: "send", phase: fetch.PhaseSend,
		set: func(o *fetch.Options, d time.Duration) { o.SendTimeout = d },
		prepare: func(s *scene) {
			s.host("a.test", "10.1.0.1", ok)
			s.k.Delay(address("10.1.0.1:80"), time.Hour)
			s.options.ConnectTimeout = 3 * time.Hour
		},
		request: fetch.Request{URL: "http://10.1.0.1/", Method: "PUT", Body: make([]byte, 1<<20)},
		spent:   func(t fetch.Timings) time.Duration { return t.Send },
	},
	{
		deadline: "first byte", phase: fetch.PhaseAwait,
		set: func(o *fetch.Options, d time.Duration) { o.FirstByteTimeout = d },
		prepare: func(s *scene) {
			s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return late(time.Hour, ok(q)) })
		},
		request: fetch.Request{URL: "http://10.1.0.1/"},
		spent:   func(t fetch.Timings) time.Duration { return t.Wait },
	},
	{
		deadline: "stall", phase: fetch.PhaseReceive,
		set: func(o *fetch.Options, d time.Duration) { o.StallTimeout = d },
		prepare: func(s *scene) {
			s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
				return sim.Response{Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")}}, Then: sim.Stall}
			})
		},
		request: fetch.Request{URL: "http://10.1.0.1/"},
		spent:   func(t fetch.Timings) time.Duration { return t.Receive },
	},
	{
		// A head that does not end is no first byte that is missing, but a stall.
		deadline: "stall", phase: fetch.PhaseAwait,
		set: func(o *fetch.Options, d time.Duration) { o.StallTimeout = d },
		prepare: func(s *scene) {
			s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
				return sim.Response{Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 200 OK\r\nConte")}}, Then: sim.Stall}
			})
		},
		request: fetch.Request{URL: "http://10.1.0.1/"},
		spent:   func(t fetch.Timings) time.Duration { return t.Wait },
	},
}

// TestDeadlines lets each deadline pass: it is named in the error, with the
// phase and its length, and passes at its moment.
func TestDeadlines(t *testing.T) {
	for _, c := range stuck {
		t.Run(c.deadline+" in "+c.phase.String(), func(t *testing.T) {
			const long = 7 * time.Second
			s := newSceneIn(t, c.chaos)
			c.set(&s.options, long)
			c.prepare(s)
			got := s.one(c.request)
			var timeout *fetch.TimeoutError
			require.ErrorAs(t, got.err, &timeout)
			require.Equal(t, c.deadline, timeout.Deadline)
			require.Equal(t, long, timeout.After)
			require.Equal(t, c.phase, phaseOf(t, got.err))
			require.ErrorContains(t, got.err, c.deadline+" timeout")
			require.ErrorContains(t, got.err, "7s")
			require.InDelta(t, long+slack/2, c.spent(got.Timings), float64(slack), "passed at another moment")
		})
	}
}

// TestTotalDeadline lets the total pass in every phase.
func TestTotalDeadline(t *testing.T) {
	for _, c := range stuck {
		t.Run("in "+c.phase.String(), func(t *testing.T) {
			const long = 4 * time.Second
			s := newSceneIn(t, c.chaos)
			c.set(&s.options, time.Minute)
			c.prepare(s)
			s.options.TotalTimeout = long
			if c.deadline == "send" {
				s.options.TotalTimeout += 2 * time.Hour // for the connect
			}
			got := s.one(c.request)
			var timeout *fetch.TimeoutError
			require.ErrorAs(t, got.err, &timeout)
			require.Equal(t, "total", timeout.Deadline)
			require.Equal(t, c.phase, phaseOf(t, got.err))
			require.InDelta(t, s.options.TotalTimeout+slack/2, got.Timings.Total, float64(slack))
		})
	}
}

// TestTotalCountsFromStart: to wait in line for a host is not the server's
// slowness.
func TestTotalCountsFromStart(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return late(8*time.Second, ok(q)) })
	s.options.MaxPerHost, s.options.TotalTimeout = 1, 10*time.Second
	for n, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4")...) {
		require.NoError(t, got.err)
		require.GreaterOrEqual(t, got.Timings.Queue, time.Duration(n)*8*time.Second)
	}
}

// TestTotalSpansRedirects: the total is for everything together.
func TestTotalSpansRedirects(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return late(4*time.Second, moved(302, q.Target+"x")) })
	s.options.TotalTimeout = 10 * time.Second
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.ErrorContains(t, got.err, "total timeout")
	require.Equal(t, 2, got.Redirects)
	require.InDelta(t, 10*time.Second, got.Timings.Total, float64(60*time.Millisecond))
}

// TestConnectDeadlineIsPerAttempt: an address that swallows everything costs
// its own time, and the next one is tried.
func TestConnectDeadlineIsPerAttempt(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.2", ok)
	s.k.Host("a.test", netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.2"))
	s.k.BlackHole(address("10.1.0.1:80"))
	s.options.ConnectTimeout = 5 * time.Second
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.NoError(t, got.err)
	require.Equal(t, "10.1.0.2:80", got.Remote.String())
	require.InDelta(t, 5*time.Second, got.Timings.Connect, float64(10*time.Millisecond))
}

// TestSlowIsNoStall drips a byte every 200 ms for five minutes: a fetch that
// goes on, however slowly, is healthy (golang/go#39468). Silence is not.
func TestSlowIsNoStall(t *testing.T) {
	s := newScene(t)
	const size = 5 * 60 * 5
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		p := sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n"))
		for range size {
			p.Pieces = append(p.Pieces, sim.Piece{Delay: 200 * time.Millisecond, Bytes: []byte("x")})
		}
		if q.Target == "/silent" {
			p.Pieces[1000].Delay = 2 * time.Second
		}
		return p
	})
	s.options.StallTimeout = time.Second
	got := s.run(s.fetcher(), gets("http://a.test/", "http://a.test/silent")...)
	require.ErrorContains(t, got[0].err, "stall timeout")
	require.EqualValues(t, 999, got[0].Bytes)
	require.NoError(t, got[1].err)
	require.Len(t, got[1].Body, size)
	require.Greater(t, got[1].Timings.Receive, 299*time.Second)
}

// TestSendDeadlineIsOfProgress sends slowly for longer than the send timeout.
// Each time a little goes out, the timeout begins anew.
func TestSendDeadlineIsOfProgress(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.k.Delay(address("10.1.0.1:80"), 3*time.Second)
	s.options.SendTimeout = 5 * time.Second
	got := s.one(fetch.Request{URL: "http://10.1.0.1/", Method: "PUT", Body: make([]byte, 512<<10)})
	require.NoError(t, got.err)
	require.Greater(t, got.Timings.Send, 15*time.Second)
}

// TestFalseAlarmIsNoProgress: that the kernel says writable and then takes
// nothing does not put off the send timeout.
func TestFalseAlarmIsNoProgress(t *testing.T) {
	s := newSceneIn(t, sim.Chaos{Spurious: 0.9})
	s.host("a.test", "10.1.0.1", ok)
	s.k.Delay(address("10.1.0.1:80"), time.Hour)
	s.options.ConnectTimeout, s.options.SendTimeout = 3*time.Hour, 20*time.Second
	f := s.fetcher()
	for n := range 10 {
		s.k.At(2*time.Hour+time.Duration(n)*5*time.Second, func() { s.k.Wake() }) // a turn, for false alarms
	}
	got := s.run(f, fetch.Request{URL: "http://10.1.0.1/", Method: "PUT", Body: make([]byte, 1<<20)})[0]
	require.ErrorContains(t, got.err, "send timeout")
	sends := 0
	for _, e := range s.events {
		if e.Kind == fetch.CallSend && e.At > 2*time.Hour+time.Second {
			sends++
		}
	}
	require.NotZero(t, sends, "no false alarm came")
	require.InDelta(t, 20*time.Second, got.Timings.Send, float64(slack))
}
