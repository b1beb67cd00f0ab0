package fetch_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// prompt is a Runner whose work is done when it has been submitted.
type prompt struct{ finished []uint64 }

func (p *prompt) Submit(id uint64, work func()) { work(); p.finished = append(p.finished, id) }
func (p *prompt) Close()                        {}

func (p *prompt) Finished(ids []uint64) []uint64 {
	ids = append(ids, p.finished...)
	p.finished = p.finished[:0]
	return ids
}

// TestManyHosts: a list with a host of its own for each URL leaves nothing of
// those hosts behind but the connections that are kept and a bounded number of
// answers, and holds as much memory after a hundred thousand as after a few.
func TestManyHosts(t *testing.T) {
	for form, address := range map[string]string{"names": "http://host%d.test/", "addresses": "http://[2001:db8::%x]/"} {
		t.Run(form, func(t *testing.T) {
			k := &canned{response: sim.Reply(200, "", []byte("hello")).Bytes(), piece: 1 << 20}
			one := resolver(func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("10.1.0.1")}, nil })
			f, err := fetch.NewOn(k, &prompt{}, fetch.Options{MaxConns: 8, Resolver: one, Sink: &nowhere{}})
			require.NoError(t, err)
			run := func(from, to int) {
				n := 0
				for _, err := range f.Fetch(context.Background(), func(yield func(fetch.Request) bool) {
					for h := from; h < to; h++ {
						host := h
						if form == "addresses" {
							host %= 1 << 16 // of one group of an address
						}
						if !yield(fetch.Request{URL: fmt.Sprintf(address, host)}) {
							return
						}
					}
				}) {
					require.NoError(t, err)
					n++
				}
				require.Equal(t, to-from, n)
			}
			run(0, 30_000)
			before := heapBytes()
			run(30_000, 130_000)
			require.Less(t, heapBytes(), before+1<<20)
			require.LessOrEqual(t, f.Origins(), 8, "one for each connection that is kept")
			require.LessOrEqual(t, f.Names(), 10_000)
			require.Less(t, f.Timers(), 200)
			require.NoError(t, f.Close())
			require.Zero(t, f.Origins())
		})
	}
}
