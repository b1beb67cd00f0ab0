package fetch_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// halting is a sink whose bodies ask for a pause after each piece, and are
// resumed some time later.
type halting struct {
	k      *sim.Kernel
	pause  time.Duration
	got    bytes.Buffer
	pauses int
}

func (h *halting) Open(info fetch.OpenInfo) (fetch.Body, error) { return &haltingBody{h, info}, nil }

type haltingBody struct {
	*halting
	info fetch.OpenInfo
}

func (b *haltingBody) Write(piece []byte) error {
	b.got.Write(piece)
	b.pauses++
	b.k.At(b.k.Now()+b.pause, b.info.Resume)
	return fetch.ErrPause
}

func (b *haltingBody) Commit() error { return nil }
func (b *haltingBody) Discard()      { b.got.Reset() }

// TestCloseDuringPause: the server writes 32 MB and closes, or resets what it
// can, while the sink has asked for a pause. What was sent before a FIN is all
// there (FreeBSD's EV_EOF with data pending), however it is framed.
func TestCloseDuringPause(t *testing.T) {
	want := times("all that was sent arrives, ", 32<<20)
	for name, p := range map[string]sim.Response{
		"length":  sim.Reply(200, "Connection: close\r\n", want),
		"chunked": sim.ReplyChunked(200, "Connection: close\r\n", want, 100_000),
		"close":   sim.ReplyUntilClose(200, "", want),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			p.Then = sim.FIN
			s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return p })
			sink := &halting{k: s.k, pause: 50 * time.Millisecond}
			s.options.Sink = sink
			got := s.one(fetch.Request{URL: "http://a.test/"})
			require.NoError(t, got.err)
			require.Greater(t, sink.pauses, 400)
			require.True(t, bytes.Equal(want, sink.got.Bytes()), "%d of %d bytes, or others", sink.got.Len(), len(want))
			require.EqualValues(t, len(want), got.Bytes)
			require.Empty(t, got.Body)
		})
	}
}

// TestPauseIsNoStall: while the sink takes its time, no deadline of the
// server's runs; when it goes on, a silent server is called so.
func TestPauseIsNoStall(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
		return sim.Response{Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")}}, Then: sim.Stall}
	})
	s.options.Sink = &halting{k: s.k, pause: time.Hour}
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.ErrorContains(t, got.err, "stall timeout")
	require.InDelta(t, time.Hour+30*time.Second, got.Timings.Total, float64(time.Second))
}

// TestTotalRunsInPause: the total is for everything.
func TestTotalRunsInPause(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.options.Sink, s.options.TotalTimeout = &halting{k: s.k, pause: time.Hour}, time.Minute
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.ErrorContains(t, got.err, "total timeout")
	require.InDelta(t, time.Minute, got.Timings.Total, float64(time.Second))
}

// TestResumeAtOnce: a sink may be resumed before its Write has returned, and
// when nothing is paused, and when all is over.
func TestResumeAtOnce(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.ReplyChunked(200, "", times("x", 500_000), 700) })
	sink := &hasty{}
	s.options.Sink = sink
	f := s.fetcher()
	require.NoError(t, s.run(f, gets("http://a.test/")...)[0].err)
	require.Equal(t, 500_000, sink.size)
	sink.last.Resume()
	require.NoError(t, s.run(f, gets("http://a.test/")...)[0].err)
}

type hasty struct {
	size int
	last fetch.OpenInfo
}

func (h *hasty) Open(info fetch.OpenInfo) (fetch.Body, error) {
	h.last = info
	info.Resume()
	return h, nil
}

func (h *hasty) Write(piece []byte) error {
	h.size += len(piece)
	h.last.Resume()
	return fetch.ErrPause
}

func (h *hasty) Commit() error { h.last.Resume(); return nil }
func (h *hasty) Discard()      {}
