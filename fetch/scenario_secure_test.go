package fetch_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
)

// secureScene is a scene with one server, one.test, behind TLS.
type secureScene struct {
	*scene
	config *tls.Config   // the server's; a test may change it before the first fetch
	notify bool          // close_notify before a FIN
	slow   time.Duration // how long all conns but the first take for the handshake
	peers  []*securePeer
}

func newSecureScene(t *testing.T, answer func(*sim.Request) sim.Response) *secureScene {
	_, certificate := authority()
	s := &secureScene{scene: newScene(t), notify: true}
	s.config = &tls.Config{Certificates: []tls.Certificate{certificate}, Time: s.k.Wall}
	s.options.TLS = worldTLS()
	s.host("one.test", "10.0.0.1", answer)
	s.k.Listen(address("10.0.0.1:443"), func(c *sim.Conn) sim.Peer {
		p := newSecurePeer(t, c, s.config, s.notify, sim.HTTP(func(q *sim.Request, _ *rand.Rand) sim.Response { return answer(q) }))
		if len(s.peers) > 0 {
			p.(*securePeer).slow = s.slow
		}
		s.peers = append(s.peers, p.(*securePeer))
		return p
	})
	return s
}

// TestSecure fetches over TLS 1.2 and 1.3, over one connection, and says what
// was agreed on.
func TestSecure(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := newSecureScene(t, ok)
		s.config.MaxVersion = version
		for n, got := range s.run(s.fetcher(), slices.Repeat(gets("https://one.test/x"), 20)...) {
			require.NoError(t, got.err)
			require.Equal(t, "hello", string(got.Body))
			require.Equal(t, version, got.TLS.Version)
			require.NotZero(t, got.TLS.Suite)
			require.Equal(t, got.Timings.TLS > 0, !got.Reused, "fetch %d", n)
		}
		require.Equal(t, "one.test", s.k.Served()[0].Request.Field("Host"))
	}
}

// TestSecureOrder is the life of a secure conn.
func TestSecureOrder(t *testing.T) {
	s := newSecureScene(t, ok)
	require.NoError(t, s.one(gets("https://one.test/")[0]).err)
	var kinds []fetch.EventKind
	for _, e := range s.events {
		if e.Kind == fetch.ConnDialing || e.Kind == fetch.ConnHandshaking || e.Kind == fetch.ConnOpen || e.Kind == fetch.ExchangeSending {
			kinds = append(kinds, e.Kind)
		}
	}
	require.Equal(t, []fetch.EventKind{fetch.ConnDialing, fetch.ConnHandshaking, fetch.ConnOpen, fetch.ExchangeSending}, kinds)
}

// TestSecureSends: the end of the handshake and the request go out together, so
// that a new connection makes two sends.
func TestSecureSends(t *testing.T) {
	s := newSecureScene(t, ok)
	require.NoError(t, s.one(gets("https://one.test/")[0]).err)
	sends := 0
	for _, e := range s.events {
		if e.Kind == fetch.CallSend && e.Job != 0 {
			sends++
		}
	}
	require.Equal(t, 2, sends)
}

// TestSecureSpare: a connection whose job went elsewhere during the handshake is
// kept for whoever comes next.
func TestSecureSpare(t *testing.T) {
	s := newSecureScene(t, func(q *sim.Request) sim.Response {
		if q.Target == "/late" {
			return late(time.Second, ok(q))
		}
		return ok(q)
	})
	s.slow = 100 * time.Millisecond
	s.options.MaxPerHost = 2
	for _, got := range s.run(s.fetcher(), gets("https://one.test/1", "https://one.test/2", "https://one.test/late")...) {
		require.NoError(t, got.err)
	}
	require.Len(t, s.peers, 2)
	for _, e := range s.events {
		require.NotEqual(t, fetch.ConnClosed, e.Kind, "connection %d", e.Conn)
	}
}

