// Command bench compares what clients spend on a fetch: processor time of the
// whole client process, time, memory, system calls and context switches.
//
//	go run ./bench                                 all workloads, all peers that are there
//	go run ./bench -workloads 10k,new -peers floor,shoal,curl -rounds 7
//	go run ./bench -record runs.json               keeps the figures of every run
//	go run ./bench -read runs.json -plot out.svg   runs nothing, shows what was kept
//
// The floor is a bare loop in C that makes the kernel calls of the job and no
// others (floor/floor.c); the other rows are divided by it, round by round. Of
// TLS there is no floor, and shoal takes its place.
// Clients take turns in each round, so that what changes on the machine
// meanwhile changes all. Server and clients have a processor of their own each,
// and a network namespace of their own where the system allows that; all files
// are in memory where there is /dev/shm.
//
// A run counts only if all its files are there, byte for byte.
//
// It needs Linux, nginx and a C compiler, and strace for the system calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/shoalfetch/shoal/bench/origin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := play(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// play does this process's part: the benchmark's own or, started by it with a
// word in front, the server's.
func play(ctx context.Context, args []string) error {
	if len(args) > 1 && args[0] == origin.Part {
		return origin.Serve(args[1:])
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	sheets, err := o.sheets(ctx)
	if len(sheets) > 0 {
		fmt.Print(ratioTables(sheets))
	}
	if err != nil || o.plot == "" {
		return err
	}
	return os.WriteFile(o.plot, []byte(plot(sheets)), 0o666)
}

// sheets are those of before, or new ones.
func (o *options) sheets(ctx context.Context) ([]sheet, error) {
	if o.read == "" {
		return o.measure(ctx)
	}
	sheets, err := readRecords(o.read, o.workloads)
	for i := range sheets {
		show(&sheets[i])
	}
	return sheets, err
}

func show(s *sheet) { fmt.Printf("%s: %s\n\n%s\n", s.Load.Name, s.Load, s.table()) }

// measure does all workloads and shows each when it is done.
func (o *options) measure(ctx context.Context) (sheets []sheet, err error) {
	work, inMemory, err := newWorkspace(o.need())
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	launch, err := buildLaunch(ctx, work)
	if err != nil {
		return nil, err
	}
	peers, err := buildPeers(ctx, o.peers, o.byName, work)
	if err != nil {
		return nil, err
	}
	alone := isolate()
	fmt.Printf("%d rounds, %s, %s\n\n", o.rounds, pinning(), network(alone))
	loads, err := withDescriptors(o.workloads)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(os.Stderr, leftOut(peers, loads))
	bad := 0
	for _, load := range loads {
		s, err := o.measureOne(ctx, newLauncher(launch, load), work, inMemory, load, peers, &bad)
		if err != nil {
			return sheets, err
		}
		show(&s)
		sheets = append(sheets, s)
	}
	if bad > 0 {
		return sheets, fmt.Errorf("%d runs did not count", bad)
	}
	return sheets, nil
}

// measureOne does one workload and takes its files away.
func (o *options) measureOne(ctx context.Context, launch launcher, work string, inMemory bool, load workload, all []peer, bad *int) (sheet, error) {
	s, err := openSession(ctx, launch, work, inMemory, load)
	if err != nil {
		return sheet{}, err
	}
	peers := fit(all, load)
	sh := s.runRounds(ctx, peers, o.rounds)
	s.countCalls(ctx, peers, &sh)
	*bad += s.bad
	if err := errors.Join(s.close(), ctx.Err()); err != nil || o.record == "" {
		return sh, err
	}
	return sh, record(o.record, sh)
}

// pinning says where things run.
func pinning() string {
	if canPin {
		return fmt.Sprintf("server on processor %d, clients on %d", serverCore, clientCore)
	}
	return "server and clients on the same processor"
}

func network(err error) string {
	if err != nil {
		return fmt.Sprintf("in the machine's network namespace (%v)", err)
	}
	return "in a network namespace of their own"
}
