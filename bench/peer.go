package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// peer is a client under comparison: a row of the table.
type peer struct {
	name string

	// build makes the program, in the workspace, or finds it on the machine. An
	// exec.ErrNotFound leaves the peer out.
	build   func(ctx context.Context, work string) (program string, err error)
	program string

	// line is how a URL stands in the list that the program reads.
	line func(url string) string

	// args has the program fetch the list into the folder, quietly.
	args func(run job) []string
}

// job is what a peer is told of a run.
type job struct {
	workload
	port int    // of the server, on 127.0.0.1
	list string // a file with a line for each URL
	out  string // an empty folder
}

// floorName is the peer that the others are divided by.
const floorName = "floor"

// peers are all there are.
var peers = []peer{
	{
		name:  floorName,
		build: buildFloor,
		line:  plainLine,
		args: func(run job) []string {
			mode := "-k"
			if run.newConns {
				mode = "-n"
			}
			return []string{mode, strconv.Itoa(run.port), strconv.Itoa(run.conns), run.out, run.list}
		},
	},
	{
		name:  "shoal",
		build: buildShoal,
		line:  plainLine,
		args: func(run job) []string {
			conns := strconv.Itoa(run.conns)
			return []string{"-i", run.list, "-d", run.out, "-j", conns, "--max-per-host", conns, "-s"}
		},
	},
	{
		name:  "curl",
		build: func(context.Context, string) (string, error) { return exec.LookPath("curl") },
		line:  func(url string) string { return fmt.Sprintf("url = %q\n", url) },
		args: func(run job) []string {
			return []string{"-s", "-f", "-Z", "--parallel-max", strconv.Itoa(run.conns), "--parallel-immediate",
				"--remote-name-all", "--output-dir", run.out, "-K", run.list}
		},
	},
}

func plainLine(url string) string { return url + "\n" }

func peerNames() []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

func choosePeers(names []string) ([]peer, error) {
	var chosen []peer
	for _, name := range names {
		i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no peer %q, only %v", name, peerNames())
		}
		chosen = append(chosen, peers[i])
	}
	return chosen, nil
}

//go:embed floor/floor.c
var floorSource []byte

func buildFloor(ctx context.Context, work string) (string, error) {
	source, program := filepath.Join(work, "floor.c"), filepath.Join(work, "floor")
	if err := os.WriteFile(source, floorSource, 0o600); err != nil {
		return "", err
	}
	return program, runBuild(exec.CommandContext(ctx, "cc", "-O2", "-o", program, source))
}

func buildShoal(ctx context.Context, work string) (string, error) {
	program := filepath.Join(work, "shoal")
	return program, runBuild(exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/shoalfetch/shoal/cmd/shoal"))
}

func runBuild(command *exec.Cmd) error {
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}
