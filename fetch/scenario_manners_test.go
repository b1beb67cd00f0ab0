package fetch_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// startsOf are when jobs left the queue, in order.
func startsOf(events []fetch.Event) (at []time.Duration) {
	queued := map[uint64]bool{}
	for _, e := range events {
		switch e.Kind {
		case fetch.JobQueued:
			queued[e.Job] = true
		case fetch.JobLookingUp, fetch.JobRunning:
			if queued[e.Job] {
				at = append(at, e.At)
			}
			delete(queued, e.Job)
		}
	}
	return at
}

// asked is a host that notes when it is asked.
func (s *scene) asked(name, addr string, answer func(nth int) sim.Response) *[]time.Duration {
	at := new([]time.Duration)
	s.host(name, addr, func(*sim.Request) sim.Response {
		*at = append(*at, s.k.Now())
		return answer(len(*at))
	})
	return at
}

func hello(int) sim.Response { return sim.Reply(200, "", []byte("hello")) }

// pages are so many URLs of a host.
func pages(host string, n int) (urls []string) {
	for i := range n {
		urls = append(urls, fmt.Sprintf("http://%s/%d", host, i))
	}
	return urls
}

// widths are how many conns there may be: a limit holds with one as with many.
var widths = []int{1, 50}

// TestRate starts two requests a second, whatever host they are for, and wakes
// no more often than it has to.
func TestRate(t *testing.T) {
	for _, conns := range widths {
		s := newScene(t)
		s.options.MaxConns, s.options.Manners.Rate = conns, 2
		var urls []string
		for i := range 5 {
			name := fmt.Sprintf("h%d.test", i)
			s.asked(name, fmt.Sprintf("10.1.0.%d", i+1), hello)
			urls = append(urls, pages(name, 4)...)
		}
		for _, got := range s.run(s.fetcher(), gets(urls...)...) {
			require.NoError(t, got.err)
		}
		at := startsOf(s.events)
		require.Len(t, at, 20)
		for n := range at {
			require.InDelta(t, (at[0] + time.Duration(n)*500*time.Millisecond).Seconds(), at[n].Seconds(), 0.012)
		}
		require.Less(t, s.k.Counts().Waits, uint64(20*8))
	}
}

// TestFastRate: the first come in a burst of a quarter of a second, the others
// evenly.
func TestFastRate(t *testing.T) {
	s := newScene(t)
	s.options.Manners.Rate = 100
	s.options.MaxPerHost = 50
	s.asked("a.test", "10.1.0.1", hello)
	s.run(s.fetcher(), gets(pages("a.test", 226)...)...)
	at := startsOf(s.events)
	require.Len(t, at, 226)
	require.Equal(t, at[0], at[25])
	require.InDelta(t, 2, (at[225] - at[0]).Seconds(), 0.02)
}

// TestRatePerHost holds each host to its own rate, and none for another's sake.
func TestRatePerHost(t *testing.T) {
	for _, conns := range widths {
		s := newScene(t)
		s.options.MaxConns, s.options.Manners.RatePerHost = conns, 1
		a, b := s.asked("a.test", "10.1.0.1", hello), s.asked("b.test", "10.1.0.2", hello)
		s.run(s.fetcher(), gets(append(pages("a.test", 10), pages("b.test", 10)...)...)...)
		for _, host := range []*[]time.Duration{a, b} {
			require.Len(t, *host, 10)
			for n, at := range *host {
				require.InDelta(t, n, (at - (*host)[0]).Seconds(), 0.1)
			}
		}
		require.Less(t, ((*b)[0] - (*a)[0]).Seconds(), 0.1)
		require.Less(t, s.k.Counts().Waits, uint64(20*8))
	}
}

// TestRateIsRemembered: a host of which nothing is left is still not asked
// again too soon, in the next Fetch too.
func TestRateIsRemembered(t *testing.T) {
	s := newScene(t)
	s.options.Manners.RatePerHost = 0.1
	at := s.asked("a.test", "10.1.0.1", func(int) sim.Response {
		p := sim.Reply(200, "Connection: close\r\n", []byte("hello"))
		p.Then = sim.FIN
		return p
	})
	f := s.fetcher()
	for n := range 3 {
		require.NoError(t, s.run(f, gets("http://a.test/")...)[0].err)
		require.Zero(t, f.Origins())
		require.InDelta(t, 10*n, ((*at)[n] - (*at)[0]).Seconds(), 0.1)
	}
}

// TestStandingsAreBounded: a million hosts leave no million memories.
func TestStandingsAreBounded(t *testing.T) {
	s := newScene(t)
	s.options.Manners = fetch.Manners{RatePerHost: 1, Adapt: true, GiveUp: true}
	s.options.Trace = nil
	f := s.fetcher()
	var urls []string
	for port := range 20_000 {
		urls = append(urls, fmt.Sprintf("http://10.1.0.1:%d/", 1+port))
	}
	s.run(f, gets(urls...)...)
	require.Zero(t, f.Origins())
	require.Equal(t, 1<<14, f.Standings())
}

