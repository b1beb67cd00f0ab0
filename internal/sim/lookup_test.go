package sim

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// resolve looks a name up through a Runner and waits an hour for the report.
func resolve(t *testing.T, k *Kernel, network, host string) (found []netip.Addr, err error, reported bool) {
	w := k.Runner()
	w.Submit(7, func() { found, err = k.LookupNetIP(context.Background(), network, host) })
	require.Empty(t, w.Finished(nil), "not at once")
	for end := k.Now() + time.Hour; k.Now() < end; {
		require.Empty(t, wait(t, k, end-k.Now()))
		if ids := w.Finished(nil); len(ids) > 0 {
			require.Equal(t, []uint64{7}, ids)
			require.Empty(t, w.Finished(nil))
			return found, err, true
		}
	}
	return found, err, false
}

func TestLookups(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	for _, test := range []struct {
		network, host string
		want          []netip.Addr
	}{
		{"ip", "both", []netip.Addr{four, six}},
		{"ip4", "both", []netip.Addr{four}},
		{"ip6", "both", []netip.Addr{six}},
		{"ip", "10.0.0.1", []netip.Addr{four}},
		{"ip6", "four", nil},
		{"ip", "empty", nil},
		{"ip", "unknown", nil},
	} {
		k := New(1, Chaos{})
		k.Host("both", four, six)
		k.Host("four", four)
		k.Host("empty")
		found, err, reported := resolve(t, k, test.network, test.host)
		require.True(t, reported)
		require.Equal(t, test.want, found)
		require.Less(t, k.Now(), 100*time.Millisecond)
		if test.want == nil {
			var failure *net.DNSError
			require.ErrorAs(t, err, &failure)
			require.True(t, failure.IsNotFound)
			require.Equal(t, test.host, failure.Name)
		}
	}
}

func TestLookupChaos(t *testing.T) {
	never, late, slow, temporary := 0, 0, 0, 0
	for seed := range uint64(100) {
		k := New(seed, Chaos{LookupLost: 1})
		k.Host("a", anAddress.Addr())
		if _, _, reported := resolve(t, k, "ip", "a"); !reported {
			never++
		} else if k.Now() > 2*time.Minute {
			late++
		}

		k = New(seed, Chaos{LookupSlow: 1})
		k.Host("a", anAddress.Addr())
		if resolve(t, k, "ip", "a"); k.Now() > time.Second {
			slow++
		}

		k = New(seed, Chaos{LookupFails: 1})
		k.Host("a", anAddress.Addr())
		_, err, _ := resolve(t, k, "ip", "a")
		var failure *net.DNSError
		if errors.As(err, &failure) && failure.IsTemporary && !failure.IsNotFound {
			temporary++
		}
	}
	require.Equal(t, 100, never+late)
	require.InDelta(t, 50, never, 25)
	require.Greater(t, slow, 80)
	require.Equal(t, 100, temporary)
}

func TestCancelledLookup(t *testing.T) {
	k := New(1, Chaos{LookupLost: 1})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := k.Runner()
	var err error
	w.Submit(1, func() { _, err = k.LookupNetIP(ctx, "ip", "a") })
	wait(t, k, time.Second)
	require.Equal(t, context.Canceled, err)
	require.Equal(t, []uint64{1}, w.Finished(nil))
}

func TestRunnerWakesAndCloses(t *testing.T) {
	k := New(1, Chaos{})
	w := k.Runner()
	ran := 0
	for id := range uint64(10) {
		w.Submit(id, func() { ran++ })
	}
	var ids []uint64
	for len(ids) < 10 {
		wait(t, k, -1) // a lost wake-up would be a violation
		ids = w.Finished(ids)
	}
	require.Equal(t, 10, ran)
	require.ElementsMatch(t, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ids)

	w.Submit(3, func() { ran++ })
	w.Close()
	wait(t, k, time.Second)
	require.Equal(t, 10, ran, "dropped")
	require.Empty(t, w.Finished(nil))
}
