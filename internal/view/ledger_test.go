package view

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/kernel"
)

func TestLedger(t *testing.T) {
	c := kernel.Counts{Events: 5, Sent: 100, Received: 2000, Written: 1900, Spliced: 7}
	c.Calls[kernel.CallConnect], c.Again[kernel.CallConnect] = 1, 1
	c.Calls[kernel.CallSend] = 4
	c.Calls[kernel.CallRename], c.Failed[kernel.CallRename] = 3, 2
	c.Calls[kernel.CallWait] = 2
	require.Equal(t, ""+
		"call              calls  per fetch    again   failed\n"+
		"connect               1       0.25        1        0\n"+
		"send                  4       1.00        0        0\n"+
		"wait                  2       0.50        0        0\n"+
		"rename                3       0.75        0        2\n"+
		"all                  10       2.50\n"+
		"2.5 events a wait, 100 bytes sent, 2000 received, 1900 written, 7 spliced\n", Ledger(c, 4))
	require.Equal(t, ""+
		"call              calls  per fetch    again   failed\n"+
		"all                   0       0.00\n", Ledger(kernel.Counts{}, 0))
}

func TestHistograms(t *testing.T) {
	c := kernel.Counts{
		RecvSizes: kernel.Histogram{0: 1, 7: 200, 9: 600, 17: 199},
		Batches:   kernel.Histogram{1: 30, 2: 10},
	}
	require.Equal(t, ""+
		"call              calls  per fetch    again   failed\n"+
		"all                   0       0.00\n"+
		"\n"+
		"bytes a recv              times   share\n"+
		"0                             1    0.1%  #\n"+
		"64 to 127                   200   20.0%  ########\n"+
		"256 to 511                  600   60.0%  ########################\n"+
		"65536 to 131071             199   19.9%  #######\n"+
		"\n"+
		"events a wait             times   share\n"+
		"1                            30   75.0%  ########################\n"+
		"2 to 3                       10   25.0%  ########\n", Ledger(c, 1))
}

func TestSpan(t *testing.T) {
	for i, want := range map[int]string{
		0: "0", 1: "1", 2: "2 to 3", 3: "4 to 7", 11: "1024 to 2047", 63: "4611686018427387904 to 9223372036854775807",
	} {
		require.Equal(t, want, span(i), "element %d", i)
	}
}