// TestWait: the pauses are chance, around the one that was asked for.
func TestWait(t *testing.T) {
	for _, conns := range widths {
		s := newScene(t)
		s.options.MaxConns, s.options.Manners.Wait = conns, time.Second
		at := s.asked("a.test", "10.1.0.1", hello)
		s.run(s.fetcher(), gets(pages("a.test", 41)...)...)
		var gaps []float64
		for n := range 40 {
			gaps = append(gaps, ((*at)[n+1] - (*at)[n]).Seconds())
		}
		slices.Sort(gaps)
		require.InDelta(t, 0.55, gaps[0], 0.1)
		require.InDelta(t, 1.45, gaps[39], 0.1)
		require.InDelta(t, 1, gaps[20], 0.25)
	}
}

// TestRetriesAreStarts: a try more is a start more, and so is a redirect.
func TestRetriesAreStarts(t *testing.T) {
	s := newScene(t)
	s.options.Manners.Rate = 0.1
	s.options.Retry = fetch.Retry{Max: 1, Delay: time.Millisecond}
	at := s.asked("a.test", "10.1.0.1", func(nth int) sim.Response {
		return []sim.Response{sim.Reply(500, "", nil), moved(302, "/elsewhere"), hello(3)}[nth-1]
	})
	require.NoError(t, s.one(fetch.Request{URL: "http://a.test/"}).err)
	for n := range 3 {
		require.InDelta(t, 10*n, ((*at)[n] - (*at)[0]).Seconds(), 0.1)
	}
}

// TestHeldBackIsNotLate: neither the total timeout nor the time for retries runs
// while a rate holds a fetch back.
func TestHeldBackIsNotLate(t *testing.T) {
	s := newScene(t)
	s.options.Manners.Rate = 0.1
	s.options.Retry = fetch.Retry{Max: 1, Delay: time.Millisecond, MaxTime: 15 * time.Second}
	s.asked("a.test", "10.1.0.1", func(nth int) sim.Response {
		if nth == 20 {
			return sim.Reply(500, "", nil)
		}
		return hello(nth)
	})
	for _, got := range s.run(s.fetcher(), gets(pages("a.test", 20)...)...) {
		require.NoError(t, got.err)
	}
	s = newScene(t)
	s.options.Manners.Rate, s.options.TotalTimeout = 0.1, 9*time.Second
	s.asked("a.test", "10.1.0.1", hello)
	for _, got := range s.run(s.fetcher(), gets(pages("a.test", 10)...)...) {
		require.NoError(t, got.err)
	}
}

// TestGovernor: a host that says it is too much gets half the connections, and
// then more as it answers well.
func TestGovernor(t *testing.T) {
	for _, status := range []int{429, 503} {
		s := newScene(t)
		s.options.MaxPerHost, s.options.Manners.Adapt = 8, true
		at := s.asked("a.test", "10.1.0.1", func(nth int) sim.Response {
			if nth <= 8 {
				return late(time.Second, sim.Reply(status, "", nil))
			}
			return late(time.Second, hello(nth))
		})
		s.run(s.fetcher(), gets(pages("a.test", 50)...)...)
		require.Equal(t, []int{8, 4, 5, 6, 7, 8, 8}, perSecond(*at)[:7])
		slowed := slices.DeleteFunc(s.events, func(e fetch.Event) bool { return e.Kind != fetch.HostSlowed })
		require.Len(t, slowed, 1, "eight that fail together are one trouble")
		require.Equal(t, 4, slowed[0].N)
	}
}

