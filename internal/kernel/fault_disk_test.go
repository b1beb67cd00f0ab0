//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFileSlow: each call to files and names takes its time longer, but for a
// close, and does its work all the same.
func TestFileSlow(t *testing.T) {
	const delay = 2 * time.Millisecond
	k := Inject(open(t), Faults{FileSlow: delay})
	slow := func(call func() error) {
		t.Helper()
		before, began := k.Injected().Slow, time.Now()
		require.NoError(t, call())
		require.GreaterOrEqual(t, time.Since(began), delay)
		require.Equal(t, before+1, k.Injected().Slow)
	}
	path := t.TempDir()
	var dir, file int
	slow(func() (err error) { dir, err = k.OpenDir(path); return err })
	slow(func() error { _, err := k.ReadDir(dir); return err })
	slow(func() (err error) { file, err = k.Create(dir, "a"); return err })
	slow(func() error { _, err := k.Write(file, []byte("content")); return err })
	require.NoError(t, k.CloseFile(file))
	slow(func() error { return k.Rename(dir, "a", "b") })
	slow(func() error { return k.Replace(dir, "b", "c") })
	require.Equal(t, "content", content(t, path, "c"))
	slow(func() error { return k.Unlink(dir, "c") })
	require.NoError(t, k.CloseFile(dir))
	require.EqualValues(t, 7, k.Injected().Slow)
}

// TestFileSlowIn: the seed says how many of the calls are slow, whichever
// goroutines make them.
func TestFileSlowIn(t *testing.T) {
	var times [2]uint64
	for run := range times {
		k := Inject(open(t), Faults{Seed: 5, FileSlow: time.Nanosecond, FileSlowIn: 20})
		path, dir := folder(t, k)
		file, err := k.Create(dir, "a")
		require.NoError(t, err)
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				for range 250 {
					if _, err := k.Write(file, []byte("x")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		require.NoError(t, k.CloseFile(file))
		require.Len(t, content(t, path, "a"), 1000)
		times[run] = k.Injected().Slow
	}
	require.Equal(t, times[0], times[1])
	require.InDelta(t, 200, float64(times[0]), 60)
}
