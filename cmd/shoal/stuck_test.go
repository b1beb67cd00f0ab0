package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// TestStuck: a mistake of the engine's is told in full, once, and leaves its
// fetches for another run.
func TestStuck(t *testing.T) {
	var stderr strings.Builder
	r := &runner{settings: settings{silent: true}, intake: &intake{network: new(network)}}
	r.screen = view.NewProgress(&stderr, view.StyleNone, r.moment)
	r.admitNone = func() {}
	err := &fetch.Error{URL: "http://h/", Phase: fetch.PhaseDial, Err: &fetch.StuckError{State: "2 jobs\njob 1 \x1b"}}
	for line := range 2 {
		r.take(&fetch.Result{Request: fetch.Request{URL: "http://h/", Tag: &place{lineage: commandLine, line: int32(line)}}}, err)
	}
	require.Equal(t, "shoal: fetch: the loop is stuck, which is a mistake in it; please report this:\nshoal: 2 jobs\nshoal: job 1 \\u001b\n", stderr.String())
	require.Equal(t, 2, r.undone)
	require.Zero(t, r.tally.Failed())
	require.Equal(t, exitStopped, statusOf(r.verdict()))
}