// TestSecureByBytes: each call moves one byte.
func TestSecureByBytes(t *testing.T) {
	s := newSecureScene(t, func(q *sim.Request) sim.Response { return sim.Reply(200, "", q.Body) })
	s.on = kernel.Inject(s.k, kernel.Faults{RecvMax: 1, SendMax: 1})
	content := times("as it is", 3000)
	for _, got := range s.run(s.fetcher(), slices.Repeat([]fetch.Request{{URL: "https://one.test/", Method: "PUT", Body: content}}, 3)...) {
		require.NoError(t, got.err)
		require.Equal(t, string(content), string(got.Body))
	}
}

// TestSecureBody sends and receives more than any buffer on the way has room
// for.
func TestSecureBody(t *testing.T) {
	s := newSecureScene(t, func(q *sim.Request) sim.Response { return sim.Reply(200, "", q.Body) })
	content := times("one megabyte and more. ", 1_200_000)
	got := s.one(fetch.Request{URL: "https://one.test/", Method: "POST", Body: content})
	require.NoError(t, got.err)
	require.True(t, string(content) == string(got.Body))
}

// TestSecureEnd: where the end of the connection is the end of the body, it must
// be said by TLS (RFC 9112 section 9.8). Where the body has an end of its own,
// nobody is asked to say goodbye.
func TestSecureEnd(t *testing.T) {
	content := []byte("all of it")
	for _, c := range []struct {
		name   string
		answer sim.Response
		notify bool
		fails  string
	}{
		{"until close, said", sim.ReplyUntilClose(200, "", content), true, ""},
		{"until close, cut", sim.ReplyUntilClose(200, "", content), false, "receive"},
		{"length, said", then(sim.Reply(200, "", content), sim.FIN), true, ""},
		{"length, cut", then(sim.Reply(200, "", content), sim.FIN), false, ""},
		{"length, too short", then(sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")), sim.FIN), true, "receive"},
		{"length, too short and cut", then(sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")), sim.FIN), false, "receive"},
		{"nothing", then(sim.Raw(nil), sim.FIN), true, "await"},
		{"nothing, cut", then(sim.Raw(nil), sim.FIN), false, "await"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecureScene(t, func(*sim.Request) sim.Response { return c.answer })
			s.notify = c.notify
			got := s.one(gets("https://one.test/")[0])
			if c.fails != "" {
				require.Equal(t, c.fails, phaseOf(t, got.err).String())
				return
			}
			require.NoError(t, got.err)
			require.Equal(t, string(content), string(got.Body))
		})
	}
}

func then(p sim.Response, end sim.End) sim.Response {
	p.Then = end
	return p
}

// TestSecureGoodbye: a connection that is closed in good order is closed with a
// close_notify (RFC 8446 section 6.1).
func TestSecureGoodbye(t *testing.T) {
	s := newSecureScene(t, func(q *sim.Request) sim.Response {
		if q.Target == "/slow" {
			return late(3*time.Second, ok(q))
		}
		return ok(q)
	})
	s.options.IdleTimeout = time.Second
	for _, got := range s.run(s.fetcher(), gets("https://one.test/", "http://one.test/slow")...) {
		require.NoError(t, got.err)
	}
	require.Equal(t, io.EOF, s.peers[0].end, "what the server's Read said at last")
}

// TestSecureUnasked: bytes on an idle connection answer nothing that was asked.
func TestSecureUnasked(t *testing.T) {
	s := newSecureScene(t, ok)
	f := s.fetcher()
	require.NoError(t, s.run(f, gets("https://one.test/")...)[0].err)
	s.peers[0].c.Send(0, []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"))
	s.pass(time.Second)
	got := s.run(f, gets("https://one.test/")...)[0]
	require.NoError(t, got.err)
	require.Equal(t, "hello", string(got.Body))
	require.False(t, got.Reused)
}

// TestSecureSurplus: a response with more behind it, in the record of its end or
// in the next, ends its connection; also when what is decrypted at once ends with
// the response.
func TestSecureSurplus(t *testing.T) {
	atOnce := len(sim.Reply(200, "", []byte("hello")).Bytes())
	for _, apart := range []bool{false, true} {
		s := newSecureScene(t, func(*sim.Request) sim.Response {
			p := sim.Reply(200, "", []byte("hello"))
			if more := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"); apart {
				p.Pieces = append(p.Pieces, sim.Piece{Bytes: more})
			} else {
				last := &p.Pieces[len(p.Pieces)-1]
				last.Bytes = append(slices.Clone(last.Bytes), more...)
			}
			return p
		})
		f := s.fetcher()
		for range 2 {
			for _, got := range s.run(f, slices.Repeat(gets("https://one.test/"), 10)...) {
				require.NoError(t, got.err)
				require.Equal(t, "hello", string(got.Body))
				require.False(t, got.Reused)
			}
			f.DecryptAtOnce(atOnce)
		}
	}
}

// TestSecureCuts: a server breaks off after each byte of what it sends. Until its
// part of the handshake is out that is a failure of TLS, then of the exchange, and
// only a whole response is fetched.
func TestSecureCuts(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, end := range []sim.End{sim.FIN, sim.RST} {
			most, failed := 0, map[fetch.Phase]int{}
			s := newCutScene(t, &most, end)
			s.config.MaxVersion = version
			f := s.fetcher()
			for last := fetch.PhaseTLS; ; most++ {
				got := s.run(f, gets("https://one.test/")...)[0]
				if got.err == nil {
					require.Equal(t, "hello", string(got.Body))
					break
				}
				phase := phaseOf(t, got.err)
				require.GreaterOrEqual(t, phase, last, "after %d bytes: %v", most, got.err)
				require.Equal(t, end == sim.RST, errors.Is(got.err, syscall.ECONNRESET), "after %d bytes: %v", most, got.err)
				last = phase
				failed[phase]++
				if testing.Short() || raceEnabled {
					most += 6
				}
			}
			require.Positive(t, failed[fetch.PhaseTLS])
			require.Positive(t, failed[fetch.PhaseAwait])
			t.Logf("%s: %d bytes", tls.VersionName(version), most)
		}
	}
}

// newCutScene is a scene whose server ends each connection after so many bytes,
// without a close_notify.
func newCutScene(t *testing.T, most *int, end sim.End) *secureScene {
	s := newSecureScene(t, ok)
	s.config.SessionTicketsDisabled = true // each handshake is like the last
	s.k.Listen(address("10.0.0.1:443"), func(c *sim.Conn) sim.Peer {
		p := newSecurePeer(t, c, s.config, false, sim.HTTP(func(q *sim.Request, _ *rand.Rand) sim.Response { return ok(q) }))
		w := p.(*securePeer).wire
		w.left, w.cut = *most, func() {
			c.After(0, func() {
				if end == sim.RST {
					c.Reset(0)
				} else {
					c.Close(0)
				}
			})
		}
		return p
	})
	return s
}

// TestSecureRedirects: to https they are followed, back to http only when that
// was asked for, and credentials stay where they were.
func TestSecureRedirects(t *testing.T) {
	answer := func(q *sim.Request) sim.Response {
		switch q.Target {
		case "/up":
			return moved(302, "https://one.test/here")
		case "/down":
			return moved(302, "http://one.test/here")
		}
		return sim.Reply(200, "", []byte(q.Field("Authorization")))
	}
	secret := []fetch.Field{{Name: "Authorization", Value: "Basic c2VjcmV0"}}
	s := newSecureScene(t, answer)
	got := s.one(fetch.Request{URL: "http://one.test/up", Fields: secret})
	require.NoError(t, got.err)
	require.Equal(t, "https://one.test/here", got.URL)
	require.Empty(t, got.Body)

	s = newSecureScene(t, answer)
	got = s.one(fetch.Request{URL: "https://one.test/down", Fields: secret})
	require.EqualError(t, got.err, `https://one.test/down: status: redirect to "http://one.test/here" not followed: it leads from https to http`)

	s = newSecureScene(t, answer)
	s.options.AllowDowngrade = true
	got = s.one(fetch.Request{URL: "https://one.test/down", Fields: secret})
	require.NoError(t, got.err)
	require.Empty(t, got.Body)
}

// TestSecureRefused: a server that is not who it should be fails the fetch, at
// once and for all its addresses, and gets no request.
func TestSecureRefused(t *testing.T) {
	for _, later := range []bool{false, true} {
		s := newSecureScene(t, ok)
		s.k.Host("other.test", address("10.0.0.1:1").Addr(), address("10.0.0.1:1").Addr())
		f := s.fetcher()
		if later {
			f.VerifyLater()
		}
		got := s.run(f, gets("https://other.test/")...)[0]
		require.Equal(t, fetch.PhaseTLS, phaseOf(t, got.err))
		require.ErrorContains(t, got.err, "other.test")
		require.True(t, errors.As(got.err, new(x509.HostnameError)), "%#v", got.err)
		require.Equal(t, 1, got.Attempts)
		require.Equal(t, "10.0.0.1:443", got.Remote.String())
		s.pass(time.Second)
		require.Empty(t, s.k.Served())
		require.Len(t, s.peers, 1)
		require.EqualError(t, s.peers[0].refusal, "remote error: tls: bad certificate", "what the server was told")
	}
}

// TestSecureLater has certificates judged beside the loop, as on systems whose
// own verifier blocks; some fetches end meanwhile.
func TestSecureLater(t *testing.T) {
	s := newSecureScene(t, ok)
	f := s.fetcher()
	f.VerifyLater()
	for _, got := range s.run(f, slices.Repeat(gets("https://one.test/"), 30)...) {
		require.NoError(t, got.err)
	}
	before := coroutines()
	for n := range 60 {
		ctx, cancel := context.WithCancel(context.Background())
		s := newSecureScene(t, ok)
		s.options.Trace = func(fetch.Event) {
			if n--; n == 0 {
				cancel()
			}
		}
		f := s.fetcher()
		f.VerifyLater()
		for res := range f.Fetch(ctx, slices.Values(gets("https://one.test/", "https://one.test/2"))) {
			_ = res
		}
		cancel()
		require.NoError(t, f.Close())
		for _, p := range s.peers {
			p.Closed()
		}
	}
	require.Equal(t, before, coroutines(), "coroutines were left")
}

// TestSecureSilence: a server that accepts and says nothing is timed out in the
// phase it is in, and one that hangs up is no riddle either.
func TestSecureSilence(t *testing.T) {
	s := newScene(t)
	s.options.TLS = worldTLS()
	s.options.ConnectTimeout = 3 * time.Second
	s.k.Listen(address("10.0.0.1:443"), func(*sim.Conn) sim.Peer { return nil })
	got := s.one(gets("https://10.0.0.1/")[0])
	require.EqualError(t, got.err, "https://10.0.0.1/: tls: no connection within 3s (connect timeout)")

	for _, rst := range []bool{false, true} {
		s := newScene(t)
		s.options.TLS = worldTLS()
		s.k.Listen(address("10.0.0.1:443"), func(c *sim.Conn) sim.Peer {
			if rst {
				c.Reset(time.Millisecond)
			} else {
				c.Close(time.Millisecond)
			}
			return nil
		})
		got := s.one(gets("https://10.0.0.1/")[0])
		require.Equal(t, fetch.PhaseTLS, phaseOf(t, got.err))
		require.Equal(t, rst, errors.Is(got.err, syscall.ECONNRESET), "%v", got.err)
	}
}

// TestSecurePlain: a server of plain HTTP on a port for TLS is named as one.
func TestSecurePlain(t *testing.T) {
	s := newScene(t)
	s.options.TLS = worldTLS()
	s.k.Listen(address("10.0.0.1:443"), func(c *sim.Conn) sim.Peer {
		c.Send(0, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		return nil
	})
	got := s.one(gets("https://10.0.0.1/")[0])
	require.Equal(t, fetch.PhaseTLS, phaseOf(t, got.err))
	require.ErrorContains(t, got.err, "does not speak TLS")
}

// TestSecureResumes: later connections to one origin go on with its session.
func TestSecureResumes(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := newSecureScene(t, func(*sim.Request) sim.Response {
			return then(sim.Reply(200, "Connection: close\r\n", []byte("hello")), sim.FIN)
		})
		s.config.MaxVersion = version
		s.options.MaxPerHost = 1
		for n, got := range s.run(s.fetcher(), slices.Repeat(gets("https://one.test/"), 5)...) {
			require.NoError(t, got.err)
			require.Equal(t, n > 0, got.TLS.Resumed, "fetch %d", n)
		}
	}
}

// TestSecureSessions: each port of a host has sessions of its own, and nobody
// else's are used there.
func TestSecureSessions(t *testing.T) {
	answer := func(*sim.Request) sim.Response {
		return then(sim.Reply(200, "Connection: close\r\n", []byte("hello")), sim.FIN)
	}
	s := newSecureScene(t, answer)
	s.k.Listen(address("10.0.0.1:444"), func(c *sim.Conn) sim.Peer {
		return newSecurePeer(t, c, s.config.Clone(), true, sim.HTTP(func(q *sim.Request, _ *rand.Rand) sim.Response { return answer(q) }))
	})
	f := s.fetcher()
	for n, url := range []string{"https://one.test/", "https://one.test:444/", "https://one.test/", "https://one.test:444/"} {
		got := s.run(f, gets(url)...)[0]
		require.NoError(t, got.err)
		require.Equal(t, n >= 2, got.TLS.Resumed, "fetch %d", n)
	}
}

// TestHandshakesInTurn: of a thousand handshakes that could go on at once, a
// turn takes a few, and none is late for having waited.
func TestHandshakesInTurn(t *testing.T) {
	s := newSecureScene(t, func(q *sim.Request) sim.Response { return late(time.Second, ok(q)) }) // no conn serves two
	s.k.SetChaos(sim.Chaos{Oversleep: 1, OversleepMax: 10 * time.Millisecond})                    // each turn takes its time
	s.options.MaxConns, s.options.MaxPerHost = 300, 300
	s.options.ConnectTimeout = 50 * time.Millisecond
	for _, got := range s.run(s.fetcher(), slices.Repeat(gets("https://one.test/"), 300)...) {
		require.NoError(t, got.err)
	}
	begun, most := map[time.Duration]int{}, 0
	for _, e := range s.events {
		if e.Kind == fetch.ConnHandshaking {
			begun[e.At]++
			most = max(most, begun[e.At])
		}
	}
	require.Greater(t, len(s.peers), 100)
	require.LessOrEqual(t, most, 16)
}

// coroutines is how many wait to be resumed or stopped.
func coroutines() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), " [coroutine]:")
}

