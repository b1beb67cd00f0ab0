package tlsconn

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzServer changes one byte of what the server says, wherever it is, cuts it
// into any pieces and lets it end anywhere: nothing panics, nothing hangs, and
// no other bytes than the server's are ever read.
func FuzzServer(f *testing.F) {
	f.Add(uint16(0), byte(0), uint16(0), uint16(1), false, false)
	f.Add(uint16(5), byte(1), uint16(1448), uint16(60000), true, false)
	f.Add(uint16(90), byte(0x80), uint16(7), uint16(500), false, true)
	f.Add(uint16(800), byte(2), uint16(1), uint16(900), true, true)
	f.Add(uint16(1100), byte(0xff), uint16(100), uint16(1200), true, true)
	worlds := [2]*world{newWorld(f, tls.VersionTLS12).cheap(f), newWorld(f, tls.VersionTLS13).cheap(f)}
	want := body(500)
	f.Fuzz(func(t *testing.T, at uint16, flip byte, step, most uint16, new, forLife bool) {
		w := worlds[0]
		if new {
			w = worlds[1]
		}
		c, p := newClient(t, w.conn(), forLife), serve(t, w.server, answer(want))
		p.spoil = func(b []byte, from int) {
			if i := int(at) - from; i >= 0 && i < len(b) {
				b[i] ^= flip
			}
		}
		talkUntil(c, p, int(step), int(most))
		c.end()
		require.Error(t, c.err, "io.EOF at the best")
		require.LessOrEqual(t, len(c.got), len(want))
		require.Equal(t, string(want[:len(c.got)]), string(c.got))
		c.Stop()
	})
}

// FuzzGarbage feeds bytes that no server ever said.
func FuzzGarbage(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 3)
	f.Add([]byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00"), 1)
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x46"), 2)
	w := newWorld(f, 0)
	f.Fuzz(func(t *testing.T, said []byte, step int) {
		step = 1 + max(step, ^step)%100
		c := newClient(t, w.conn(), false)
		c.turn(nil)
		for len(said) > 0 {
			n := min(step, len(said))
			c.turn(said[:n])
			said = said[n:]
		}
		c.end()
		require.Error(t, c.err)
		require.Empty(t, c.got)
		c.Stop()
	})
}
