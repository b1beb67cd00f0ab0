//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

var errEnded = errors.New("the program ended before it had made all its fetches")

// count is how often each instruction was executed, by its address, while so many
// requests were made.
type count struct {
	at       map[uint64]int
	requests int
}

// settle is how long a program is given to find that there is nothing to do. Until
// then its threads hand work to each other, and one that stands still in the middle
// of that would keep another waiting for ever.
const settle = 50 * time.Millisecond

// step lets the first thread of a process take one instruction after another,
// and counts them until the server has been asked so many times.
func (s *server) step(ctx context.Context, process, fetches int) (*count, error) {
	if err := s.awaitWarm(ctx, process); err != nil {
		return nil, err
	}
	time.Sleep(settle)
	threads, err := halt(process)
	defer letGo(threads)
	if ctx.Err() != nil {
		return nil, ctx.Err() // to attach to a thread that is being killed is not permitted either
	}
	if err != nil {
		return nil, err
	}
	s.release()
	counted, last := &count{map[uint64]int{}, fetches}, s.asked.Load()+int64(fetches)
	for s.asked.Load() < last {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var at syscall.PtraceRegs
		if err := syscall.PtraceGetRegs(process, &at); err != nil {
			return nil, fmt.Errorf("PTRACE_GETREGS: %w", err)
		}
		counted.at[at.PC()]++
		if err := single(process); err != nil {
			return nil, err
		}
	}
	return counted, nil
}

// awaitWarm returns when stepping is to begin.
func (s *server) awaitWarm(ctx context.Context, process int) error {
	for look := time.Tick(50 * time.Millisecond); ; {
		select {
		case <-s.warm:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-look:
			if got, _ := syscall.Wait4(process, nil, syscall.WNOHANG, nil); got == process {
				return errEnded
			}
		}
	}
}

// single has a thread take one step. Signals, which only Go's scheduler sends
// here, are kept from it.
func single(thread int) error {
	if err := syscall.PtraceSingleStep(thread); err != nil {
		return fmt.Errorf("PTRACE_SINGLESTEP: %w", err)
	}
	return awaitStop(thread)
}

// halt stops all threads of a process and gives those that it stopped. But for
// the first, nobody lets them go on before letGo.
func halt(process int) (threads []int, err error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		thread, err := strconv.Atoi(task.Name())
		if err != nil {
			return threads, err
		}
		if err := syscall.PtraceAttach(thread); err != nil {
			return threads, fmt.Errorf("PTRACE_ATTACH: %w", err)
		}
		threads = append(threads, thread)
		if err := awaitStop(thread); err != nil {
			return threads, err
		}
	}
	return threads, nil
}

// awaitStop waits for a thread to stop. It waits for all of them: a first thread
// that is killed has not ended before each of the others was waited for, and
// these are traced one by one (ptrace(2)).
func awaitStop(thread int) error {
	var status syscall.WaitStatus
	for {
		got, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		switch {
		case err == syscall.EINTR || err == nil && got != thread:
		case err != nil:
			return fmt.Errorf("wait4: %w", err)
		case !status.Stopped():
			return errEnded
		default:
			return nil
		}
	}
}

// reap waits for all threads of a program that was killed.
func reap() {
	for {
		if _, err := syscall.Wait4(-1, nil, syscall.WALL, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

func letGo(threads []int) {
	for _, thread := range threads {
		_ = syscall.PtraceDetach(thread)
	}
}
