package fetch

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/sim"
)

// A loop that has lost a deadline says so instead of waiting for ever. That
// takes a mistake in the engine: here, an option that New does not allow.
func TestWatchdog(t *testing.T) {
	k := sim.New(1, sim.Chaos{})
	k.Serve(netip.MustParseAddrPort("10.0.0.1:80"), func(*sim.Request, *rand.Rand) sim.Response {
		return sim.Response{Then: sim.Stall}
	})
	f, err := NewOn(k, k.Runner(), Options{})
	require.NoError(t, err)
	f.loop.options.FirstByteTimeout = 0
	yielded := 0
	for _, err := range f.Fetch(context.Background(), func(yield func(Request) bool) {
		yield(Request{URL: "http://10.0.0.1/lost"})
	}) {
		var stuck *StuckError
		require.ErrorAs(t, err, &stuck)
		require.Contains(t, stuck.Error(), "job 1 http://10.0.0.1/lost")
		yielded++
	}
	require.Equal(t, 1, yielded)
	require.NoError(t, f.Close())
	require.Empty(t, k.Open())
}
