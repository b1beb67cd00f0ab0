package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/sim"
	"github.com/shoalfetch/shoal/poller"
)

// TestUploadSim writes bodies piece by piece while the kernel takes what it likes of
// them. A server gets all of a body or no request, and what the kernel saw was in
// order.
func TestUploadSim(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
	}
	whole := 0
	for seed := range seeds {
		whole += uploadRun(t, seed)
	}
	require.Greater(t, whole, int(seeds*5), "of %d", seeds*10)
}

// uploadRun says how many of ten uploads came through.
func uploadRun(t *testing.T, seed uint64) (whole int) {
	k := sim.New(seed, sim.Mild())
	k.Listen(netip.MustParseAddrPort("10.0.0.1:80"), sim.HTTP(func(q *sim.Request, _ *rand.Rand) sim.Response {
		return sim.Reply(200, "", q.Body)
	}))
	f, err := NewOn(k, k.Runner(), Options{MaxConns: 3, Resolver: k, SendTimeout: time.Second})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(seed, 3))
	bodies := make([][]byte, 10)
	for res, err := range f.Fetch(context.Background(), func(yield func(Request) bool) {
		for n := range bodies {
			bodies[n] = bytes.Repeat([]byte{byte('a' + n)}, r.IntN(uploadMost))
			q := Request{URL: "http://10.0.0.1/", Method: "POST", Tag: n, upload: newUpload()}
			q.Raw = fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", len(bodies[n]))
			writeLater(k, r, q.upload, bodies[n])
			if !yield(q) {
				return
			}
		}
	}) {
		if err == nil {
			whole++
			require.True(t, bytes.Equal(bodies[res.Request.Tag.(int)], res.Body), "seed %d", seed)
		}
		_, stopped := res.Request.upload.Write([]byte("more"))
		require.Equal(t, errUploadOver, stopped)
	}
	require.NoError(t, f.Close())
	require.Empty(t, k.Violations(), "seed %d", seed)
	return whole
}

// writeLater writes a body a piece at a time, with pauses of up to three seconds,
// which are longer than a send may take.
func writeLater(k *sim.Kernel, r *rand.Rand, u *upload, body []byte) {
	at := k.Now()
	for len(body) > 0 {
		piece := body[:min(len(body), 1+r.IntN(10_000))]
		body = body[len(piece):]
		at += time.Duration(r.Int64N(int64(3 * time.Second)))
		k.At(at, func() { _, _ = u.Write(piece) })
	}
	k.At(at+time.Duration(r.Int64N(int64(time.Second))), u.end)
}

// talker is a server that begins to answer at once, and ends when it has heard
// enough.
type talker struct {
	c      *sim.Conn
	heard  *[]byte
	enough int
}

