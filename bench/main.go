// Command bench compares what clients spend of their processor on a fetch:
// user and system time of the whole client process, divided by the number of
// files it saved.
//
//	go run ./bench [-rounds 7] [-fetches 20000] [-size 10240] [-conns 64] [-new] [-peers floor,shoal]
//
// The floor is a bare loop in C that makes the kernel calls of the job and no
// others (floor/floor.c); the other rows are divided by it. Clients take turns
// in each round, so that what changes on the machine meanwhile changes all.
// Server and clients have a processor of their own each where taskset can give
// it, and all files are in memory where there is /dev/shm.
//
// A run counts only if all its files are there, byte for byte. They are deleted
// after the last run: a file system that has just deleted many files makes new
// ones more slowly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var load workload
	flag.IntVar(&load.fetches, "fetches", 20_000, "files to fetch in a run")
	flag.IntVar(&load.size, "size", 10_240, "bytes of a file")
	flag.IntVar(&load.conns, "conns", 64, "connections at a time")
	flag.BoolVar(&load.newConns, "new", false, "a new connection for each fetch")
	rounds := flag.Int("rounds", 7, "runs of each peer")
	names := flag.String("peers", "floor,shoal", "the peers to run, of "+strings.Join(peerNames(), ", "))
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || load.fetches < 1 || load.conns < 1 || load.size < 0 {
		return errors.New("no arguments, and flags of at least 1 (see -help)")
	}
	chosen, err := choosePeers(strings.Split(*names, ","))
	if err != nil {
		return err
	}

	work, inMemory, err := newWorkspace(load.bytes() * (1 + *rounds*len(chosen)))
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	s := &session{work: work, load: load}
	if s.peers, err = buildPeers(ctx, chosen, work); err != nil {
		return err
	}
	if err := load.writeFiles(filesDir(work)); err != nil {
		return err
	}
	if inMemory {
		if s.held, err = holdMemory(work, *rounds*len(s.peers), load.bytes()); err != nil {
			return err
		}
	}
	server, err := startServer(ctx, work, load)
	if err != nil {
		return err
	}
	defer server.stop()
	s.port = server.port

	results, bad := s.runRounds(ctx, *rounds)
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Printf("%s, %d rounds, %s\n\n%s", load, *rounds, pinning(), table(results))
	if bad > 0 {
		return fmt.Errorf("%d runs did not count", bad)
	}
	return nil
}

// buildPeers builds the peers, and leaves out, aloud, those that this machine
// lacks the program for.
func buildPeers(ctx context.Context, chosen []peer, work string) ([]peer, error) {
	var built []peer
	for _, p := range chosen {
		program, err := p.build(ctx, work)
		if errors.Is(err, exec.ErrNotFound) {
			fmt.Fprintf(os.Stderr, "bench: WITHOUT %s: %v\n", p.name, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", p.name, err)
		}
		p.program = program
		built = append(built, p)
	}
	if len(built) == 0 {
		return nil, errors.New("no peer to run")
	}
	return built, nil
}
