package fetch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/sim"
)

// exactly serves these bytes and then does that.
func exactly(t *testing.T, text string, then sim.End) *scene {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
		p := sim.Raw([]byte(text))
		p.Then = then
		return p
	})
	s.options.MaxPerHost = 1
	return s
}

// TestNoBody: where a response has no body by its method or status, none is
// waited for, whatever its head announces (RFC 9112 section 6.3), and the
// connection is used again.
func TestNoBody(t *testing.T) {
	for _, c := range []struct{ method, head string }{
		{"HEAD", "200 OK\r\nContent-Length: 70057\r\n"},
		{"HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n"},
		{"HEAD", "200 OK\r\nContent-Length: 99000000000\r\n"}, // more than MaxBytes
		{"HEAD", "200 OK\r\n"},
		{"GET", "204 No Content\r\n"},
		{"PUT", "204 No Content\r\n"},
		{"GET", "304 Not Modified\r\nContent-Length: 70057\r\n"},
		{"GET", "304 Not Modified\r\n"},
		{"GET", "200 OK\r\nContent-Length: 0\r\n"},
	} {
		s := exactly(t, "HTTP/1.1 "+c.head+"\r\n", sim.Keep)
		s.options.Accept = func(*fetch.Head) error { return nil }
		q := fetch.Request{URL: "http://a.test/", Method: c.method}
		for n, got := range s.run(s.fetcher(), q, q, q) {
			require.NoError(t, got.err, c)
			require.Empty(t, got.Body)
			require.Zero(t, got.Bytes)
			require.Equal(t, n > 0, got.Reused, c)
			require.Less(t, got.at, time.Second, c)
			if !strings.Contains(c.head, "Length: 0") {
				require.Equal(t, http1.NoBody, got.End)
			}
		}
	}
}

// TestHeadHasNoSecondResponse: a server that sends a body with HEAD all the
// same does not get to answer the next request with it.
func TestHeadHasNoSecondResponse(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		return sim.Reply(200, "", []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
	})
	s.options.MaxPerHost = 1
	got := s.run(s.fetcher(), fetch.Request{URL: "http://a.test/", Method: "HEAD"}, fetch.Request{URL: "http://a.test/"})
	require.NoError(t, got[0].err)
	require.NoError(t, got[1].err)
	require.False(t, got[1].Reused)
	require.Contains(t, string(got[1].Body), "HTTP/1.1")
}

// TestOldServer: with HTTP/1.0 a connection is kept only if the server says so
// (RFC 9112 section 9.3), and a body without a length ends with it.
func TestOldServer(t *testing.T) {
	for _, c := range []struct {
		text   string
		then   sim.End
		end    http1.Framing
		reused bool
	}{
		{"HTTP/1.0 200 OK\r\n\r\nbody", sim.FIN, http1.UntilClose, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", sim.FIN, http1.Length, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", sim.Keep, http1.Length, false},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody", sim.Keep, http1.Length, true},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nbody", sim.FIN, http1.UntilClose, false},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody", sim.Keep, http1.Length, false},
		{"HTTP/1.1 200 OK\r\n\r\nbody", sim.FIN, http1.UntilClose, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", sim.Keep, http1.Length, true},
	} {
		s := exactly(t, c.text, c.then)
		for n, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...) {
			require.NoError(t, got.err, c.text)
			require.Equal(t, "body", string(got.Body), c.text)
			require.Equal(t, c.end, got.End, c.text)
			require.Equal(t, n > 0 && c.reused, got.Reused, c.text)
			require.Equal(t, 1, got.Attempts, c.text)
		}
	}
}

// TestCutShort: a body that ends before its declared end has failed; only one
// that ends with the connection cannot be told from a whole one.
func TestCutShort(t *testing.T) {
	for text, phase := range map[string]fetch.Phase{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody":             fetch.PhaseReceive,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo": fetch.PhaseReceive,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n":   fetch.PhaseReceive,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n":                     fetch.PhaseAwait,
		"HTTP/1.1 100 Continue\r\n\r\n":                                fetch.PhaseAwait,
	} {
		got := exactly(t, text, sim.FIN).one(fetch.Request{URL: "http://a.test/"})
		require.Error(t, got.err, text)
		require.Equal(t, phase, phaseOf(t, got.err), text)
		require.Nil(t, got.Body)
	}
}

// TestInterim: 1xx responses are passed over (RFC 9110 section 15.2), together
// with the final one or long before it.
func TestInterim(t *testing.T) {
	final := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
	hints := "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
	for _, before := range []string{"HTTP/1.1 100 Continue\r\n\r\n", hints, hints + hints + "HTTP/1.1 102 Processing\r\n\r\n"} {
		for _, delay := range []time.Duration{0, 25 * time.Second} {
			s := newScene(t)
			s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
				return sim.Response{Pieces: []sim.Piece{{Bytes: []byte(before)}, {Delay: delay, Bytes: []byte(final)}}}
			})
			s.options.MaxPerHost = 1
			for n, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...) {
				require.NoError(t, got.err)
				require.Equal(t, "body", string(got.Body))
				require.False(t, got.Head.Has("Link"))
				require.Equal(t, n > 0, got.Reused)
			}
		}
	}
}

// TestInterimIsAByte: whoever got one had the request heard, so it is not sent
// again; and silence after it is a stall, no longer a wait for the first byte.
func TestInterimIsAByte(t *testing.T) {
	s := dying(t, sim.Response{Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 103 Early Hints\r\n\r\n")}}, Then: sim.RST})
	got := s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...)
	require.Error(t, got[1].err)
	require.Len(t, s.k.Served(), 2)

	s = exactly(t, "HTTP/1.1 103 Early Hints\r\n\r\n", sim.Stall)
	s.options.FirstByteTimeout, s.options.StallTimeout = 5*time.Second, 8*time.Second
	silent := s.one(fetch.Request{URL: "http://a.test/"})
	require.ErrorContains(t, silent.err, "stall timeout")
	require.InDelta(t, 8*time.Second, silent.at, float64(100*time.Millisecond))
}

// TestEndlessInterim: a server does not keep a fetch for ever by hints.
func TestEndlessInterim(t *testing.T) {
	got := exactly(t, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 10_000), sim.Stall).one(fetch.Request{URL: "http://a.test/"})
	require.ErrorContains(t, got.err, "interim")
	require.Equal(t, fetch.PhaseAwait, phaseOf(t, got.err))
}

// TestSwitchedProtocol was never asked for.
func TestSwitchedProtocol(t *testing.T) {
	got := exactly(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", sim.Stall).one(fetch.Request{URL: "http://a.test/"})
	require.ErrorContains(t, got.err, "switched")
}

// TestNoHTTP: a server of something else is told at its first bytes.
func TestNoHTTP(t *testing.T) {
	for _, text := range []string{"SSH-2.0-OpenSSH_9.7\r\n", "<html>", "\x15\x03\x01\x00\x02\x02\x0a", "ICY 200 OK\r\n\r\n"} {
		got := exactly(t, text, sim.Stall).one(fetch.Request{URL: "http://a.test/"})
		require.Error(t, got.err)
		require.Equal(t, fetch.PhaseAwait, phaseOf(t, got.err))
		require.Less(t, got.at, time.Second, "%q: it was waited for more", text)
	}
}
