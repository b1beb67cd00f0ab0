// Command scale measures shoal with many slow connections open at once: what
// each costs in memory and processor time, and what they do to a fast fetch
// beside them.
//
//	go run ./bench/scale [-conns 9000]
//
// A server in a process of its own sends each body in pieces of 100 bytes, one
// every 500 ms. Memory is the command's: what it has resident with all
// connections less what it has with one, half-way, when all of them wait, and
// at its peak, which is at the end, when all results come at once.
//
// Latency is the library's: the same program, run as a client, fetches small
// bodies one after another, first alone, then while the same loop has the
// drips. The server of the drips has a processor of its own where taskset can
// give it one: what it does to its neighbours is not the loop's doing.
//
// It needs /proc, so Linux, and two descriptors a connection: see ulimit -n.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
)

// limit bounds the whole run.
const limit = 90 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := play(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// play does this process's part: the measurement's own, or, started by it with
// a word in front, the server's or a client's.
func play(ctx context.Context, args []string) error {
	if len(args) > 1 {
		switch args[0] {
		case origin.Part:
			return origin.Serve(args[1])
		case probePart:
			return runProbe(ctx, args[1:])
		}
	}
	conns := flag.Int("conns", 9000, "connections that drip at once")
	flag.Parse()
	if flag.NArg() > 0 || *conns < 2 {
		return errors.New("no arguments, and -conns of at least 2 (see -help)")
	}
	return measure(ctx, *conns)
}

// measure takes all measurements and prints them.
func measure(ctx context.Context, conns int) error {
	work, err := newWorkspace()
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	shoal, err := buildShoal(ctx, work)
	if err != nil {
		return err
	}

	one, err := holdDrips(ctx, shoal, work, 1)
	if err != nil {
		return err
	}
	many, err := holdDrips(ctx, shoal, work, conns)
	if err != nil {
		return err
	}
	alone, err := probeAlone(ctx, work)
	if err != nil {
		return err
	}
	beside, err := probeBeside(ctx, work, conns)
	if err != nil {
		return err
	}
	fmt.Print(pinning(), "\n\n", memoryTable(one, many), "\n", latencyTable(alone, beside))
	return nil
}
