package save

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDiskIsJudged: one slow call is enough to expect waits, a later one still to
// be behind; a level is left after many quick calls in a row and some time.
func TestDiskIsJudged(t *testing.T) {
	var k disk
	var now time.Duration
	call := func(took time.Duration) {
		now += took
		k.judge(now, took)
	}
	calm := func(to pace) {
		from := k.pace
		now += calmTime
		for range calmRun - 1 {
			require.Equal(t, from, k.pace)
			call(0)
		}
		call(0)
		require.Equal(t, to, k.pace)
	}
	call(slowCall - 1)
	require.Equal(t, quick, k.pace)
	call(slowCall)
	require.Equal(t, waiting, k.pace)
	call(lateCall)
	require.Equal(t, behind, k.pace)
	for range 2 * calmRun {
		call(time.Microsecond)
	}
	require.Equal(t, behind, k.pace, "calm for too short a time")
	call(slowCall)
	require.Equal(t, behind, k.pace)
	calm(waiting)
	calm(quick)
	calm(quick)
}
