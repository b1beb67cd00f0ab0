package fetch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/sim"
)

// sip is bytes that came at a moment, for a job.
type sip struct {
	at  time.Duration
	job uint64
	n   int
}

// sips are what came for jobs, in order.
func sips(events []fetch.Event) (all []sip) {
	for _, e := range events {
		if (e.Kind == fetch.CallRecv || e.Kind == fetch.CallSplice) && e.N > 0 && e.Job != 0 {
			all = append(all, sip{e.At, e.Job, e.N})
		}
	}
	return all
}

// most is the largest part of what came, over any time, of what may come in it.
func most(all []sip, perSecond, most float64) (share float64) {
	for i := range all {
		sum := 0
		for _, s := range all[i:] {
			sum += s.n
			share = max(share, float64(sum)/((s.at-all[i].at).Seconds()*perSecond+most))
		}
	}
	return share
}

// TestBytesPerSecond: together never more comes than may, in small pieces, as
// much as may, and as much for each; nobody is late who waits for us. With files
// too, whose bytes do not pass through this process.
func TestBytesPerSecond(t *testing.T) {
	const limit, size, fetches = 30_000, 300_000, 8
	for _, conns := range widths {
		for _, toFiles := range []bool{false, true} {
			s := newScene(t)
			s.options.MaxConns, s.options.MaxPerHost = conns, conns
			s.options.Manners.BytesPerSecond = limit
			s.options.StallTimeout, s.options.FirstByteTimeout = 200*time.Millisecond, 200*time.Millisecond
			if toFiles {
				s.options.Sink = save.Dir("out")
			}
			s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return sim.Reply(200, "", times(q.Target, size)) })
			began := s.k.Now()
			for _, got := range s.run(s.fetcher(), gets(pages("a.test", fetches)...)...) {
				require.NoError(t, got.err)
				require.EqualValues(t, size, got.Bytes)
			}
			require.InDelta(t, fetches*size/limit, (s.k.Now() - began).Seconds(), 1)
			all := sips(s.events)
			of := map[uint64]int{}
			for n, sip := range all {
				require.LessOrEqual(t, sip.n, limit/30)
				if of[sip.job] += sip.n; n == len(all)/2 && conns > 1 {
					require.Len(t, of, fetches)
					for job, got := range of {
						require.InDelta(t, fetches*size/2/fetches, got, 6*limit/30, "job %d", job)
					}
				}
			}
			require.LessOrEqual(t, most(all, limit, limit/10+limit/30), 1.0)
			require.Less(t, s.k.Counts().Waits, uint64(4*len(all)))
		}
	}
}

// TestBytesPerSecondEach: each connection has its own share, whatever the others
// do, and both limits hold together.
func TestBytesPerSecondEach(t *testing.T) {
	for _, c := range []struct {
		conns         int
		all, each     int64
		bytes, second int
	}{
		{1, 0, 3000, 30_000, 40}, {50, 0, 3000, 30_000, 10},
		{50, 6000, 3000, 30_000, 20}, {50, 60_000, 3000, 30_000, 10},
	} {
		s := newScene(t)
		s.options.MaxConns, s.options.MaxPerHost = c.conns, c.conns
		s.options.Manners.BytesPerSecond, s.options.Manners.BytesPerSecondEach = c.all, c.each
		s.options.StallTimeout = 100 * time.Millisecond
		s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return sim.Reply(200, "", times(q.Target, c.bytes)) })
		began := s.k.Now()
		for _, got := range s.run(s.fetcher(), gets(pages("a.test", 4)...)...) {
			require.NoError(t, got.err)
		}
		require.InDelta(t, c.second, (s.k.Now() - began).Seconds(), 0.7)
		of := map[uint64][]sip{}
		for _, sip := range sips(s.events) {
			of[sip.job] = append(of[sip.job], sip)
		}
		for job, its := range of {
			require.LessOrEqual(t, most(its, float64(c.each), float64(c.each/10+c.each/30)), 1.0, "job %d", job)
		}
	}
}

// TestOneBytePerSecond: the slowest limit there is.
func TestOneBytePerSecond(t *testing.T) {
	s := newScene(t)
	s.options.Manners.BytesPerSecond = 1
	s.host("a.test", "10.1.0.1", ok)
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.NoError(t, got.err)
	require.InDelta(t, len(got.Head.Raw())+2+len("hello"), got.at.Seconds(), 3)
}

// TestThrottledSilence: that the limit lets nothing be read is not the server's
// silence, and the server's silence is noticed under a limit.
func TestThrottledSilence(t *testing.T) {
	s := newScene(t)
	s.options.Manners.BytesPerSecond = 1000
	s.options.StallTimeout = 2 * time.Second
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
		p := sim.Reply(200, "", times("x", 5000))
		p.Pieces[0].Bytes = p.Pieces[0].Bytes[:3000]
		return p
	})
	got := s.one(fetch.Request{URL: "http://a.test/"})
	var timeout *fetch.TimeoutError
	require.ErrorAs(t, got.err, &timeout)
	require.Equal(t, "stall", timeout.Deadline)
	require.InDelta(t, 3+2, got.at.Seconds(), 0.3)
}

// TestThrottledTotal: the total timeout runs on while the limit holds a conn up,
// and what rests then is closed.
func TestThrottledTotal(t *testing.T) {
	s := newScene(t)
	s.options.Manners = fetch.Manners{BytesPerSecond: 1000, BytesPerSecondEach: 100}
	s.options.TotalTimeout = 3 * time.Second
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.Reply(200, "", times("x", 5000)) })
	for _, got := range s.run(s.fetcher(), gets(pages("a.test", 20)...)...) {
		require.ErrorContains(t, got.err, "total timeout")
	}
}

// TestThrottledTLS: with TLS too, where what has come is not what is decrypted.
func TestThrottledTLS(t *testing.T) {
	s := newScene(t)
	secureServers(t, s.k, true)
	s.options.TLS = worldTLS()
	s.options.Manners.BytesPerSecond = 20_000
	s.options.StallTimeout = 500 * time.Millisecond
	s.k.Host("one.test", address("10.0.0.1:443").Addr())
	began := s.k.Now()
	for n, got := range s.run(s.fetcher(), gets("https://one.test/length/100000/1", "https://one.test/length/100000/2")...) {
		require.NoError(t, got.err)
		require.EqualValues(t, 100_000, got.Bytes, fmt.Sprint(n))
	}
	require.InDelta(t, 10, (s.k.Now() - began).Seconds(), 1)
}
