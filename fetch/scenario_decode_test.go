package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/leaktest"
	"github.com/shoalfetch/shoal/internal/sim"
)

// decoding is a scene whose one server answers with a response, and whose
// fetches are decoded.
func decoding(t *testing.T, answer func(q *sim.Request) sim.Response) *scene {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", answer)
	s.options.Decode = true
	return s
}

// framed are a response's framings.
func framed(fields string, content []byte) map[string]sim.Response {
	return map[string]sim.Response{
		"length":  sim.Reply(200, fields, content),
		"chunked": sim.ReplyChunked(200, fields, content, 1000),
		"close":   sim.ReplyUntilClose(200, fields, content),
	}
}

// TestDecode: with each coding and framing what is delivered is what was
// encoded, and the head is as it came.
func TestDecode(t *testing.T) {
	want := times("many fish move as one, ", 100_000)
	for _, codings := range []string{"gzip", "deflate", "raw", "br", "zstd", "deflate, gzip", "br, gzip"} {
		for framing, p := range framed(contentEncoding(codings), code(want, codings)) {
			t.Run(codings+" "+framing, func(t *testing.T) {
				s := decoding(t, func(*sim.Request) sim.Response { return p })
				got := s.one(fetch.Request{URL: "http://a.test/"})
				require.NoError(t, got.err)
				require.Equal(t, string(want), string(got.Body))
				require.EqualValues(t, len(want), got.Bytes)
				require.Equal(t, strings.ReplaceAll(codings, "raw", "deflate"), got.Head.Get("Content-Encoding"))
				require.Equal(t, "gzip, deflate, br, zstd", s.k.Served()[0].Request.Field("Accept-Encoding"))
			})
		}
	}
}

// TestIdentity: who does not decode asks for nothing that is encoded, and has
// it as it comes all the same. So with a request that wants its response
// encoded.
func TestIdentity(t *testing.T) {
	content := code([]byte("many fish"), "gzip")
	for _, decodes := range []bool{false, true} {
		for _, coding := range []string{"gzip", "seaweed", "gzip, gzip, gzip"} {
			s := decoding(t, func(*sim.Request) sim.Response { return sim.Reply(200, "Content-Encoding: "+coding+"\r\n", content) })
			s.options.Decode = decodes
			got := s.one(fetch.Request{URL: "http://a.test/", Encoded: decodes})
			require.NoError(t, got.err)
			require.Equal(t, string(content), string(got.Body))
			require.Equal(t, "identity", s.k.Served()[0].Request.Field("Accept-Encoding"))
		}
	}
}

// TestDecodeToSink: a sink is told that what it gets is decoded, and of no
// length.
func TestDecodeToSink(t *testing.T) {
	s := decoding(t, func(q *sim.Request) sim.Response {
		if q.Target == "/plain" {
			return sim.Reply(200, "Content-Encoding: identity\r\n", []byte("many fish"))
		}
		return sim.Reply(200, contentEncoding("gzip"), code([]byte("many fish"), "gzip"))
	})
	sink := &informed{}
	s.options.Sink = sink
	f := s.fetcher()
	for _, u := range []string{"http://a.test/", "http://a.test/plain"} {
		require.NoError(t, s.run(f, fetch.Request{URL: u})[0].err)
	}
	require.True(t, sink.all[0].Decoded)
	require.EqualValues(t, -1, sink.all[0].Length)
	require.False(t, sink.all[1].Decoded)
	require.EqualValues(t, 9, sink.all[1].Length)
}

