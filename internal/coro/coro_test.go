package coro

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

func TestPauseAndResume(t *testing.T) {
	leaktest.Check(t)
	var log []string
	c := Start(func(c *Coro) {
		log = append(log, "begin")
		require.True(t, c.Pause())
		log = append(log, "again")
	})
	require.Empty(t, log, "nothing runs before the first Resume")
	require.True(t, c.Resume())
	require.Equal(t, "begin", strings.Join(log, " "))
	require.False(t, c.Resume())
	require.Equal(t, "begin again", strings.Join(log, " "))
	require.False(t, c.Resume(), "it stays at its end")
	c.Stop()
}

func TestStop(t *testing.T) {
	leaktest.Check(t)
	Start(func(*Coro) { t.Error("it begins though it was stopped") }).Stop()

	unwound := 0
	c := Start(func(c *Coro) {
		defer func() { unwound++ }()
		require.True(t, c.Pause())
		require.False(t, c.Pause(), "a coroutine that is stopped")
		require.False(t, c.Pause(), "and that pauses all the same")
	})
	c.Resume()
	c.Resume()
	c.Stop()
	require.Equal(t, 1, unwound)
	c.Stop()
	require.False(t, c.Resume())
	require.Equal(t, 1, unwound)
}

func TestManyStopped(t *testing.T) {
	leaktest.Check(t)
	var all []*Coro
	for range 2000 {
		c := Start(func(c *Coro) { c.Pause() })
		c.Resume()
		all = append(all, c)
	}
	for _, c := range all {
		c.Stop()
	}
}

func TestPanicsComeOut(t *testing.T) {
	leaktest.Check(t)
	mistake := errors.New("a mistake")
	c := Start(func(c *Coro) { c.Pause(); panic(mistake) })
	c.Resume()
	require.PanicsWithValue(t, mistake, func() { c.Resume() })
	require.False(t, c.Resume())
	c.Stop()

	c = Start(func(c *Coro) {
		if !c.Pause() {
			panic(mistake)
		}
	})
	c.Resume()
	require.PanicsWithValue(t, mistake, c.Stop)
	c.Stop()
}

// A test that fails in a coroutine ends its goroutine, which must not hang.
func TestGoexitComesOut(t *testing.T) {
	leaktest.Check(t)
	ended := make(chan bool)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		c := Start(func(*Coro) { runtime.Goexit() })
		defer c.Stop()
		c.Resume()
		returned = true
	}()
	require.False(t, <-ended)
}

func TestMisuse(t *testing.T) {
	leaktest.Check(t)
	var c *Coro
	c = Start(func(*Coro) {
		require.PanicsWithValue(t, "coro: Resume or Stop inside the coroutine", func() { c.Resume() })
		require.PanicsWithValue(t, "coro: Resume or Stop inside the coroutine", c.Stop)
		c.Pause()
	})
	c.Resume()
	require.PanicsWithValue(t, "coro: Pause outside the coroutine", func() { c.Pause() })
	c.Stop()
}

func TestSwitchingAllocatesNothing(t *testing.T) {
	c := Start(func(c *Coro) {
		for c.Pause() {
		}
	})
	defer c.Stop()
	require.Zero(t, testing.AllocsPerRun(100, func() { c.Resume() }))
}

func BenchmarkResume(b *testing.B) {
	c := Start(func(c *Coro) {
		for c.Pause() {
		}
	})
	defer c.Stop()
	b.ReportAllocs()
	for b.Loop() {
		c.Resume()
	}
}

func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c := Start(func(*Coro) {})
		c.Resume()
		c.Stop()
	}
}
