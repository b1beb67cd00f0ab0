package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// countCalls puts into each row how many system calls a fetch takes: of two runs
// of different size, what the larger has more, so that a program's start does not
// count. Tracing slows a program down, so these runs are measured for nothing else.
func (s *session) countCalls(ctx context.Context, peers []peer, sh *sheet) {
	tracer, err := findTracer(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: WITHOUT system calls: %v\n", err)
		return
	}
	small, large := s.tracedParts()
	for i, p := range peers {
		calls, err := s.callsPerFetch(ctx, p, tracer, small, large)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: no system calls of %s: %v\n", s.load.Name, p.name, err)
			s.bad++
			continue
		}
		sh.Rows[i].Calls = &calls
	}
}

// findTracer gives strace(1) if it may trace here.
func findTracer(ctx context.Context) (string, error) {
	tracer, err := exec.LookPath("strace")
	if err != nil {
		return "", err
	}
	_, err = output(exec.CommandContext(ctx, tracer, "-o", os.DevNull, "true"))
	return tracer, err
}

// tracedParts are the workload twice: with a few fetches for each connection,
// and with twice as many. Dripping bodies drip faster where there are fewer, so
// that as many pieces come at once.
func (s *session) tracedParts() (small, large workload) {
	const enough, mostBytes = 500, 200 << 20
	fetches := max(enough, 2*s.load.Conns)
	if s.load.drips() {
		fetches = enough
	}
	fetches = min(fetches, mostBytes/max(s.load.Size, 1), s.load.Fetches/2)
	small, large = s.load.part(fetches), s.load.part(2*fetches)
	small.Delay = s.load.Delay * time.Duration(small.Fetches) / time.Duration(s.load.Fetches)
	large.Delay = s.load.Delay * time.Duration(large.Fetches) / time.Duration(s.load.Fetches)
	return small, large
}

func (s *session) callsPerFetch(ctx context.Context, p peer, tracer string, small, large workload) (float64, error) {
	if p.discards != nil {
		calls, fetches, err := s.traceOnce(ctx, p, tracer, small)
		return float64(calls) / float64(fetches), err
	}
	few, fewer, err := s.traceOnce(ctx, p, tracer, small)
	if err != nil {
		return 0, err
	}
	many, more, err := s.traceOnce(ctx, p, tracer, large)
	if more == fewer {
		err = errors.Join(err, errors.New("too few fetches"))
	}
	return float64(many-few) / float64(more-fewer), err
}

// traceOnce counts the calls of a run, of all its threads.
func (s *session) traceOnce(ctx context.Context, p peer, tracer string, load workload) (calls, fetches int, err error) {
	log := filepath.Join(s.dir, "calls")
	used, err := s.runOnce(ctx, p, load, tracer, "-f", "-c", "-o", log)
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return 0, 0, err
	}
	calls, err = totalCalls(string(text))
	return calls, used.Fetches, err
}

// totalCalls reads the last line of strace's summary: share, seconds,
// microseconds a call, calls, errors if there were any, and "total".
func totalCalls(summary string) (int, error) {
	for line := range strings.Lines(summary) {
		columns := strings.Fields(line)
		if len(columns) >= 5 && columns[len(columns)-1] == "total" {
			return strconv.Atoi(columns[3])
		}
	}
	return 0, errors.New("strace's summary has no total")
}
