package main

import "syscall"

// statusSignals ask for a line about where the run stands.
var statusSignals = []syscall.Signal{syscall.SIGUSR1}