// TestBomb: a limit on bodies goes by what they amount to. Ten megabytes of
// nothing are ten kilobytes of gzip, and fewer bytes of gzip in gzip.
func TestBomb(t *testing.T) {
	nothing := make([]byte, 10<<20)
	for _, codings := range []string{"gzip", "gzip, gzip", "br", "zstd"} {
		content := code(nothing, codings)
		require.Less(t, len(content), 16<<10)
		for _, c := range []struct {
			limit int64
			fails bool
		}{{10<<20 - 1, true}, {10 << 20, false}, {64 << 10, true}, {0, false}} {
			s := decoding(t, func(*sim.Request) sim.Response { return sim.Reply(200, contentEncoding(codings), content) })
			s.options.MaxBytes = c.limit
			got := s.one(fetch.Request{URL: "http://a.test/"})
			if !c.fails {
				require.NoError(t, got.err)
				require.Len(t, got.Body, 10<<20)
				continue
			}
			require.Equal(t, fetch.PhaseDecode, phaseOf(t, got.err))
			var over *fetch.LimitError
			require.ErrorAs(t, got.err, &over)
			require.Equal(t, fetch.LimitError{What: "body bytes", Limit: c.limit}, *over)
			require.LessOrEqual(t, got.Bytes, c.limit+32<<10, "decoded past the limit")
			require.Nil(t, got.Body)
		}
	}
}

// TestEncodedMayBeLonger than what it amounts to, and than the limit.
func TestEncodedMayBeLonger(t *testing.T) {
	s := decoding(t, func(*sim.Request) sim.Response {
		return sim.Reply(200, contentEncoding("gzip"), code([]byte("fish"), "gzip"))
	})
	s.options.MaxBytes = 4
	require.NoError(t, s.one(fetch.Request{URL: "http://a.test/"}).err)
}

// TestDecodeTruncated: what lacks its end fails, wherever it was cut, also where
// the framing knows nothing of it; but that nothing came is no coding's fault.
func TestDecodeTruncated(t *testing.T) {
	for _, codings := range []string{"gzip", "deflate", "raw", "br", "zstd", "gzip, zstd"} {
		content := code([]byte("many fish move as one, many fish"), codings)
		for at := range content {
			for framing, p := range framed(contentEncoding(codings), content[:at]) {
				s := decoding(t, func(*sim.Request) sim.Response { return p })
				got := s.one(fetch.Request{URL: "http://a.test/"})
				if at == 0 {
					require.NoError(t, got.err)
					require.Empty(t, got.Body)
					continue
				}
				require.ErrorIs(t, got.err, io.ErrUnexpectedEOF, "%s %s cut at %d", codings, framing, at)
				require.Equal(t, fetch.PhaseDecode, phaseOf(t, got.err))
				require.Nil(t, got.Body)
			}
		}
	}
}

// TestDecodeFails: what cannot be decoded is an error that names the coding, and
// leaves no file.
func TestDecodeFails(t *testing.T) {
	good := code([]byte("many fish move as one"), "gzip")
	wrong := slices.Clone(good)
	wrong[len(wrong)-8] ^= 0xff // CRC-32 stands eight bytes before the end (RFC 1952 section 2.3)
	for text, p := range map[string]sim.Response{
		"gzip: invalid header":                  sim.Reply(200, contentEncoding("gzip"), []byte("this is no gzip at all")),
		"gzip: invalid checksum":                sim.Reply(200, contentEncoding("x-gzip"), wrong),
		"deflate: corrupt input":                sim.Reply(200, contentEncoding("deflate"), []byte("nor deflate")),
		"seaweed: an unknown coding":            sim.Reply(200, contentEncoding("gzip, seaweed"), good),
		"compress: an unknown coding":           sim.ReplyChunked(200, contentEncoding("compress"), good, 9),
		"br, br, gzip: more codings than two":   sim.Reply(200, contentEncoding("br")+contentEncoding("br, gzip"), good),
		"gzip: a part of what is encoded":       sim.Reply(206, contentEncoding("gzip")+"Content-Range: bytes 0-40/41\r\n", good),
		"zstd: invalid input: magic number mis": sim.Reply(200, contentEncoding("zstd"), slices.Concat(code([]byte("fish"), "zstd"), []byte("and more"))),
		"br: excessive input":                   sim.Reply(200, contentEncoding("br"), slices.Concat(code([]byte("fish"), "br"), []byte("and more"))),
		"deflate: bytes after the end":          sim.Reply(200, contentEncoding("deflate"), slices.Concat(code([]byte("fish"), "deflate"), []byte("x"))),
	} {
		s := decoding(t, func(*sim.Request) sim.Response { return p })
		s.options.Sink = save.Dir("out")
		got := s.one(fetch.Request{URL: "http://a.test/x", Fields: []fetch.Field{{Name: "Range", Value: "bytes=0-40"}}})
		require.ErrorContains(t, got.err, "http://a.test/x: decode: "+text)
		require.Equal(t, fetch.PhaseDecode, phaseOf(t, got.err))
		var coding *fetch.CodingError
		require.ErrorAs(t, got.err, &coding)
		require.True(t, strings.HasPrefix(text, coding.Coding+":"), coding.Coding)
		require.Empty(t, s.k.Names("out"))
	}
}

