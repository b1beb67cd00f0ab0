package main

import (
	"context"
	"os/exec"
	"runtime"
)

// The processors that pinned knows.
const (
	serverCore = "0" // the server of the drips
	clientCore = "1" // everything else
)

// canPin is whether there are two processors, and taskset to tell them apart.
var canPin = func() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && runtime.NumCPU() > 1
}()

// pinning says where things run.
func pinning() string {
	if canPin {
		return "the drips' server on processor " + serverCore + ", all else on " + clientCore
	}
	return "not pinned: servers and client take each other's time"
}

// pinned is a command on one processor. taskset becomes the program by execve,
// so the process is the program's.
func pinned(ctx context.Context, core, program string, args ...string) *exec.Cmd {
	if !canPin {
		return exec.CommandContext(ctx, program, args...)
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", core, program}, args...)...)
}
