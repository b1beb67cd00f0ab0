package tlsconn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the cuts, the ends of the records are found.
func TestRecordsInAnyPieces(t *testing.T) {
	var stream []byte
	ends := map[int]bool{0: true}
	for _, n := range []int{0, 1, 4, 300, 0, 0, 2} {
		stream = append(append(stream, 23, 3, 3, byte(n>>8), byte(n)), make([]byte, n)...)
		ends[len(stream)] = true
	}
	for step := 1; step <= len(stream); step++ {
		r, at := record{}, 0
		for lent := 0; at < len(stream); {
			lent = min(lent+step, len(stream))
			for at < lent {
				n := r.span(stream[at:lent])
				require.Positive(t, n)
				r.pass(stream[at : at+n])
				for inside := at + 1; inside < at+n; inside++ {
					require.False(t, ends[inside], "step %d goes past the end of a record at %d", step, inside)
				}
				at += n
				require.Equal(t, !ends[at], r.begun(), "step %d, at %d", step, at)
			}
		}
	}
}
