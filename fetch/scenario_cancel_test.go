package fetch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestRequestContext: a context ends its own fetch, wherever that stands, and no
// other; for the reason that it was given, and without another try.
func TestRequestContext(t *testing.T) {
	enough := errors.New("enough")
	for name, c := range map[string]struct {
		url   string
		after time.Duration
		phase fetch.Phase
	}{
		"before":      {"http://a.test/stall", -1, fetch.PhaseQueue},
		"lookup":      {"http://a.test/stall", time.Millisecond, fetch.PhaseLookup},
		"dial":        {"http://10.9.9.9/", time.Second, fetch.PhaseDial},
		"await":       {"http://a.test/silent", time.Second, fetch.PhaseAwait},
		"receive":     {"http://a.test/stall", time.Second, fetch.PhaseReceive},
		"backing off": {"http://b.test/", time.Second, fetch.PhaseQueue},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
				switch q.Target {
				case "/stall":
					return sim.Response{Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")}}, Then: sim.Stall}
				case "/silent":
					return sim.Response{Then: sim.Stall}
				}
				return late(5*time.Second, ok(q))
			})
			s.host("b.test", "10.1.0.2", func(*sim.Request) sim.Response { return sim.Reply(503, "Retry-After: 60\r\n", nil) })
			s.k.BlackHole(address("10.9.9.9:80"))
			s.options.Retry.Max = 3
			ctx, cancel := context.WithCancelCause(context.Background())
			if c.after < 0 {
				cancel(enough)
			} else {
				s.k.AtExpectWake(c.after, func() { cancel(enough) })
			}
			for _, got := range s.run(s.fetcher(), fetch.Request{URL: c.url, Context: ctx}, fetch.Request{URL: "http://a.test/slow"}) {
				if got.URL == "http://a.test/slow" {
					require.NoError(t, got.err)
					continue
				}
				require.ErrorIs(t, got.err, enough)
				require.Equal(t, c.phase, phaseOf(t, got.err))
				require.LessOrEqual(t, got.at, 1100*time.Millisecond)
			}
		})
	}
}

// TestRequestContextLate: a context that ends after its fetch ends nothing.
func TestRequestContextLate(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	f := s.fetcher()
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, s.run(f, fetch.Request{URL: "http://a.test/", Context: ctx})[0].err)
	cancel()
	require.NoError(t, s.run(f, gets("http://a.test/")...)[0].err)
}

// TestInterimIsShown: interim heads are shown in their order, with the request; an error
// ends the fetch.
func TestInterimIsShown(t *testing.T) {
	for _, refuse := range []error{nil, errors.New("no")} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
			return sim.Raw([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
		})
		var seen []string
		s.options.Interim = func(r *fetch.Request, h *fetch.Head) error {
			seen = append(seen, r.URL+" "+h.Reason()+h.Get("Link"))
			return refuse
		}
		got := s.one(fetch.Request{URL: "http://a.test/"})
		if refuse != nil {
			require.ErrorIs(t, got.err, refuse)
			require.Equal(t, fetch.PhaseAwait, phaseOf(t, got.err))
			require.Equal(t, []string{"http://a.test/ Continue"}, seen)
			continue
		}
		require.NoError(t, got.err)
		require.Equal(t, "hello", string(got.Body))
		require.Equal(t, []string{"http://a.test/ Continue", "http://a.test/ Early Hints</a>"}, seen)
	}
}

// TestTrailer: what follows the chunks is told apart from the head.
func TestTrailer(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Target == "/none" {
			return ok(q)
		}
		return sim.Raw([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Sum: ?\r\n\r\n4\r\nfish\r\n0\r\nX-Sum: 4\r\n\r\n"))
	})
	f := s.fetcher()
	got := s.run(f, gets("http://a.test/")...)[0]
	require.Equal(t, "4", got.Trailer.Get("X-Sum"))
	require.Equal(t, "?", got.Head.Get("X-Sum"))
	require.Empty(t, s.run(f, gets("http://a.test/none")...)[0].Trailer)
}
