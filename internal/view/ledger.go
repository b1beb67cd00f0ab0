package view

import (
	"fmt"
	"strings"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// Ledger is the table of --stats: how many system calls of each kind a run
// made, and how many that is for each fetch; then how much single calls gave.
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
	histogram(&b, "bytes a recv", &c.RecvSizes)
	histogram(&b, "events a wait", &c.Batches)
	return b.String()
}

// histogram prints how often numbers of each size came, but for those that
// never did.
func histogram(b *strings.Builder, what string, h *kernel.Histogram) {
	most, total := uint64(0), uint64(0)
	for _, n := range h {
		most, total = max(most, n), total+n
	}
	if total == 0 {
		return
	}
	fmt.Fprintf(b, "\n%-20s %10s %7s\n", what, "times", "share")
	for i, n := range h {
		if n > 0 {
			fmt.Fprintf(b, "%-20s %10d %6.1f%%  %s\n", span(i), n, 100*float64(n)/float64(total), bricks(n, most))
		}
	}
}

// span names the numbers that one element of a histogram counts.
func span(i int) string {
	if i < 2 {
		return fmt.Sprint(i)
	}
	return fmt.Sprintf("%d to %d", uint64(1)<<(i-1), uint64(1)<<i-1)
}

// bricks is a bar for n, of a width that the most frequent fills. What came at
// all has one.
func bricks(n, most uint64) string {
	const columns = 24
	return strings.Repeat("#", max(1, int(n*columns/most)))
}
