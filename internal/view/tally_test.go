package view

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

func TestSummary(t *testing.T) {
	var tally Tally
	for outcome, times := range map[fetch.Outcome]int{fetch.Fetched: 3, fetch.Skipped: 2, fetch.Failed: 1} {
		for range times {
			tally.Add(&fetch.Result{Outcome: outcome, Bytes: 512}, nil)
		}
	}
	require.Equal(t, 6, tally.Total())
	require.Equal(t, "3 fetched, 2 skipped, 1 failed; 3.0 KB in 1.235s", tally.Summary(1234567*time.Microsecond))
	require.Equal(t, "0 fetched; 0 B in 0s", new(Tally).Summary(0))
}

// add counts so many fetches of 100 bytes, and so many failures in a phase.
func add(tally *Tally, fetched int, failed map[fetch.Phase]int) *Tally {
	for range fetched {
		tally.Add(&fetch.Result{Outcome: fetch.Fetched, Bytes: 100}, nil)
	}
	for p, n := range failed {
		for range n {
			tally.Add(&fetch.Result{}, &fetch.Error{Phase: p, Err: syscall.ECONNREFUSED})
		}
	}
	return tally
}

func TestFailuresByPhase(t *testing.T) {
	tally := add(new(Tally), 5, map[fetch.Phase]int{fetch.PhaseStatus: 1, fetch.PhaseDial: 2})
	require.Equal(t, "3 failed (dial 2, status 1)", tally.failures())
	require.Equal(t, 2, tally.FailedIn(fetch.PhaseDial))
	require.Zero(t, tally.FailedIn(fetch.PhaseSave))
	require.EqualValues(t, 500, tally.Bytes())

	tally.Add(&fetch.Result{}, errors.New("of no phase"))
	require.Equal(t, "4 failed (dial 2, status 1)", tally.failures())
	require.Empty(t, new(Tally).failures())
}

// TestTallyIsReadMeanwhile is for the race detector, and for sums that never go
// back.
func TestTallyIsReadMeanwhile(t *testing.T) {
	tally, done := new(Tally), make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for last := 0; ; {
			now := tally.Total()
			if now < last {
				t.Errorf("%d after %d", now, last)
			}
			last = now
			_ = tally.failures()
			select {
			case <-done:
				return
			default:
			}
		}
	})
	add(tally, 2000, map[fetch.Phase]int{fetch.PhaseSave: 2000})
	close(done)
	reader.Wait()
	require.Equal(t, 4000, tally.Total())
}
