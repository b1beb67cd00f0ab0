package tlsconn

import (
	"crypto/tls"
	"flag"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

var handshakes = flag.Int("handshakes", 1000, "how many connections TestMany makes for each version of TLS")

// pair is a connection under way, and what is on its way.
type pair struct {
	c                *client
	p                *peer
	toPeer, toClient []byte
	want             []byte
}

// step carries some bytes each way, and says whether the connection goes on.
func (x *pair) step(random *rand.Rand) bool {
	if n := min(len(x.toPeer), 1+random.IntN(4000)); n > 0 {
		x.toClient = append(x.toClient, x.p.turn(x.toPeer[:n])...)
		x.toPeer = x.toPeer[n:]
	}
	if n := min(len(x.toClient), 1+random.IntN(4000)); n > 0 {
		x.toPeer = append(x.toPeer, x.c.turn(x.toClient[:n])...)
		x.toClient = x.toClient[n:]
	}
	return x.c.err == nil
}

// TestMany: many connections at once on one pad, each a handshake and a body, in
// random pieces and in random order.
func TestMany(t *testing.T) {
	leaktest.Check(t)
	const atOnce = 100
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		left, resumed := *handshakes, 0
		if testing.Short() || raceEnabled {
			left /= 5
		}
		w := newWorld(t, version)
		config, random := w.client.Config("a.example"), rand.New(rand.NewPCG(1, uint64(version)))
		var open []*pair
		for left > 0 || len(open) > 0 {
			if left > 0 && len(open) < atOnce {
				left--
				open = append(open, w.pair(config, forLife, random))
			}
			at := random.IntN(len(open))
			if x := open[at]; !x.step(random) {
				require.Equal(t, io.EOF, x.c.err)
				require.Equal(t, crc32.ChecksumIEEE(x.want), crc32.ChecksumIEEE(x.c.got))
				if x.c.State().DidResume {
					resumed++
				}
				x.c.Stop()
				x.p.coro.Stop()
				open[at] = open[len(open)-1]
				open = open[:len(open)-1]
			}
		}
		t.Logf("%d resumed", resumed)
		require.Positive(t, resumed)
	})
}

func (w *world) pair(config *Config, forLife bool, random *rand.Rand) *pair {
	x := &pair{want: body(random.IntN(40_000))}
	c := New(config, w.pad)
	c.forLife = forLife
	x.c = &client{Conn: c, request: []byte(hello), piece: make([]byte, 1+random.IntN(32<<10))}
	x.p = newPeer(w.server, answer(x.want))
	x.toPeer = x.c.turn(nil)
	return x
}

// BenchmarkHandshake is a connection with a response of 1 KB; the server's half
// of the work is in it too.
func BenchmarkHandshake(b *testing.B) {
	w := newWorld(b, tls.VersionTLS13)
	w.client.Sessions = -1
	config := w.client.Config("a.example")
	random := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		x := w.pair(config, false, random)
		for x.step(random) {
		}
		x.c.Stop()
		x.p.coro.Stop()
	}
}
