package save

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDiskExpectsWaits from one slow call on, until many in a row were quick.
func TestDiskExpectsWaits(t *testing.T) {
	var k disk
	require.False(t, k.judge(slowCall-1))
	require.False(t, k.waits)
	for range 2 {
		require.True(t, k.judge(slowCall))
		require.True(t, k.waits)
		for range quickRun - 1 {
			require.False(t, k.judge(time.Microsecond))
		}
		require.False(t, k.judge(time.Second), "it changed its mind from slow to slow")
		for range quickRun - 1 {
			require.False(t, k.judge(time.Microsecond))
			require.True(t, k.waits)
		}
		require.True(t, k.judge(time.Microsecond))
		require.False(t, k.waits)
	}
}