// Receive implements sim.Peer.
func (s *talker) Receive(p []byte) {
	if len(*s.heard) == 0 {
		s.c.Send(0, []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwe"))
	}
	if *s.heard = append(*s.heard, p...); len(*s.heard) >= s.enough {
		s.c.Send(0, []byte("ll"))
	}
}

// Closed implements sim.Peer.
func (s *talker) Closed() {}

// TestUploadAwaited: a request of which nothing is written for a minute runs out of
// no time, though its answer has begun, and the loop is not stuck. What the conn
// itself has to say meanwhile, as TLS may, goes out.
func TestUploadAwaited(t *testing.T) {
	const seeds = 30
	whole := 0
	for seed := range uint64(seeds) {
		for _, owed := range []string{"", "XX", "and its sink pauses"} {
			k := sim.New(seed, sim.Mild())
			sink := &patient{k: k, r: rand.New(rand.NewPCG(seed, 4)), got: map[string][]byte{}, often: len(owed) > 2}
			head, heard := "POST / HTTP/1.1\r\nHost: h\r\n\r\n", []byte(nil)
			k.Listen(netip.MustParseAddrPort("10.0.0.1:80"), func(c *sim.Conn) sim.Peer {
				heard = nil
				return &talker{c, &heard, len(head) + 4 + len(owed)}
			})
			var f *Fetcher
			var c *conn
			f, err := NewOn(k, k.Runner(), Options{MaxConns: 1, Resolver: k, Sink: sink, SendTimeout: 5 * time.Second, StallTimeout: 5 * time.Second,
				Trace: func(e Event) {
					if e.Kind == ExchangeSending {
						f.loop.conns.each(func(one *conn) { c = one })
					}
				}})
			require.NoError(t, err)
			u := newUpload()
			_, _ = u.Write([]byte("ab"))
			k.At(time.Minute, func() {
				if c.state == connOpen {
					f.loop.now = k.Now() // as in a turn
					f.loop.push(c, []byte(owed))
					f.loop.settle(c)
				}
			})
			k.At(2*time.Minute, func() { _, _ = u.Write([]byte("cd")) })
			k.At(3*time.Minute, u.end)
			request := Request{URL: "http://10.0.0.1/", Method: "POST", Raw: []byte(head), upload: u}
			for res, err := range f.Fetch(context.Background(), slices.Values([]Request{request})) {
				var stuck *StuckError
				require.False(t, errors.As(err, &stuck), "seed %d: %v", seed, err)
				if err != nil {
					require.NotContains(t, err.Error(), "timeout", "seed %d", seed)
					continue
				}
				whole++
				require.Equal(t, "well", string(sink.got[res.Request.URL]))
				require.Equal(t, head+"ab"+owed+"cd", string(heard), "seed %d", seed)
			}
			require.NoError(t, f.Close())
			require.Empty(t, k.Violations(), "seed %d", seed)
		}
	}
	require.Greater(t, whole, 2*seeds, "of %d", 3*seeds)
}

// TestUploadRoom: who writes waits for room, and for nothing when nothing more is
// sent.
func TestUploadRoom(t *testing.T) {
	u, ended := newUpload(), make(chan int)
	u.begin(func() {})
	go func() {
		n, err := u.Write(make([]byte, 5*uploadMost))
		if err != errUploadOver {
			n = -1
		}
		ended <- n
	}()
	got := 0
	for got <= uploadMost {
		piece, more := u.take()
		require.True(t, more)
		require.LessOrEqual(t, len(piece), uploadMost)
		got += len(piece)
	}
	u.stop()
	require.GreaterOrEqual(t, <-ended, got)
	require.LessOrEqual(t, got, 5*uploadMost)
}

// TestUploadRewind: what was taken can be taken again, up to a limit.
func TestUploadRewind(t *testing.T) {
	u := newUpload()
	u.begin(func() {})
	write := func(text string) {
		_, err := u.Write([]byte(text))
		require.NoError(t, err)
	}
	take := func() string {
		piece, more := u.take()
		require.True(t, more)
		return string(piece)
	}
	require.True(t, u.rewind())
	write("many ")
	require.Equal(t, "many ", take())
	require.Empty(t, take())
	write("fish ")
	require.Equal(t, "fish ", take())
	require.True(t, u.rewind())
	require.Equal(t, "many fish ", take())
	rest := strings.Repeat(".", uploadMost-len("many fish "))
	write(rest)
	require.True(t, u.rewind())
	require.Equal(t, "many fish "+rest, take())
	require.True(t, u.rewind())
	require.Equal(t, "many fish "+rest, take())
	require.Empty(t, take())
	require.False(t, u.rewind())
	write("swim")
	require.Equal(t, "swim", take())
	write(" on")
	require.Equal(t, " on", take())
	u.end()
	_, more := u.take()
	require.False(t, more)
}

// greedy is a kernel that takes all that is sent, and counts it by turns.
type greedy struct {
	*sim.Kernel
	sent, most int
}

func (g *greedy) Send(_ int, p []byte) (int, error) {
	g.sent += len(p)
	g.most = max(g.most, g.sent)
	return len(p), nil
}

func (g *greedy) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	g.sent = 0
	return g.Kernel.Wait(events, timeout)
}

// TestUploadTurn: a request that is written as fast as it is sent is not sent for
// ever at once.
func TestUploadTurn(t *testing.T) {
	k := &greedy{Kernel: sim.New(1, sim.Chaos{})}
	k.Listen(netip.MustParseAddrPort("10.0.0.1:80"), sim.HTTP(func(*sim.Request, *rand.Rand) sim.Response { return sim.Response{} }))
	u, written := newUpload(), 0
	f, err := NewOn(k, k.Runner(), Options{MaxConns: 1, Resolver: k, TotalTimeout: time.Second, Trace: func(e Event) {
		if e.Kind == CallSend && written < 20*uploadTurn {
			n, _ := u.Write(make([]byte, uploadMost))
			written += n
		}
	}})
	require.NoError(t, err)
	request := Request{URL: "http://10.0.0.1/", Method: "POST", Raw: []byte("POST / HTTP/1.1\r\nHost: h\r\n\r\n"), upload: u}
	for _, err := range f.Fetch(context.Background(), slices.Values([]Request{request})) {
		require.ErrorContains(t, err, "total timeout")
	}
	require.NoError(t, f.Close())
	require.Equal(t, 20*uploadTurn, written)
	require.Greater(t, k.most, uploadTurn)
	require.LessOrEqual(t, k.most, uploadTurn+2*uploadMost)
}
