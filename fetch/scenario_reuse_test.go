package fetch_test

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/sim"
)

// dying is a scene whose server answers the first request on each connection
// and does something else at the second.
func dying(t *testing.T, second sim.Response) *scene {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Nth == 2 {
			return second
		}
		return ok(q)
	})
	s.options.MaxPerHost = 1
	return s
}

// TestDeadReusedConn: that a server closes a kept connection while a request
// is on its way is nobody's fault, and the request goes out again on a new one
// (RFC 9112 section 9.3.1).
func TestDeadReusedConn(t *testing.T) {
	for name, second := range map[string]sim.Response{"fin": {Then: sim.FIN}, "reset": {Then: sim.RST}} {
		for _, method := range []string{"", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"} {
			t.Run(name+" "+method, func(t *testing.T) {
				s := dying(t, second)
				got := s.run(s.fetcher(), fetch.Request{URL: "http://a.test/1"}, fetch.Request{URL: "http://a.test/2", Method: method})
				require.NoError(t, got[1].err)
				require.Equal(t, 2, got[1].Attempts)
				require.False(t, got[1].Reused)
				require.Equal(t, 2, s.k.Counts().Conns)
			})
		}
	}
}

// TestDeadReusedConnIsNotForPost: what may have been acted upon is not sent
// twice (RFC 9110 section 9.2.2).
func TestDeadReusedConnIsNotForPost(t *testing.T) {
	for _, method := range []string{"POST", "PATCH", "MERGE"} {
		s := dying(t, sim.Response{Then: sim.FIN})
		got := s.run(s.fetcher(), fetch.Request{URL: "http://a.test/1"}, fetch.Request{URL: "http://a.test/2", Method: method, Body: []byte("x")})
		require.ErrorIs(t, got[1].err, http1.ErrNoResponse)
		require.Equal(t, fetch.PhaseAwait, phaseOf(t, got[1].err))
		require.Equal(t, 1, got[1].Attempts)
		require.True(t, got[1].Reused)
		require.Len(t, s.k.Served(), 2)
	}
}

// TestNoSecondChanceAfterAByte: a server that has begun to answer has had the
// request.
func TestNoSecondChanceAfterAByte(t *testing.T) {
	s := dying(t, sim.Response{Pieces: []sim.Piece{{Bytes: []byte("H")}}, Then: sim.FIN})
	got := s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...)
	require.ErrorIs(t, got[1].err, io.ErrUnexpectedEOF)
	require.Equal(t, 1, got[1].Attempts)
	require.Len(t, s.k.Served(), 2)
}

// TestNewConnHasNoSecondChance: that a connection nobody used before dies is
// an error.
func TestNewConnHasNoSecondChance(t *testing.T) {
	for _, then := range []sim.End{sim.FIN, sim.RST} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.Response{Then: then} })
		got := s.one(fetch.Request{URL: "http://a.test/"})
		if then == sim.FIN {
			require.ErrorIs(t, got.err, http1.ErrNoResponse)
		} else {
			require.ErrorIs(t, got.err, syscall.ECONNRESET)
		}
		require.Equal(t, fetch.PhaseAwait, phaseOf(t, got.err))
		require.Len(t, s.k.Served(), 1)
	}
}

// TestOneSecondChance: the new connection is not a kept one, so a request goes
// out twice at most.
func TestOneSecondChance(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Target == "/bad" {
			return sim.Response{Then: sim.FIN}
		}
		return ok(q)
	})
	s.options.MaxPerHost = 1
	got := s.run(s.fetcher(), gets("http://a.test/", "http://a.test/bad")...)
	require.ErrorIs(t, got[1].err, http1.ErrNoResponse)
	require.Equal(t, []string{"GET /", "GET /bad", "GET /bad"}, s.targets())
}

// TestSurplusEndsReuse: bytes after a response are the answer to nothing, so
// the connection is not used again, whenever they come.
func TestSurplusEndsReuse(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
			p := sim.Reply(200, "", []byte(q.Target))
			surplus := []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			if delay == 0 {
				p.Pieces[0].Bytes = append(p.Pieces[0].Bytes, surplus...)
			} else {
				p.Pieces = append(p.Pieces, sim.Piece{Delay: delay, Bytes: surplus})
			}
			return p
		})
		f := s.fetcher()
		for n := range 3 {
			path := fmt.Sprint("/", n)
			got := s.run(f, fetch.Request{URL: "http://a.test" + path})
			require.NoError(t, got[0].err)
			require.Equal(t, path, string(got[0].Body))
			require.False(t, got[0].Reused)
			s.pass(time.Second)
		}
		require.Equal(t, 3, s.k.Counts().Conns)
	}
}

// TestIdleConnClosedBetweenFetches: a Fetch looks at the idle connections
// before it uses one, so that a POST finds none that died meanwhile.
func TestIdleConnClosedBetweenFetches(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		p := ok(q)
		p.Then, p.Delay = sim.FIN, 20*time.Millisecond
		return p
	})
	f := s.fetcher()
	for range 3 {
		got := s.run(f, fetch.Request{URL: "http://a.test/", Method: "POST", Body: []byte("x")})
		require.NoError(t, got[0].err)
		require.Equal(t, 1, got[0].Attempts)
		s.pass(100 * time.Millisecond)
	}
	require.Equal(t, 3, s.k.Counts().Conns)
}

// TestKeptAcrossFetches uses one connection for all.
func TestKeptAcrossFetches(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	f := s.fetcher()
	for n := range 4 {
		got := s.run(f, fetch.Request{URL: "http://a.test/"})
		require.NoError(t, got[0].err)
		require.Equal(t, n > 0, got[0].Reused)
	}
	require.Equal(t, 1, s.k.Counts().Conns)
}

// TestIdleTimeout closes what nobody has used for long enough.
func TestIdleTimeout(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.host("b.test", "10.1.0.2", func(q *sim.Request) sim.Response { return late(20*time.Second, ok(q)) })
	s.options.IdleTimeout = 5 * time.Second
	f := s.fetcher()
	s.run(f, gets("http://a.test/", "http://b.test/")...)
	open := s.k.Open()
	require.Len(t, open, 1, "the connection to a.test was idle for 20 s")
	require.Contains(t, open[0], "10.1.0.2")
}
