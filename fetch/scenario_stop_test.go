package fetch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// Stop ends what waits and lets what runs go on; a later Fetch is none of its
// business.
func TestStop(t *testing.T) {
	k := sim.New(1, sim.Chaos{})
	k.Serve(netip.MustParseAddrPort("10.0.0.1:80"), func(q *sim.Request, _ *rand.Rand) sim.Response {
		p := sim.Reply(200, "", []byte("hello"))
		p.Pieces[0].Delay = time.Second
		return p
	})
	f, err := fetch.NewOn(k, k.Runner(), fetch.Options{MaxConns: 4, MaxPerHost: 4})
	require.NoError(t, err)
	pulled := 0
	endless := func(yield func(fetch.Request) bool) {
		for ; yield(fetch.Request{URL: fmt.Sprintf("http://10.0.0.1/%d", pulled)}); pulled++ {
		}
	}
	k.At(2500*time.Millisecond, f.Stop)
	fetched, stopped := 0, 0
	for res, err := range f.Fetch(context.Background(), endless) {
		if err == nil {
			fetched++
			continue
		}
		require.ErrorIs(t, err, fetch.ErrStopped)
		var e *fetch.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, fetch.PhaseQueue, e.Phase)
		require.Zero(t, res.Attempts)
		stopped++
	}
	require.Equal(t, 12, fetched, "three rounds of four, the third under way at the Stop")
	require.Equal(t, pulled+1, fetched+stopped)
	require.Less(t, k.Now(), 4*time.Second)

	s := f.Snapshot()
	require.EqualValues(t, pulled+1, s.Admitted)
	require.EqualValues(t, s.Admitted, s.Yielded)
	require.EqualValues(t, 12*5, s.Bytes)
	require.Zero(t, s.Queued)

	again := 0
	for _, err := range f.Fetch(context.Background(), func(yield func(fetch.Request) bool) {
		yield(fetch.Request{URL: "http://10.0.0.1/again"})
	}) {
		require.NoError(t, err)
		again++
	}
	require.Equal(t, 1, again)
	require.NoError(t, f.Close())
}
