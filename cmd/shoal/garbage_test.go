package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCollector: the faster collections come, the more room there is, up to a
// limit, and it goes when they are slow again.
func TestCollector(t *testing.T) {
	var c collector
	for _, step := range []struct {
		since time.Duration
		room  uint64
	}{
		{time.Hour, 0},
		{100 * time.Millisecond, 0},
		{5 * time.Millisecond, 1 << 20},
		{5 * time.Millisecond, 2 << 20},
		{100 * time.Millisecond, 2 << 20},
		{5 * time.Millisecond, 4 << 20},
		{5 * time.Millisecond, 4 << 20},
		{time.Second, 2 << 20},
		{time.Second, 1 << 20},
	} {
		c.adapt(step.since)
		require.Equal(t, step.room, c.room)
	}
}

// TestPercent: a heap of what lives and the room is the one that Go aims at,
// which is never below 4 MB times GOGC/100.
func TestPercent(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		live, room uint64
		percent    int
	}{
		{0, 4 * mb, 25},
		{2 * mb, 0, 25},
		{8 * mb, 1 * mb, 25},
		{2 * mb, 4 * mb, 150},
		{4 * mb, 4 * mb, 100},
		{100 * mb, 4 * mb, 25},
	} {
		require.Equal(t, c.percent, percentFor(c.live, c.room), "%d %d", c.live, c.room)
	}
}
