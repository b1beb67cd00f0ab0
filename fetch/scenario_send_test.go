package fetch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestPartialSend sends a megabyte, and a head of 48 KB, through sends of 2 KB
// and less that often take nothing (tidwall/evio#72): every byte arrives once,
// in order.
func TestPartialSend(t *testing.T) {
	for _, faults := range []kernel.Faults{
		{SendMax: 2 << 10}, {SendMax: 2 << 10, SendAgain: 70}, {SendMax: 1 << 10, SendAgain: 30, RecvMax: 7}, {SendMax: 97},
	} {
		t.Run(fmt.Sprint(faults.SendMax, faults.SendAgain, faults.RecvMax), func(t *testing.T) {
			s := newScene(t)
			s.on = kernel.Inject(s.k, faults)
			s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return sim.Reply(200, "", q.Body) })
			want := body("/echo/1048576/x")
			value := string(times("abcdefgh", 48<<10))
			got := s.one(fetch.Request{URL: "http://a.test/", Method: "POST", Body: want, Fields: []fetch.Field{{Name: "X-Long", Value: value}}})
			require.NoError(t, got.err)
			require.True(t, string(want) == string(got.Body))
			require.Equal(t, value, s.k.Served()[0].Request.Field("X-Long"))
		})
	}
}

// early is a peer that answers at the first byte, and then does something.
type early struct {
	c      *sim.Conn
	answer []byte
	then   func(c *sim.Conn)
}

func (e *early) Receive([]byte) {
	if e.answer != nil {
		e.c.Send(0, e.answer)
		e.then(e.c)
		e.answer = nil
	}
}

func (e *early) Closed() {}

// TestAnswerBeforeTheRequestIsSent: a server need not read all of a request
// before it answers (RFC 9112 section 9.5). The answer counts, whatever becomes
// of the rest; the connection is not used again.
func TestAnswerBeforeTheRequestIsSent(t *testing.T) {
	for name, then := range map[string]func(c *sim.Conn){
		"stays":  func(*sim.Conn) {},
		"closes": func(c *sim.Conn) { c.Close(0) },
		"resets": func(c *sim.Conn) { c.Reset(50 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.k.Listen(address("10.1.0.1:80"), func(c *sim.Conn) sim.Peer {
				return &early{c, []byte("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!"), then}
			})
			s.k.Delay(address("10.1.0.1:80"), 100*time.Millisecond)
			s.options.MaxPerHost = 1
			q := fetch.Request{URL: "http://10.1.0.1/", Method: "POST", Body: make([]byte, 4<<20)}
			for _, got := range s.run(s.fetcher(), q, q) {
				var status *fetch.StatusError
				require.ErrorAs(t, got.err, &status)
				require.Equal(t, 413, status.Code)
				require.False(t, got.Reused)
			}
			require.Equal(t, 2, s.k.Counts().Conns)
		})
	}
}

// TestFalseAlarmsWhileConnecting: that a socket is said to be writable, with
// no error pending, is no proof that it is connected (golang/go#14548). The
// kernel calls it a violation to send before it is.
func TestFalseAlarmsWhileConnecting(t *testing.T) {
	s := newSceneIn(t, sim.Chaos{Spurious: 0.8, Stale: 0.3, Duplicate: 0.5, SlowConnect: 1})
	s.host("a.test", "10.1.0.1", ok)
	s.k.BlackHole(address("10.1.0.2:80"))
	s.options.ConnectTimeout = time.Minute
	got := s.run(s.fetcher(), gets("http://a.test/", "http://a.test/2", "http://10.1.0.2/")...)
	require.NoError(t, got[0].err)
	require.NoError(t, got[1].err)
	require.ErrorContains(t, got[2].err, "connect timeout")
}
