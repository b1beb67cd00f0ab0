//go:build linux

// Command steps counts the instructions of a fetch, one by one.
//
//	go run ./bench/steps [-program FILE] [-fetches 100] [-conns 4] [-size 10240] [-top 25]
//
// Times differ from run to run, and virtual machines seldom let a processor
// count. Here the loop's thread is stopped after each instruction (ptrace(2),
// PTRACE_SINGLESTEP), so the number is exact and says which function it was in;
// what the kernel does in a system call counts as one. It takes up to a minute and
// more for a million.
//
// The program is shoal, in whichever build. It fetches small bodies over
// connections that are kept alive, and discards them: as slow as it is here,
// files would look like those of a slow disk and be left to workers. Its other
// threads stand still meanwhile, and it collects no garbage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/shoalfetch/shoal/bench/build"
)

type options struct {
	program              string
	fetches, conns, size int
	top                  int
}

func main() {
	var o options
	flag.StringVar(&o.program, "program", "", "the `file` to run (shoal, built from this tree)")
	flag.IntVar(&o.fetches, "fetches", 100, "fetches to count")
	flag.IntVar(&o.conns, "conns", 4, "connections at a time")
	flag.IntVar(&o.size, "size", 10<<10, "bytes of a body")
	flag.IntVar(&o.top, "top", 25, "functions to name")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context, out io.Writer) error {
	if o.fetches < 1 || o.conns < 1 || o.size < 0 || flag.NArg() > 0 {
		return fmt.Errorf("at least one fetch and one connection, bodies of 0 bytes or more, and nothing but flags")
	}
	work, err := os.MkdirTemp("", "steps")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if o.program == "" {
		if o.program, err = build.Shoal(ctx, work); err != nil {
			return err
		}
	}
	names, err := readFunctions(o.program)
	if err != nil {
		return err
	}
	s, err := newServer(o.size, o.warmUp())
	if err != nil {
		return err
	}
	defer s.close()
	counted, err := o.count(ctx, s, work)
	if err != nil {
		return err
	}
	return names.report(out, counted, o.top)
}

// warmUp is how many fetches come first, until nothing is done for the first
// time.
func (o options) warmUp() int { return 100 + 10*o.conns }

// count runs the program and steps its first thread, which is the loop's, from
// the moment the server has warmed it up.
func (o options) count(ctx context.Context, s *server, work string) (*count, error) {
	list := filepath.Join(work, "list")
	var urls strings.Builder
	for i := range 2*o.warmUp() + o.fetches {
		fmt.Fprintf(&urls, "%s/%06d.jpg\n", s.url, i)
	}
	if err := os.WriteFile(list, []byte(urls.String()), 0o600); err != nil {
		return nil, err
	}
	conns := strconv.Itoa(o.conns)
	program := exec.CommandContext(ctx, o.program, "-s", "-i", list, "-o", os.DevNull, "-j", conns, "--max-per-host", conns)
	program.Env = append(os.Environ(), "GOGC=off")
	program.Stderr = os.Stderr
	if err := program.Start(); err != nil {
		return nil, err
	}
	runtime.LockOSThread() // whose requests ptrace obeys
	defer runtime.UnlockOSThread()
	counted, err := s.step(ctx, program.Process.Pid, o.fetches)
	if err != nil {
		_ = program.Process.Kill()
		reap() // and not program.Wait: it would wait for the first thread alone
		return nil, err
	}
	return counted, program.Wait()
}
