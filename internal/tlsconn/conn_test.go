package tlsconn

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBodies(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		for _, size := range []int{0, 1, 1000, 16 << 10, 100_000} {
			for _, step := range []int{0, 1, 2, 7, 1448, 16 << 10} {
				if size > 1000 && step > 0 && step < 7 && testing.Short() {
					continue
				}
				t.Run(fmt.Sprintf("%d bytes by %d", size, step), func(t *testing.T) {
					want := body(size)
					c := newClient(t, w.conn(), hello)
					c.forLife = forLife
					p := serve(t, w.server, answer(want))
					talk(c, p, step)
					requireBody(t, want, c)
					require.NoError(t, p.err)
					require.Equal(t, version, c.State().Version)
					require.Empty(t, c.State().NegotiatedProtocol)
					require.False(t, c.Pending())
				})
			}
		}
	})
}
