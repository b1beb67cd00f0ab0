package fetch_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// A resolver that finds no descriptor is out of descriptors, not out of answers
// (curl/curl#11316): the fetch waits, and when that lasts it says what was short.
func TestResolverShortage(t *testing.T) {
	for name, shortFor := range map[string]time.Duration{"passes": 3 * time.Second, "lasts": time.Hour} {
		t.Run(name, func(t *testing.T) {
			k := sim.New(1, sim.Chaos{})
			k.Host("a.test", netip.MustParseAddr("10.0.0.1"))
			k.Serve(netip.MustParseAddrPort("10.0.0.1:80"), func(*sim.Request, *rand.Rand) sim.Response {
				return sim.Reply(200, "", []byte("hello"))
			})
			short := resolver(func() ([]netip.Addr, error) {
				if k.Now() < shortFor {
					return nil, &net.DNSError{Err: "dial udp 10.0.0.53:53: socket: " + syscall.EMFILE.Error(), Name: "a.test"}
				}
				return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
			})
			f, err := fetch.NewOn(k, k.Runner(), fetch.Options{Resolver: short})
			require.NoError(t, err)
			for res, err := range f.Fetch(context.Background(), func(yield func(fetch.Request) bool) {
				yield(fetch.Request{URL: "http://a.test/"})
			}) {
				if name == "passes" {
					require.NoError(t, err)
					require.Equal(t, "hello", string(res.Body))
					continue
				}
				var lasting *fetch.ShortageError
				require.ErrorAs(t, err, &lasting)
				require.InDelta(t, 10*time.Second, k.Now(), float64(time.Second))
			}
			require.NoError(t, f.Close())
			require.Empty(t, k.Open())
		})
	}
}
