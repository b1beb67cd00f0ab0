package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// session is what all runs share.
type session struct {
	work  string // the workspace
	held  ballast
	load  workload
	peers []peer
	port  int
}

// runRounds runs each peer once a round, each in turn as the first, and counts
// the runs that were bad.
func (s *session) runRounds(ctx context.Context, rounds int) (results []result, bad int) {
	for _, p := range s.peers {
		results = append(results, newResult(p.name, rounds))
	}
	for round := range rounds {
		for turn := range s.peers {
			i := (round + turn) % len(s.peers)
			used, err := s.runOnce(ctx, s.peers[i])
			if ctx.Err() != nil {
				return results, bad
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: round %d: %s does not count: %v\n", round+1, s.peers[i].name, err)
				bad++
				continue
			}
			results[i].perFetch[round] = used.Seconds() / float64(s.load.fetches)
		}
	}
	return results, bad
}

// runOnce has a peer fetch everything into a fresh folder, and gives the
// processor time it used if what it saved is right.
func (s *session) runOnce(ctx context.Context, p peer) (time.Duration, error) {
	const limit = 5 * time.Minute
	out, err := os.MkdirTemp(s.work, "out-")
	if err != nil {
		return 0, err
	}
	list := filepath.Join(s.work, p.name+".list")
	if err := s.load.writeList(list, s.port, p.line); err != nil {
		return 0, err
	}
	if err := s.held.release(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	command := pinned(ctx, clientCore, p.program, p.args(job{s.load, s.port, list, out})...)
	if said, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, said)
	}
	used := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return used, s.load.verify(out, filesDir(s.work))
}

// The processors that pinned knows.
const (
	serverCore = "0"
	clientCore = "1"
)

// canPin is whether server and clients can have a processor of their own each.
var canPin = func() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && runtime.NumCPU() > 1
}()

// pinning says where things run.
func pinning() string {
	if canPin {
		return "server on processor " + serverCore + ", clients on " + clientCore
	}
	return "server and clients not pinned"
}

// pinned is a command on one processor. taskset becomes the program by execve,
// so the process and its times are the program's.
func pinned(ctx context.Context, core, program string, args ...string) *exec.Cmd {
	if !canPin {
		return exec.CommandContext(ctx, program, args...)
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", core, program}, args...)...)
}
