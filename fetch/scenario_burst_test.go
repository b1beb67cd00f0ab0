package fetch_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
	"github.com/shoalfetch/shoal/poller"
)

// dialCount is a kernel that counts the connects between two waits.
type dialCount struct {
	kernel.Kernel
	now, most int
}

func (k *dialCount) Connect(fd int, to netip.AddrPort) error {
	k.now++
	k.most = max(k.most, k.now)
	return k.Kernel.Connect(fd, to)
}

func (k *dialCount) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	k.now = 0
	return k.Kernel.Wait(events, timeout)
}

// TestBurst: hundreds of conns are not all dialled in one turn, for which those
// that are there would have to wait; and yet all of them are made at once.
func TestBurst(t *testing.T) {
	const conns = 900
	k := sim.New(1, sim.Chaos{})
	k.Serve(netip.MustParseAddrPort("10.0.0.1:80"), serve)
	counted := &dialCount{Kernel: k}
	f, err := fetch.NewOn(counted, k.Runner(), fetch.Options{MaxConns: conns, MaxPerHost: conns})
	require.NoError(t, err)
	defer f.Close()
	requests := func(yield func(fetch.Request) bool) {
		for n := range conns {
			if !yield(fetch.Request{URL: fmt.Sprintf("http://10.0.0.1/length/10/%d", n)}) {
				return
			}
		}
	}
	fetched, most := 0, int64(0)
	for res, err := range f.Fetch(context.Background(), requests) {
		require.NoError(t, err)
		require.Len(t, res.Body, 10)
		most = max(most, f.Snapshot().Conns)
		fetched++
	}
	require.Equal(t, conns, fetched)
	require.Equal(t, 64, counted.most)
	require.Greater(t, most, int64(counted.most), "a turn's worth must not be the limit")
}