// TestNothingToDecode: where there is no body, no coding matters.
func TestNothingToDecode(t *testing.T) {
	for _, c := range []struct {
		method string
		p      sim.Response
	}{
		{"HEAD", sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n"))},
		{"HEAD", sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Encoding: seaweed\r\nTransfer-Encoding: chunked\r\n\r\n"))},
		{"", sim.Raw([]byte("HTTP/1.1 204 \r\nContent-Encoding: seaweed\r\n\r\n"))},
		{"", sim.Raw([]byte("HTTP/1.1 304 \r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n"))},
		{"", sim.Reply(200, contentEncoding("seaweed"), nil)},
		{"", sim.ReplyChunked(200, contentEncoding("gzip"), nil, 1)},
		{"", sim.ReplyUntilClose(200, contentEncoding("br"), nil)},
	} {
		s := decoding(t, func(*sim.Request) sim.Response { return c.p })
		s.options.Accept = func(*fetch.Head) error { return nil }
		got := s.one(fetch.Request{URL: "http://a.test/", Method: c.method})
		require.NoError(t, got.err)
		require.Empty(t, got.Body)
	}
}

// TestPartIsAskedForPlain: parts of what is encoded are of no use.
func TestPartIsAskedForPlain(t *testing.T) {
	s := decoding(t, func(*sim.Request) sim.Response {
		return sim.Reply(206, "Content-Range: bytes 2-5/9\r\n", []byte("ny f"))
	})
	got := s.one(fetch.Request{URL: "http://a.test/", Fields: []fetch.Field{{Name: "range", Value: "bytes=2-5"}}})
	require.NoError(t, got.err)
	require.Equal(t, "ny f", string(got.Body))
	require.Equal(t, "identity", s.k.Served()[0].Request.Field("Accept-Encoding"))
}

// TestDecodeNoResume: what broke off in a coding starts over; what did not is
// gone on with as it is.
func TestDecodeNoResume(t *testing.T) {
	content := times("abcdefghij", 100_000)
	for _, coded := range []bool{true, false} {
		s := retrying(t, func(q *sim.Request, nth int) sim.Response {
			p := ranged(q, content, `"v1"`)
			if coded {
				p = sim.Reply(200, "ETag: \"v1\"\r\nAccept-Ranges: bytes\r\n"+contentEncoding("gzip"), code(content, "gzip"))
			}
			if nth == 1 {
				return cut(p, bodySize(p), bodySize(p)/2)
			}
			return p
		})
		s.options.Decode = true
		got := s.one(fetch.Request{URL: "http://a.test/x"})
		require.NoError(t, got.err)
		require.True(t, string(content) == string(got.Body))
		second := s.k.Served()[1].Request
		if coded {
			require.Empty(t, second.Field("Range"))
			require.Contains(t, second.Field("Accept-Encoding"), "gzip")
		} else {
			require.Equal(t, "bytes=50000-", second.Field("Range"))
			require.Equal(t, "identity", second.Field("Accept-Encoding"))
		}
	}
}

// TestDecodePauses: each decoded piece may be followed by a pause, the last one
// too, and nothing is lost or comes twice.
func TestDecodePauses(t *testing.T) {
	want := slices.Concat(body("/noise/300000/x"), times("many fish move as one, ", 3<<20), body("/noise/300000/y"))
	for _, codings := range []string{"gzip", "deflate", "br", "zstd", "zstd, gzip"} {
		for framing, p := range framed("Connection: close\r\n"+contentEncoding(codings), code(want, codings)) {
			s := decoding(t, func(*sim.Request) sim.Response { return then(p, sim.FIN) })
			sink := &halting{k: s.k, pause: time.Minute}
			s.options.Sink = sink
			got := s.one(fetch.Request{URL: "http://a.test/"})
			require.NoError(t, got.err, "%s %s", codings, framing)
			require.True(t, string(want) == sink.got.String(), "%s %s", codings, framing)
			require.GreaterOrEqual(t, sink.pauses, len(want)>>15)
			require.EqualValues(t, len(want), got.Bytes)
		}
	}
}

// begrudging is a sink that finds no descriptor for every second piece, until it
// is offered an empty one.
type begrudging struct {
	got   []byte
	count int
	short bool
}

func (b *begrudging) Open(fetch.OpenInfo) (fetch.Body, error) { return b, nil }

func (b *begrudging) Write(piece []byte) error {
	b.got = append(b.got, piece...)
	b.count++
	b.short = len(piece) > 0 && b.count%2 == 0
	if b.short {
		return fetch.Shortage(errors.New("none just now"))
	}
	return nil
}

func (b *begrudging) Commit() error {
	if b.short {
		return errors.New("committed during a shortage")
	}
	return nil
}

func (b *begrudging) Discard() {}

// TestDecodeInShortage: a shortage in the middle of what is decoded, or in its
// last piece, is waited out.
func TestDecodeInShortage(t *testing.T) {
	for _, size := range []int{1, 40_000, 70_000, 3_000_000} {
		want := times("many fish move as one, ", size)
		s := decoding(t, func(*sim.Request) sim.Response { return sim.Reply(200, contentEncoding("gzip"), code(want, "gzip")) })
		sink := &begrudging{}
		s.options.Sink = sink
		require.NoError(t, s.one(fetch.Request{URL: "http://a.test/"}).err)
		require.True(t, string(want) == string(sink.got))
	}
}

// metered is a sink that counts bytes by the turn of the loop.
type metered struct {
	k    *sim.Kernel
	turn uint64
	now  int
	most int
}

func (m *metered) Open(fetch.OpenInfo) (fetch.Body, error) { return m, nil }

func (m *metered) Write(piece []byte) error {
	if turn := m.k.Counts().Waits; turn != m.turn {
		m.turn, m.now = turn, 0
	}
	m.now += len(piece)
	m.most = max(m.most, m.now)
	return nil
}

func (m *metered) Commit() error { return nil }
func (m *metered) Discard()      {}

// TestDecodeTakesTurns: what holds much more than it is long is decoded in many
// turns of the loop, so that others have theirs meanwhile.
func TestDecodeTakesTurns(t *testing.T) {
	s := decoding(t, func(q *sim.Request) sim.Response {
		return sim.Reply(200, contentEncoding("gzip"), code(make([]byte, 100<<20), "gzip"))
	})
	sink := &metered{k: s.k}
	s.options.Sink = sink
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.NoError(t, got.err)
	require.EqualValues(t, 100<<20, got.Bytes)
	require.LessOrEqual(t, sink.most, 1<<20+32<<10)
}

// drip sends a response's bytes in steps.
func drip(p sim.Response, size int, step time.Duration) sim.Response {
	var pieces []sim.Piece
	for chunk := range slices.Chunk(p.Bytes(), size) {
		pieces = append(pieces, sim.Piece{Delay: step, Bytes: chunk})
	}
	p.Pieces = pieces
	return p
}

// TestMaxDecoders: more responses than there may be decoders wait their turn,
// unread.
func TestMaxDecoders(t *testing.T) {
	want := body("/noise/20000/x")
	for _, most := range []int{1, 2, 5} {
		s := decoding(t, func(q *sim.Request) sim.Response {
			return sim.Reply(200, contentEncoding("gzip"), code(want, "gzip"))
		})
		sink := &halting{k: s.k, pause: time.Minute}
		s.options.MaxDecoders, s.options.Sink = most, sink
		got := s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4", "http://a.test/5")...)
		for n, g := range got {
			require.NoError(t, g.err)
			require.InDelta(t, time.Duration(1+n/most)*time.Minute, g.at, float64(time.Second), "number %d of %d at once", n, most)
		}
		require.Len(t, sink.got.Bytes(), 5*len(want))
	}
}

// TestWaitForDecoder: no deadline of the server's runs for who waits for a
// decoder, but the total does.
func TestWaitForDecoder(t *testing.T) {
	content := code(body("/noise/20000/x"), "gzip")
	for _, total := range []time.Duration{0, time.Minute} {
		s := decoding(t, func(q *sim.Request) sim.Response {
			p := sim.Reply(200, contentEncoding("gzip"), content)
			if q.Target == "/stall" {
				return sim.Response{Pieces: []sim.Piece{{Bytes: p.Bytes()[:5000]}}, Then: sim.Stall}
			}
			return late(10*time.Second, p)
		})
		s.options.MaxDecoders, s.options.FirstByteTimeout, s.options.StallTimeout, s.options.TotalTimeout = 1, 20*time.Second, 200*time.Second, total
		for _, g := range s.run(s.fetcher(), gets("http://a.test/stall", "http://a.test/1", "http://a.test/2")...) {
			switch {
			case total > 0:
				require.ErrorContains(t, g.err, "total timeout")
			case g.URL == "http://a.test/stall":
				require.ErrorContains(t, g.err, "stall timeout")
			default:
				require.NoError(t, g.err)
				require.Greater(t, g.at, 200*time.Second)
			}
		}
	}
}

// TestDecodersEnd: however a Fetch ends, no coroutine of a decoder is left.
func TestDecodersEnd(t *testing.T) {
	want := times("many fish move as one, ", 5<<20)
	before := runtime.NumGoroutine()
	for _, how := range []string{"leave", "cancel", "panic", "end"} {
		s := decoding(t, func(q *sim.Request) sim.Response {
			return drip(sim.Reply(200, contentEncoding("gzip"), code(want, "gzip")), 1000, time.Second)
		})
		s.options.Sink, s.options.MaxDecoders = &halting{k: s.k, pause: time.Second}, 3
		s.host("b.test", "10.1.0.2", func(q *sim.Request) sim.Response { return late(5*time.Second, ok(q)) })
		f := s.fetcher()
		ctx, cancel := context.WithCancel(context.Background())
		fetchAll := func() {
			defer func() { _ = recover() }()
			for res := range f.Fetch(ctx, slices.Values(gets("http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4", "http://b.test/"))) {
				if !strings.Contains(res.URL, "b.test") {
					continue
				}
				switch how {
				case "leave":
					return
				case "cancel":
					cancel()
				case "panic":
					panic(how)
				}
			}
		}
		fetchAll()
		cancel()
		leaktest.Settled(t, before)
	}
}

// TestLoopbackDecode fetches encoded bodies over the real kernel, more at once
// than there may be decoders.
func TestLoopbackDecode(t *testing.T) {
	port := startServer(t)
	f, err := fetch.New(fetch.Options{MaxPerHost: 20, Decode: true, MaxDecoders: 7})
	require.NoError(t, err)
	var requests []fetch.Request
	for n := range 200 {
		requests = append(requests, fetch.Request{URL: fmt.Sprintf("http://127.0.0.1:%s/coded/%d/%d.jpg", port, n*n*17, n)})
	}
	count := 0
	for res, err := range f.Fetch(context.Background(), slices.Values(requests)) {
		require.NoError(t, err)
		require.True(t, string(wanted(t, res)) == string(res.Body), res.URL)
		count++
	}
	require.Equal(t, len(requests), count)
	require.NoError(t, f.Close())
}
