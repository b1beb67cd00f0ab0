package fetch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// keeping is a server that says how long it keeps connections.
func keeping(keep string) func(*sim.Request) sim.Response {
	return func(*sim.Request) sim.Response { return sim.Reply(200, "Keep-Alive: "+keep+"\r\n", []byte("hello")) }
}

// conns are the numbers of the connections on which requests came, in order.
func (s *scene) conns() (all []int) {
	for _, v := range s.k.Served() {
		all = append(all, v.Request.Conn)
	}
	return all
}

// TestKeepAliveTimeout: a connection is given up a second before its server
// closes it, by its own word, and is used until then.
func TestKeepAliveTimeout(t *testing.T) {
	for _, c := range []struct {
		keep  string
		pause time.Duration
		again bool
	}{
		{"timeout=5", 3900 * time.Millisecond, true},
		{"timeout=5", 4100 * time.Millisecond, false},
		{"max=3, Timeout = 5", 4100 * time.Millisecond, false},
		{`timeout="5"`, 4100 * time.Millisecond, false},
		{"timeout=1", 400 * time.Millisecond, true},
		{"timeout=1", 600 * time.Millisecond, false},
		{"timeout=0", 0, false},
		{"timeout=1000", 89 * time.Second, true},
		{"timeout=1000", 91 * time.Second, false}, // Options.IdleTimeout
		{"timeout=-5, x, =, timeout=1e3", 89 * time.Second, true},
		{"timeout=4294967295", 89 * time.Second, true},
		{"max=1", 0, true},
		{"max=0", 0, false},
	} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", keeping(c.keep))
		f := s.fetcher()
		s.run(f, gets("http://a.test/1")...)
		s.pass(c.pause)
		got := s.run(f, gets("http://a.test/2")...)
		require.NoError(t, got[0].err)
		require.Equal(t, c.again, got[0].Reused, "%s after %v", c.keep, c.pause)
	}
}

// TestKeepAliveEndsAtOnce: who says max=0 gets no further request on that
// connection, though one waits.
func TestKeepAliveEndsAtOnce(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", keeping("max=0"))
	s.options.MaxPerHost = 1
	s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...)
	require.Equal(t, []int{1, 2}, s.conns())
}

// TestMaxConnAge: a connection that grows old takes no further request, be it
// busy all the time or idle, and the name is looked up for the next.
func TestMaxConnAge(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return late(time.Second, ok(q)) })
	s.options.MaxPerHost, s.options.MaxConnAge = 1, 2500*time.Millisecond
	f := s.fetcher()
	got := s.run(f, gets("http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4")...)
	for _, g := range got {
		require.NoError(t, g.err)
	}
	require.Equal(t, []int{1, 1, 1, 2}, s.conns())
	s.pass(time.Second) // conn 2 is young enough
	s.run(f, gets("http://a.test/5")...)
	s.pass(time.Second)
	s.run(f, gets("http://a.test/6")...)
	require.Equal(t, []int{1, 1, 1, 2, 2, 3}, s.conns())
}

// TestConnAgeBeyondLookups: by default nothing is asked a stale address for more
// than an hour, however busy its connection is.
func TestConnAgeBeyondLookups(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return late(20*time.Second, ok(q)) })
	s.options.MaxPerHost = 1
	r := counting(s)
	f := s.fetcher()
	for range 200 { // 66 minutes
		s.run(f, gets("http://a.test/")...)
	}
	require.Equal(t, 2, s.k.Counts().Conns)
	require.Len(t, r.names, 2)
}

// TestNoKeepAlive: each request has its own connection, and says so, at any
// number of connections; redirects and failures change nothing about that.
func TestNoKeepAlive(t *testing.T) {
	for _, conns := range []int{1, 50} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
			switch q.Target {
			case "/moved":
				return moved(302, "/1")
			case "/none":
				return sim.Reply(404, "", []byte("no"))
			}
			return ok(q)
		})
		s.options.NoKeepAlive, s.options.MaxConns, s.options.MaxPerHost = true, conns, conns
		f := s.fetcher()
		for range 2 {
			for _, got := range s.run(f, gets("http://a.test/1", "http://a.test/moved", "http://a.test/none", "http://a.test/2")...) {
				require.Equal(t, got.URL == "http://a.test/none", got.err != nil)
				require.False(t, got.Reused)
			}
			require.Empty(t, s.k.Open(), "nothing is kept")
		}
		require.Equal(t, 10, s.k.Counts().Conns)
		for _, v := range s.k.Served() {
			require.Equal(t, "close", v.Request.Field("Connection"))
		}
	}
}

// TestLastInFirstOut: of several idle connections that is taken which was used
// last: it is the least likely to have been closed, and the others can grow old.
func TestLastInFirstOut(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Target == "/slow" {
			return late(time.Second, ok(q))
		}
		return ok(q)
	})
	f := s.fetcher()
	s.run(f, fetch.Request{URL: "http://a.test/slow"}, fetch.Request{URL: "http://a.test/quick"})
	for range 3 {
		s.run(f, gets("http://a.test/again")...)
	}
	c := s.conns()
	slow := map[string]int{}
	for i, v := range s.k.Served() {
		slow[v.Request.Target] = c[i]
	}
	require.Equal(t, []int{slow["/slow"], slow["/slow"], slow["/slow"]}, c[2:])
}