// TestSecureCancelled ends a fetch at each event of its life: neither a
// descriptor nor a coroutine is left.
func TestSecureCancelled(t *testing.T) {
	before, most := coroutines(), 0
	for n := 1; ; n++ {
		s := newSecureScene(t, ok)
		ctx, cancel := context.WithCancel(context.Background())
		left := n
		s.options.Trace = func(fetch.Event) {
			most = max(most, coroutines())
			if left--; left == 0 {
				cancel()
			}
		}
		f := s.fetcher()
		for range f.Fetch(ctx, slices.Values(gets("https://one.test/"))) {
		}
		cancel()
		require.NoError(t, f.Close())
		for _, p := range s.peers {
			p.Closed()
		}
		require.Equal(t, before, coroutines(), "coroutines were left at event %d", n)
		if left > 0 {
			require.Greater(t, n, 10)
			require.Equal(t, before+2, most, "one for the client's handshake and one for the server's")
			return
		}
	}
}

// TestSecureWreck: a panic in the middle of many handshakes leaves nothing.
func TestSecureWreck(t *testing.T) {
	before := coroutines()
	s := newSecureScene(t, ok)
	s.options.MaxPerHost = 50
	seen := 0
	s.options.Trace = func(e fetch.Event) {
		if e.Kind == fetch.CallRecv {
			if seen++; seen == 20 {
				panic("the observer's own")
			}
		}
	}
	f := s.fetcher()
	require.PanicsWithValue(t, "the observer's own", func() {
		for range f.Fetch(context.Background(), slices.Values(slices.Repeat(gets("https://one.test/"), 50))) {
		}
	})
	require.NoError(t, f.Close())
	for _, p := range s.peers {
		p.Closed()
	}
	require.Equal(t, before, coroutines(), "coroutines were left")
}

