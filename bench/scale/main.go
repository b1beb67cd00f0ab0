// Command scale measures what shoal costs when there is much of it: thousands
// of slow connections at once, and a hundred thousand fetches in a row.
//
//	go run ./bench/scale [-conns 9000] [-held 18000] [-fetches 101000]
//
// A server in a process of its own drips: it sends each body in pieces of 100
// bytes, one every 500 ms. Memory is the command's: what it has resident with
// all connections less what it has with one, half-way, when all of them wait,
// and at its peak, which is at the end, when all results come at once. Once the
// bodies are saved, which takes two descriptors a connection; once, with a
// piece a second, they are not, and there are as many connections as the
// descriptor limit allows, or -held.
//
// Latency is the library's: the same program, run as a client, fetches small
// bodies one after another, first alone, then while the same loop has the
// drips. The turns are those of that loop: from the return of one wait to the
// beginning of the next, by the clock on the wall, whatever else had the
// processor meanwhile.
//
// The cost of a fetch is the library's too, by how many there were before it.
//
// The server of the drips has a processor of its own where taskset can give it
// one: what it does to its neighbours is not the loop's doing. It needs /proc,
// so Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/bench/build"
	"github.com/shoalfetch/shoal/bench/origin"
)

// limit bounds the whole run.
const limit = 4 * time.Minute

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

// parts are what this program does when it was started by itself, with a word in
// front.
var parts = map[string]func(ctx context.Context, args []string) error{
	origin.Part: func(_ context.Context, args []string) error { return origin.Serve(args) },
	probePart:   runProbe,
	costPart:    runCost,
}

// play does this process's part: the measurement's own, or one of the parts.
func play(ctx context.Context, args []string) error {
	if len(args) > 1 && parts[args[0]] != nil {
		return parts[args[0]](ctx, args[1:])
	}
	s := size{delay: 500 * time.Millisecond, warmUps: 200}
	flag.IntVar(&s.conns, "conns", 9000, "connections that drip at once, with their bodies saved")
	flag.IntVar(&s.held, "held", 18_000, "connections that drip at once, with their bodies thrown away; fewer where the descriptor limit is lower")
	flag.IntVar(&s.fetches, "fetches", 101_000, "fetches in a row, in thousands")
	flag.Parse()
	if flag.NArg() > 0 || min(s.conns, s.held) < 2 || s.fetches < 20*window {
		return errors.New("no arguments, -conns and -held of at least 2, -fetches of at least 20000 (see -help)")
	}
	return s.measure(ctx, os.Stdout)
}

// size is how much is measured.
type size struct {
	conns, held, fetches int
	delay                time.Duration // between the pieces of a drip
	warmUps              int           // small fetches that come before those that count
}

// measure takes all measurements and prints them.
func (s size) measure(ctx context.Context, out io.Writer) error {
	work, err := newWorkspace()
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	shoal, err := build.Shoal(ctx, work)
	if err != nil {
		return err
	}
	fmt.Fprint(out, pinning(), "\n\n")
	none, one := &drips{Delay: s.delay}, &drips{Conns: 1, Delay: s.delay, Saved: true}
	saved := &drips{Conns: s.conns, Delay: s.delay, Saved: true}
	held := &drips{Conns: withinLimit(s.held), Delay: 2 * s.delay}

	var memory []holding
	for _, d := range []*drips{one, saved, held} {
		h, err := hold(ctx, shoal, work, d)
		if err != nil {
			return err
		}
		memory = append(memory, h)
	}
	fmt.Fprint(out, memoryTable(memory[0], memory[1:]...), "\n")

	var probes []probed
	for _, d := range []*drips{none, saved, held} {
		p, err := startProbe(ctx, work, d, s.warmUps)
		if err != nil {
			return err
		}
		probes = append(probes, p)
	}
	fmt.Fprint(out, latencyTable(probes), "\n", turnTable(probes), "\n")

	windows, err := startCost(ctx, work, s.fetches)
	if err != nil {
		return err
	}
	fmt.Fprint(out, costTable(windows))
	return nil
}
