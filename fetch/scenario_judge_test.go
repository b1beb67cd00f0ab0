package fetch_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// openings is a sink that counts what is opened, and drops it.
type openings struct {
	nowhere
	count int
}

func (s *openings) Open(info fetch.OpenInfo) (fetch.Body, error) {
	s.count++
	return s.nowhere.Open(info)
}

// TestStatusError: a final status outside 200 to 299 is a failure with its
// code and phrase, the head is there, no sink is opened, and the connection is
// used again.
func TestStatusError(t *testing.T) {
	for _, c := range []struct {
		line, text string
		code       int
	}{
		{"404 Not Found", "404 Not Found", 404},
		{"500", "status 500", 500},
		{"503 ", "status 503", 503},
		{"300 Choose", "300 Choose", 300},
		{"304 Not Modified", "304 Not Modified", 304},
		{"999 Own", "999 Own", 999},
	} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
			return sim.Raw([]byte("HTTP/1.1 " + c.line + "\r\nX-Why: because\r\nContent-Length: 0\r\n\r\n"))
		})
		sink := &openings{}
		s.options.Sink, s.options.MaxPerHost = sink, 1
		for n, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...) {
			var status *fetch.StatusError
			require.ErrorAs(t, got.err, &status)
			require.Equal(t, c.code, status.Code)
			require.Equal(t, fetch.PhaseStatus, phaseOf(t, got.err))
			require.EqualError(t, got.err, fmt.Sprintf("http://a.test/%d: status: %s", n+1, c.text))
			require.Equal(t, "because", got.Head.Get("X-Why"))
			require.Equal(t, n > 0, got.Reused, c.line)
			require.Empty(t, got.Body)
		}
		require.Zero(t, sink.count)
	}
}

// TestSuccess is every status from 200 to 299, but for 206: nobody asked for a
// part.
func TestSuccess(t *testing.T) {
	for _, status := range []int{200, 201, 203, 226, 299} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.Reply(status, "", []byte("made")) })
		got := s.one(fetch.Request{URL: "http://a.test/"})
		require.NoError(t, got.err)
		require.Equal(t, "made", string(got.Body))
	}
}

// TestRefusedBody: a short body that nobody wants is read past, so that the
// connection can be used again; a long one is not waited for.
func TestRefusedBody(t *testing.T) {
	for size, conns := range map[int]int{10: 1, 64 << 10: 1, 64<<10 + 1: 2, 10 << 20: 2} {
		for framing, p := range map[string]sim.Response{
			"length":  sim.Reply(404, "", make([]byte, size)),
			"chunked": sim.ReplyChunked(404, "", make([]byte, size), 5000),
		} {
			s := newScene(t)
			s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return p })
			s.options.MaxPerHost = 1
			for _, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2")...) {
				require.ErrorContains(t, got.err, "404")
			}
			require.Equal(t, conns, s.k.Counts().Conns, "%d bytes, %s", size, framing)
			require.Less(t, s.k.Counts().Received, uint64(5<<20))
		}
	}
}

// TestAccept: the caller's judgement replaces the default one. It sees final
// heads alone, and its error is the fetch's.
func TestAccept(t *testing.T) {
	noImage := errors.New("no image")
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		switch q.Target {
		case "/moved":
			return moved(302, "/image")
		case "/image":
			p := sim.Reply(200, "Content-Type: image/png\r\n", []byte("png"))
			p.Pieces[0].Bytes = append([]byte("HTTP/1.1 103 Early Hints\r\n\r\n"), p.Pieces[0].Bytes...)
			return p
		case "/missing":
			return sim.Reply(404, "Content-Type: image/png\r\n", []byte("a drawing of nothing"))
		}
		return sim.Reply(200, "Content-Type: text/html\r\n", []byte("<p>"))
	})
	sink, seen := &openings{}, []uint16{}
	s.options.Sink = sink
	s.options.Accept = func(h *fetch.Head) error {
		seen = append(seen, h.Status)
		if h.Get("Content-Type") != "image/png" {
			return noImage
		}
		return nil
	}
	f := s.fetcher()
	require.NoError(t, s.run(f, gets("http://a.test/moved")...)[0].err)
	require.NoError(t, s.run(f, gets("http://a.test/missing")...)[0].err, "Accept takes a 404")
	got := s.run(f, gets("http://a.test/page")...)[0]
	require.ErrorIs(t, got.err, noImage)
	require.Equal(t, fetch.PhaseStatus, phaseOf(t, got.err))
	require.Equal(t, "text/html", got.Head.Get("Content-Type"))
	require.Equal(t, []uint16{200, 404, 200}, seen)
	require.Equal(t, 2, sink.count)
	require.Equal(t, 1, s.k.Counts().Conns)
}