// perSecond counts moments that are about a second apart.
func perSecond(at []time.Duration) (counts []int) {
	for n := range at {
		if n == 0 || at[n]-at[n-1] > time.Second/2 {
			counts = append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return counts
}

// TestGovernorPauses: one connection that is too much gets pauses, also with
// -j 1; without Adapt there are none.
func TestGovernorPauses(t *testing.T) {
	for _, conns := range widths {
		s := newScene(t)
		s.options.MaxConns, s.options.MaxPerHost, s.options.Manners.Adapt = conns, 1, true
		at := s.asked("a.test", "10.1.0.1", func(int) sim.Response { return sim.Reply(503, "", nil) })
		s.run(s.fetcher(), gets(pages("a.test", 6)...)...)
		for n, want := range []float64{1, 2, 4, 8, 16} {
			require.InDelta(t, want, ((*at)[n+1] - (*at)[n]).Seconds(), 0.1)
		}
	}
	s := newScene(t)
	s.asked("a.test", "10.1.0.1", func(int) sim.Response { return sim.Reply(503, "", nil) })
	got := s.run(s.fetcher(), gets(pages("a.test", 6)...)...)
	require.Less(t, got[5].at, time.Second)
}

// TestGovernorOnTimeouts: silence is trouble too, and pause enough.
func TestGovernorOnTimeouts(t *testing.T) {
	s := newScene(t)
	s.options.MaxPerHost, s.options.Manners.Adapt = 8, true
	s.options.FirstByteTimeout = time.Second
	at := s.asked("a.test", "10.1.0.1", func(int) sim.Response { return late(time.Minute, hello(0)) })
	s.run(s.fetcher(), gets(pages("a.test", 17)...)...)
	require.Equal(t, []int{8, 4, 2, 1, 1, 1}, perSecond(*at))
}

// TestHostRestsAsAsked: Retry-After holds for the whole host, and for no other,
// up to a minute.
func TestHostRestsAsAsked(t *testing.T) {
	for asked, want := range map[string]float64{"7": 7, "3600": 60, "nonsense": 1} {
		s := newScene(t)
		s.options.MaxPerHost, s.options.Manners.Adapt = 1, true
		a := s.asked("a.test", "10.1.0.1", func(nth int) sim.Response {
			if nth == 1 {
				return sim.Reply(429, "Retry-After: "+asked+"\r\n", nil)
			}
			return hello(nth)
		})
		b := s.asked("b.test", "10.1.0.2", hello)
		s.run(s.fetcher(), gets(append(pages("a.test", 4), pages("b.test", 4)...)...)...)
		require.InDelta(t, want, ((*a)[1] - (*a)[0]).Seconds(), 0.1)
		require.Less(t, ((*b)[3] - (*a)[0]).Seconds(), 0.5)
	}
}

// TestHostDown: a host that cannot be connected to rests for a minute three
// times, and then what is left for it fails without a try, and what is pulled
// later too. Other hosts go on.
func TestHostDown(t *testing.T) {
	for _, conns := range widths {
		s := newScene(t)
		s.options.MaxConns, s.options.Manners.GiveUp = conns, true
		s.k.Host("down.test", netip.MustParseAddr("10.9.0.1"))
		s.host("a.test", "10.1.0.1", ok)
		urls := append(pages("down.test", 14), pages("a.test", 3)...)
		urls = append(urls, pages("down.test", 1000)...)
		f := s.fetcher()
		got := s.run(f, gets(urls...)...)
		tried := 0
		for _, g := range got {
			var down *fetch.HostDownError
			switch {
			case strings.Contains(g.URL, "a.test"):
				require.NoError(t, g.err)
				require.Less(t, g.at, 10*time.Second)
			case phaseOf(t, g.err) == fetch.PhaseDial:
				tried++
			default:
				require.Equal(t, fetch.PhaseQueue, phaseOf(t, g.err))
				require.ErrorAs(t, g.err, &down)
				require.ErrorContains(t, g.err, "refused")
				require.Equal(t, tried, down.Tries)
				require.Greater(t, g.at, 3*time.Minute)
				require.Zero(t, g.Attempts)
			}
		}
		require.InDelta(t, 3*time.Minute, got[len(got)-1].at, float64(time.Second))
		require.GreaterOrEqual(t, tried, 4*5)
		require.LessOrEqual(t, tried, 4*(5+min(conns, 6)-1), "five, and what was under way with the fifth")
		rests := slices.DeleteFunc(slices.Clone(s.events), func(e fetch.Event) bool { return e.Kind != fetch.HostRests && e.Kind != fetch.HostDown })
		require.Len(t, rests, 4)
		require.Equal(t, fetch.HostDown, rests[3].Kind)
		at := s.k.Now()
		later := s.run(f, gets("http://down.test/again")...)
		require.ErrorAs(t, later[0].err, new(*fetch.HostDownError))
		require.InDelta(t, at, later[0].at, float64(time.Millisecond))
	}
}

// TestHostDownByLookup: a name that cannot be looked up is a host that is down.
func TestHostDownByLookup(t *testing.T) {
	s := newScene(t)
	s.options.Manners.GiveUp = true
	got := s.run(s.fetcher(), gets(pages("nowhere.test", 100)...)...)
	require.ErrorAs(t, got[99].err, new(*fetch.HostDownError))
	require.InDelta(t, 3*time.Minute, got[99].at, float64(5*time.Second))
}

// TestHostComesBack: a connection starts the count over, and what waited is
// fetched.
func TestHostComesBack(t *testing.T) {
	s := newScene(t)
	s.options.Manners.GiveUp = true
	s.options.Retry = fetch.Retry{Max: 10, Delay: time.Millisecond}
	s.k.Host("a.test", netip.MustParseAddr("10.1.0.1"))
	s.k.At(90*time.Second, func() { s.host("a.test", "10.1.0.1", ok) })
	got := s.run(s.fetcher(), gets(pages("a.test", 100)...)...)
	for _, g := range got {
		require.NoError(t, g.err)
	}
	require.InDelta(t, 2*time.Minute, got[99].at, float64(2*time.Second))
}

// TestMannersAreChecked: what makes no sense is refused.
func TestMannersAreChecked(t *testing.T) {
	for _, m := range []fetch.Manners{{Rate: -1}, {RatePerHost: -1}, {Wait: -1}, {BytesPerSecond: -1}, {BytesPerSecondEach: -1}} {
		_, err := fetch.New(fetch.Options{Manners: m})
		require.ErrorContains(t, err, "Manners")
	}
}
