// Package leaktest has a test fail that leaves goroutines behind. A coroutine is
// one too.
package leaktest

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is for how many milliseconds one may take that is about to end: that
// of a subtest, a context or a server outlives it by a little, on a busy machine
// by more.
const patience = 10_000

// Check has t fail when more goroutines are left at its end than there are now.
// It is asked for before anything else is made.
func Check(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() { Settled(t, before) })
}

// Settled waits until there are no more goroutines than before, as
// runtime.NumGoroutine counts them. There may be fewer, since those of an earlier
// test count for as long as they take to end.
func Settled(t testing.TB, before int) {
	t.Helper()
	for n := 0; n < patience && runtime.NumGoroutine() > before; n++ {
		time.Sleep(time.Millisecond)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before, "goroutines are left")
}