// TestMaxBytes: a body may be as long as the limit and no longer. A declared
// length is judged by the head, before the sink is opened; another when it
// has grown too long.
func TestMaxBytes(t *testing.T) {
	const limit = 100_000
	for framing, reply := range map[string]func(size int) sim.Response{
		"length":  func(size int) sim.Response { return sim.Reply(200, "", times("x", size)) },
		"chunked": func(size int) sim.Response { return sim.ReplyChunked(200, "", times("x", size), 7000) },
		"close":   func(size int) sim.Response { return sim.ReplyUntilClose(200, "", times("x", size)) },
	} {
		for size, phase := range map[int]fetch.Phase{limit: 0, limit + 1: fetch.PhaseReceive, 100 * limit: fetch.PhaseReceive} {
			t.Run(fmt.Sprint(framing, size), func(t *testing.T) {
				s := newScene(t)
				s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return reply(size) })
				s.options.MaxBytes = limit
				got := s.one(fetch.Request{URL: "http://a.test/"})
				if phase == 0 {
					require.NoError(t, got.err)
					require.Len(t, got.Body, limit)
					return
				}
				if framing == "length" {
					phase = fetch.PhaseStatus
					require.Zero(t, got.Bytes)
				}
				var over *fetch.LimitError
				require.ErrorAs(t, got.err, &over)
				require.Equal(t, fetch.LimitError{What: "body bytes", Limit: limit}, *over)
				require.ErrorContains(t, got.err, "more than 100000 body bytes")
				require.Equal(t, phase, phaseOf(t, got.err))
				require.Nil(t, got.Body)
			})
		}
	}
}

// TestMaxBytesByDefault is 32 MiB for a body that is kept in memory, and no
// limit for one that goes to a sink.
func TestMaxBytesByDefault(t *testing.T) {
	const size = 32<<20 + 1
	for _, c := range []struct {
		limit int64
		sink  fetch.Sink
		fails bool
	}{{0, nil, true}, {-1, nil, false}, {0, &nowhere{}, false}, {size - 1, &nowhere{}, true}, {size, &nowhere{}, false}} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.Reply(200, "", make([]byte, size)) })
		s.options.MaxBytes, s.options.Sink = c.limit, c.sink
		got := s.one(fetch.Request{URL: "http://a.test/"})
		if c.fails {
			require.ErrorContains(t, got.err, fmt.Sprint(size-1))
		} else {
			require.NoError(t, got.err)
			require.EqualValues(t, size, got.Bytes)
		}
	}
}

// TestDeclaredLengthIsNotBelieved: memory is spent on what comes, not on what
// is announced.
func TestDeclaredLengthIsNotBelieved(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
		p := sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nlittle"))
		p.Then = sim.FIN
		return p
	})
	s.options.MaxBytes = -1
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.Equal(t, fetch.PhaseReceive, phaseOf(t, got.err))
	require.EqualValues(t, 6, got.Bytes)
}

// informed is a sink that keeps what it is told.
type informed struct {
	nowhere
	all []fetch.OpenInfo
}

func (s *informed) Open(info fetch.OpenInfo) (fetch.Body, error) {
	s.all = append(s.all, info)
	return s.nowhere.Open(info)
}

// TestOpenInfo: a sink is told what it opens, of the last response: the
// request as it was sent there, the length if there is one, which attempt.
func TestOpenInfo(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		switch q.Target {
		case "/moved":
			return moved(303, "/chunked")
		case "/chunked":
			return sim.ReplyChunked(200, "", []byte("body"), 4)
		case "/none":
			return sim.Raw([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
		}
		return sim.Reply(200, "X-A: 1\r\n", []byte("hello"))
	})
	sink := &informed{}
	s.options.Sink = sink
	f := s.fetcher()
	for _, c := range []struct {
		q               fetch.Request
		method          string
		length, attempt int
	}{
		{fetch.Request{URL: "http://a.test/", Tag: 1}, "", 5, 1},
		{fetch.Request{URL: "http://a.test/", Method: "HEAD"}, "HEAD", 0, 1},
		{fetch.Request{URL: "http://a.test/none"}, "", 0, 1},
		{fetch.Request{URL: "http://a.test/moved", Method: "POST", Body: []byte("x"), Tag: 2}, "", -1, 2},
	} {
		got := s.run(f, c.q)[0]
		require.NoError(t, got.err)
		require.Equal(t, c.q, got.Request)
		info := sink.all[len(sink.all)-1]
		require.Equal(t, c.method, info.Request.Method)
		require.Equal(t, c.q.Tag, info.Request.Tag)
		require.EqualValues(t, c.length, info.Length, c.q)
		require.Equal(t, c.attempt, info.Attempt)
		require.Equal(t, got.Head, info.Head)
	}
}

// failing is a sink that fails where it is told to.
type failing struct {
	at      string
	err     error
	history []string
}

func (s *failing) say(what string) error {
	s.history = append(s.history, what)
	if what == s.at {
		return s.err
	}
	return nil
}

func (s *failing) Open(fetch.OpenInfo) (fetch.Body, error) {
	if err := s.say("open"); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *failing) Write([]byte) error { return s.say("write") }
func (s *failing) Commit() error      { return s.say("commit") }
func (s *failing) Discard()           { s.say("discard") }

// TestSinkFails: a sink's own error is the fetch's, in phase save, and what
// was opened is discarded once.
func TestSinkFails(t *testing.T) {
	for at, history := range map[string][]string{
		"open":   {"open"},
		"write":  {"open", "write", "discard"},
		"commit": {"open", "write", "commit", "discard"},
	} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", ok)
		sink := &failing{at: at, err: errors.New("no room for it")}
		s.options.Sink = sink
		f := s.fetcher()
		got := s.run(f, gets("http://a.test/")...)[0]
		require.ErrorIs(t, got.err, sink.err)
		require.Equal(t, fetch.PhaseSave, phaseOf(t, got.err))
		require.EqualValues(t, 200, got.Head.Status)
		require.Equal(t, history, sink.history)
		sink.at = ""
		require.NoError(t, s.run(f, gets("http://a.test/")...)[0].err)
	}
}