// TestSecurePauses: what was decrypted, and what was not yet, waits through a
// pause and comes in its order.
func TestSecurePauses(t *testing.T) {
	content := times("piece by piece ", 600_000)
	s := newSecureScene(t, func(*sim.Request) sim.Response { return sim.Reply(200, "", content) })
	sink := &hesitant{k: s.k}
	s.options.Sink = sink
	require.NoError(t, s.one(gets("https://one.test/")[0]).err)
	require.True(t, string(content) == sink.got.String())
	require.Greater(t, sink.pauses, 2)
}

// hesitant is a sink that pauses after every piece.
type hesitant struct {
	k      *sim.Kernel
	info   fetch.OpenInfo
	got    strings.Builder
	pauses int
}

func (h *hesitant) Open(info fetch.OpenInfo) (fetch.Body, error) {
	h.info = info
	return h, nil
}

func (h *hesitant) Write(piece []byte) error {
	h.got.Write(piece)
	h.pauses++
	h.k.At(h.k.Now()+time.Second, h.info.Resume)
	return fetch.ErrPause
}

func (h *hesitant) Commit() error { return nil }
func (h *hesitant) Discard()      {}

// TestSecureFirstByte: what TLS says for itself is no answer. A server that has
// asked for a certificate gives its tickets when the client's handshake is done,
// so together with the request.
func TestSecureFirstByte(t *testing.T) {
	s := newSecureScene(t, func(q *sim.Request) sim.Response { return late(20*time.Second, ok(q)) })
	s.config.ClientAuth = tls.RequestClientCert
	s.options.FirstByteTimeout, s.options.StallTimeout = 5*time.Second, time.Minute
	got := s.one(gets("https://one.test/")[0])
	require.EqualError(t, got.err, "https://one.test/: await: no answer within 5s (first byte timeout)")
}

// TestSecureSlowRecord: a record that comes a byte at a time is no silence,
// though nothing can be decrypted until its end.
func TestSecureSlowRecord(t *testing.T) {
	content := times("slowly ", 8000)
	s := newSecureScene(t, func(*sim.Request) sim.Response { return sim.Reply(200, "", content) })
	s.config.DynamicRecordSizingDisabled = true
	s.options.StallTimeout = time.Second
	s.on = kernel.Inject(s.k, kernel.Faults{RecvMax: 500})
	s.options.RecvDelay = 500 * time.Millisecond
	got := s.one(gets("https://one.test/")[0])
	require.NoError(t, got.err)
	require.Equal(t, string(content), string(got.Body))
}

// TestSecureSilenceEnds: with AtSilence a response ends when nothing more comes,
// and no close_notify is asked for.
func TestSecureSilenceEnds(t *testing.T) {
	s := newSecureScene(t, func(*sim.Request) sim.Response {
		return sim.Raw([]byte("HTTP/1.0 200 OK\r\n\r\nhello"))
	})
	s.options.EndAt = fetch.AtSilence
	got := s.one(gets("https://one.test/")[0])
	require.NoError(t, got.err)
	require.Equal(t, "hello", string(got.Body))
}
