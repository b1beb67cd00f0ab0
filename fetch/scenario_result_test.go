package fetch_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestResult has every field say what happened.
func TestResult(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		switch q.Target {
		case "/moved":
			return moved(302, "/chunked")
		case "/chunked":
			return sim.ReplyChunked(200, "X-A: 1\r\n", []byte("in chunks"), 4)
		case "/close":
			return sim.ReplyUntilClose(200, "", []byte("to the end"))
		}
		return sim.Reply(200, "Content-Type: image/png\r\n", []byte("counted"))
	})
	s.options.MaxPerHost = 1
	type tag struct{ n int }
	requests := []fetch.Request{
		{URL: "http://A.test:80/plain#part", Tag: &tag{1}},
		{URL: "http://a.test/moved", Fields: []fetch.Field{{Name: "X-B", Value: "2"}}},
		{URL: "http://a.test/close", Method: "POST", Body: []byte("sent")},
	}
	want := []fetch.Result{
		{URL: "http://A.test:80/plain", Body: []byte("counted"), End: http1.Length, Attempts: 1},
		{URL: "http://a.test/chunked", Body: []byte("in chunks"), End: http1.Chunked, Attempts: 2, Redirects: 1, Reused: true},
		{URL: "http://a.test/close", Body: []byte("to the end"), End: http1.UntilClose, Attempts: 1, Reused: true},
	}
	heads := []string{
		"HTTP/1.1 200 \r\nContent-Type: image/png\r\nContent-Length: 7\r\n",
		"HTTP/1.1 200 \r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n",
		"HTTP/1.1 200 \r\nConnection: close\r\n",
	}
	f := s.fetcher()
	for n, w := range want {
		w.Request, w.Outcome, w.Bytes, w.Remote = requests[n], fetch.Fetched, int64(len(w.Body)), address("10.1.0.1:80")
		got := s.run(f, requests[n])[0]
		require.NoError(t, got.err)
		w.Head, w.Timings, w.Hops = got.Head, got.Timings, got.Hops // see below, TestTimings, and TestHops
		require.Equal(t, w, *got.Result)
		require.EqualValues(t, 200, got.Head.Status)
		require.Equal(t, heads[n], got.Head.Raw())
	}
}

// TestResultIsKept: a result is the caller's, and no later fetch changes it.
func TestResultIsKept(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		return sim.Reply(200, "X-Target: "+q.Target+"\r\n", []byte(q.Target))
	})
	for _, got := range s.run(s.fetcher(), manyOf("a.test", 200)...) {
		require.Equal(t, "http://a.test"+string(got.Body), got.Request.URL)
		require.Equal(t, string(got.Body), got.Head.Get("X-Target"))
	}
}

// TestResultOfFailure says how far a fetch had come.
func TestResultOfFailure(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		p := sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this much"))
		p.Then = sim.FIN
		return p
	})
	got := s.run(s.fetcher(), gets("http://a.test/half", "http://none.test/", "http://10.1.0.9/")...)
	slices.SortFunc(got, func(a, b ended) int { return int(phaseOf(t, a.err)) - int(phaseOf(t, b.err)) })
	lookup, dial, half := got[0], got[1], got[2]

	require.Equal(t, fetch.PhaseReceive, phaseOf(t, half.err))
	require.EqualValues(t, len("only this much"), half.Bytes)
	require.Nil(t, half.Body, "half a body is none")
	require.EqualValues(t, 200, half.Head.Status)
	require.Equal(t, http1.Length, half.End)
	require.Equal(t, address("10.1.0.1:80"), half.Remote)

	for _, got := range []ended{lookup, dial} {
		require.True(t, got.Head.IsZero())
		require.False(t, got.Remote.IsValid(), "never connected")
		require.Zero(t, got.Bytes)
		require.Equal(t, 1, got.Attempts)
	}
}

// TestTimings: each phase is given its time, and together they are the whole,
// from admission to the end.
func TestTimings(t *testing.T) {
	s := newScene(t)
	s.k.Host("a.test", netip.MustParseAddr("10.1.0.1"))
	s.k.Delay(address("10.1.0.1:80"), 50*time.Millisecond)
	s.k.Serve(address("10.1.0.1:80"), func(*sim.Request, *rand.Rand) sim.Response {
		return sim.Response{Pieces: []sim.Piece{
			{Delay: time.Second, Bytes: []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")},
			{Delay: 3 * time.Second, Bytes: []byte("lf")},
		}}
	})
	s.options.MaxPerHost = 1
	got := s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...)
	for n, want := range []fetch.Timings{
		{Connect: 100 * time.Millisecond, Wait: 1100 * time.Millisecond, Receive: 3 * time.Second},
		{Queue: got[0].at, Wait: 1100 * time.Millisecond, Receive: 3 * time.Second},
	} {
		have := got[n].Timings
		for _, each := range []struct {
			name       string
			want, have time.Duration
		}{
			{"queue", want.Queue, have.Queue},
			{"connect", want.Connect, have.Connect},
			{"send", want.Send, have.Send},
			{"wait", want.Wait, have.Wait},
			{"receive", want.Receive, have.Receive},
			{"total", got[n].at, have.Total}, // both were admitted at the beginning
		} {
			require.InDelta(t, each.want, each.have, float64(time.Millisecond), "fetch %d: %s", n+1, each.name)
		}
		sum := have.Queue + have.Lookup + have.Connect + have.Send + have.Wait + have.Receive
		require.Equal(t, sum, have.Total)
		require.Equal(t, n == 0, have.Lookup > 0)
		require.Less(t, have.Lookup, 20*time.Millisecond)
	}
}

// TestSendIsTimed where a request does not fit into the buffers at once.
func TestSendIsTimed(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.k.Delay(address("10.1.0.1:80"), 100*time.Millisecond)
	got := s.one(fetch.Request{URL: "http://a.test/", Method: "PUT", Body: make([]byte, 8<<20)})
	require.NoError(t, got.err)
	require.Greater(t, got.Timings.Send, 200*time.Millisecond)
	require.InDelta(t, got.at, got.Timings.Total, float64(time.Millisecond))
}

// TestTimingsAddUp over redirects and repeated attempts.
func TestTimingsAddUp(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Target == "/end" {
			return slowly(q)
		}
		return late(2*time.Second, moved(307, "/end"))
	})
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.NoError(t, got.err)
	require.InDelta(t, 3*time.Second, got.Timings.Wait, float64(10*time.Millisecond))
	require.InDelta(t, got.at, got.Timings.Total, float64(time.Millisecond))
}

// TestYieldOrder: results come in the order in which they end.
func TestYieldOrder(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		delay, err := time.ParseDuration(q.Target[1:])
		require.NoError(t, err)
		return late(delay, ok(q))
	})
	var order []string
	for res := range s.fetcher().Fetch(context.Background(), slices.Values(gets("http://a.test/3s", "http://a.test/1s", "http://a.test/2s"))) {
		order = append(order, res.URL)
	}
	require.Equal(t, []string{"http://a.test/1s", "http://a.test/2s", "http://a.test/3s"}, order)
}
