package view

import (
	"fmt"
	"strings"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// Ledger is the table of --stats: how many system calls of each kind a run
// made, and how many that is for each fetch.
func Ledger(c kernel.Counts, fetches int) string {
	var b strings.Builder
	var total uint64
	per := func(n uint64) float64 { return float64(n) / float64(max(1, fetches)) }
	fmt.Fprintf(&b, "%-12s %10s %10s %8s %8s\n", "call", "calls", "per fetch", "again", "failed")
	for call := range kernel.AnyCall {
		n := c.Calls[call]
		if n == 0 {
			continue
		}
		total += n
		fmt.Fprintf(&b, "%-12s %10d %10.2f %8d %8d\n", call, n, per(n), c.Again[call], c.Failed[call])
	}
	fmt.Fprintf(&b, "%-12s %10d %10.2f\n", "all", total, per(total))
	if waits := c.Calls[kernel.CallWait]; waits > 0 {
		fmt.Fprintf(&b, "%.1f events a wait, %d bytes sent, %d received, %d written, %d spliced\n",
			float64(c.Events)/float64(waits), c.Sent, c.Received, c.Written, c.Spliced)
	}
	return b.String()
}
