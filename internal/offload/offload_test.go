package offload

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

// finish waits for so many pieces of work and returns their ids.
func finish(t *testing.T, p *Pool, woken <-chan struct{}, count int) (ids []uint64) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for len(ids) < count {
		select {
		case <-woken:
			ids = p.Finished(ids)
		case <-limit:
			t.Fatalf("only %d of %d have finished", len(ids), count)
		}
	}
	return ids
}

func newPool(workers int) (*Pool, <-chan struct{}) {
	woken := make(chan struct{}, 1)
	return New(workers, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}), woken
}

func TestEachFinishesOnce(t *testing.T) {
	p, woken := newPool(4)
	const count = 1000
	results := make([]int, count) // each written by its work alone, read after it has finished
	for i := range count {
		p.Submit(uint64(i), func() { results[i]++ })
	}
	seen := map[uint64]bool{}
	for _, id := range finish(t, p, woken, count) {
		require.False(t, seen[id], "%d finished twice", id)
		seen[id] = true
		require.Equal(t, 1, results[id])
	}
	p.Close()
}

func TestNoMoreWorkersThanAllowed(t *testing.T) {
	p, woken := newPool(3)
	var now, most atomic.Int32
	three := make(chan struct{}) // closed when so many are at work
	reach := sync.OnceFunc(func() { close(three) })
	for i := range 30 {
		p.Submit(uint64(i), func() {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if n == 3 {
				reach()
			}
			<-three
			time.Sleep(time.Millisecond)
			now.Add(-1)
		})
	}
	finish(t, p, woken, 30)
	require.EqualValues(t, 3, most.Load())
	p.Close()
}

func TestIdleHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	p, woken := newPool(8)
	for i := range 100 {
		p.Submit(uint64(i), func() {})
	}
	finish(t, p, woken, 100)
	leaktest.Settled(t, before) // while the Pool is open
	p.Close()
}

func TestCloseWaitsForWhatRunsAndDropsTheRest(t *testing.T) {
	p, _ := newPool(1)
	started, release := make(chan struct{}), make(chan struct{})
	var ran atomic.Int32
	p.Submit(1, func() { close(started); <-release; ran.Add(1) })
	p.Submit(2, func() { ran.Add(10) })
	<-started
	closed := make(chan struct{})
	go func() { p.Close(); close(closed) }()
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.closed
	}, 10*time.Second, time.Millisecond)
	select {
	case <-closed:
		t.Fatal("Close did not wait for running work")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-closed
	require.EqualValues(t, 1, ran.Load())
	require.Panics(t, func() { p.Submit(3, func() {}) })
}

func TestNoWorkersIsAMistake(t *testing.T) {
	require.Panics(t, func() { New(0, func() {}) })
}
