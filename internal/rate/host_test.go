package rate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func good(g *Governor, times int) {
	for range times {
		g.Good()
	}
}

func TestGovernorHalvesAndGrows(t *testing.T) {
	g := NewGovernor(6)
	require.Equal(t, 6, g.Limit())
	good(&g, 100)
	require.Equal(t, 6, g.Limit(), "never more than allowed")
	g.Trouble(0, 1)
	require.Equal(t, 3, g.Limit())
	g.Trouble(2, 3)
	require.Equal(t, 1, g.Limit())
	require.Equal(t, time.Duration(3), g.Next(3))
	for _, want := range []struct{ answers, limit int }{{1, 2}, {1, 2}, {1, 3}, {2, 3}, {1, 4}, {4, 5}, {5, 6}, {50, 6}} {
		good(&g, want.answers)
		require.Equal(t, want.limit, g.Limit())
	}
}

// TestOneTroubleCountsOnce: six requests that fail together halve once.
func TestOneTroubleCountsOnce(t *testing.T) {
	g := NewGovernor(64)
	for range 6 {
		g.Trouble(10, 20)
	}
	g.Trouble(19, 30)
	require.Equal(t, 32, g.Limit())
	g.Trouble(21, 40)
	require.Equal(t, 16, g.Limit())
}

// TestTroubleStartsGrowthOver: answers before a trouble do not count after it.
func TestTroubleStartsGrowthOver(t *testing.T) {
	g := NewGovernor(8)
	g.Trouble(0, 1)
	good(&g, 3)
	g.Trouble(2, 3)
	good(&g, 1)
	require.Equal(t, 2, g.Limit())
	good(&g, 1)
	require.Equal(t, 3, g.Limit())
}

// TestPauses: with one connection left trouble makes pauses, which double up to
// the longest, and begin again after a good answer.
func TestPauses(t *testing.T) {
	g := NewGovernor(1)
	now := time.Duration(0)
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 32, 32} {
		g.Trouble(now, now)
		require.Equal(t, 1, g.Limit())
		require.Equal(t, now+want*time.Second, g.Next(now))
		g.Trouble(now-1, now+1) // of the same trouble
		now = g.Next(now)
		require.Equal(t, now, g.Next(now))
		now++
	}
	g.Good()
	g.Trouble(now, now)
	require.Equal(t, now+time.Second, g.Next(now))
	g.Rest(now + time.Hour)
	g.Rest(now + time.Minute)
	require.Equal(t, now+time.Hour, g.Next(now))
	require.Panics(t, func() { NewGovernor(0) })
}

func TestHostDown(t *testing.T) {
	var h Health
	now := 10 * time.Second
	fail := func(times int) {
		for range times {
			h.Failure(now, now+1)
			now++
		}
	}
	for range DownRests {
		fail(DownFailures - 1)
		require.Equal(t, now, h.Next(now), "four are not five")
		fail(1)
		require.Equal(t, now+DownRest, h.Next(now))
		require.False(t, h.Down())
		now = h.Next(now)
	}
	fail(DownFailures - 1)
	require.False(t, h.Down())
	fail(1)
	require.True(t, h.Down())
	fail(1000)
	require.True(t, h.Down())
	h.Success()
	require.Equal(t, Health{}, h, "one that was still under way")
}

// TestSuccessStartsOver: failures in a row are counted, and rests without a
// success between them.
func TestSuccessStartsOver(t *testing.T) {
	var h Health
	for now := range time.Duration(100) {
		for range DownFailures - 1 {
			h.Failure(now, now)
		}
		h.Success()
		require.Equal(t, now, h.Next(now))
	}
}

// TestFailuresTogether: a hundred connects that time out together are one rest.
func TestFailuresTogether(t *testing.T) {
	var h Health
	for range 100 {
		h.Failure(0, 10*time.Second)
	}
	require.Equal(t, 10*time.Second+DownRest, h.Next(0))
	require.False(t, h.Down())
	h.Failure(69*time.Second, 75*time.Second)
	for range DownFailures - 1 {
		h.Failure(70*time.Second, 80*time.Second)
	}
	require.Equal(t, 80*time.Second, h.Next(80*time.Second), "one that was started during the rest does not count")
	h.Failure(70*time.Second, 80*time.Second)
	require.Equal(t, 140*time.Second, h.Next(80*time.Second))
}

// TestLate: timeouts halve, and make no pauses.
func TestLate(t *testing.T) {
	g := NewGovernor(4)
	for _, want := range []int{2, 1, 1, 1} {
		g.Late(0, 0)
		require.Equal(t, want, g.Limit())
		require.Zero(t, g.Next(0))
	}
	g = NewGovernor(4)
	g.Late(5, 10)
	g.Late(9, 11)
	require.Equal(t, 2, g.Limit(), "under way at the first: the same trouble")
}
