package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
)

// The processors of the two sides.
const (
	serverCore = 0
	clientCore = 1
)

// canPin is whether server and clients can have a processor of their own each.
var canPin = runtime.NumCPU() > 1

// launcher starts all other programs, by launch/launch.c.
type launcher struct {
	program string
	pins    bool // server and clients have a processor of their own each
}

// newLauncher is for the runs of a workload. One of several loops is not pinned:
// server and client have several threads each.
func newLauncher(program string, load workload) launcher {
	return launcher{program, canPin && load.Hosts < 2}
}

func (l launcher) command(ctx context.Context, mode string, core int, program string, args []string) *exec.Cmd {
	if !l.pins {
		core = -1
	}
	command := exec.CommandContext(ctx, l.program, append([]string{mode, strconv.Itoa(core), program}, args...)...)
	command.Env = append(os.Environ(), "no_proxy=*", "NO_PROXY=*")
	return command
}

// server is a command that becomes the program.
func (l launcher) server(ctx context.Context, program string, args ...string) *exec.Cmd {
	return l.command(ctx, "-e", serverCore, program, args)
}

// measure runs a client to its end and gives what it used, and what it said.
func (l launcher) measure(ctx context.Context, program string, args ...string) (figures, []byte, error) {
	report, reportEnd, err := os.Pipe()
	if err != nil {
		return figures{}, nil, err
	}
	defer report.Close()
	command := l.command(ctx, "-m", clientCore, program, args)
	command.ExtraFiles = []*os.File{reportEnd} // becomes descriptor 3
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err = command.Run()
	reportEnd.Close()
	if err != nil {
		return figures{}, nil, fmt.Errorf("%w\n%s", err, said.Bytes())
	}
	line, err := io.ReadAll(report)
	if err != nil {
		return figures{}, nil, err
	}
	used, err := parseReport(string(line))
	return used, said.Bytes(), err
}

// figures are what a run of a client came to.
type figures struct {
	Fetches   int
	CPU, Wall time.Duration // CPU is user and system time of the whole process
	Peak      int           // bytes of the largest resident set
	Switches  int           // of context, of any kind
}

func parseReport(line string) (figures, error) {
	var wall, user, system, kilobytes, voluntary, other int
	if _, err := fmt.Sscan(line, &wall, &user, &system, &kilobytes, &voluntary, &other); err != nil {
		return figures{}, errors.Join(errors.New("no report of the launcher"), err)
	}
	return figures{
		CPU:      time.Duration(user+system) * time.Microsecond,
		Wall:     time.Duration(wall),
		Peak:     kilobytes << 10,
		Switches: voluntary + other,
	}, nil
}
