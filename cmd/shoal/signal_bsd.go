//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package main

import "syscall"

// statusSignals ask for a line about where the run stands; Ctrl-T sends INFO.
var statusSignals = []syscall.Signal{syscall.SIGUSR1, syscall.SIGINFO}
