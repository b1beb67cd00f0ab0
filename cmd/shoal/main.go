// The command shoal fetches many URLs at once, on one thread.
package main

import (
	"os"
	"runtime"
)

func main() {
	// The loop must stay on one thread, so that one thread makes all socket
	// calls; without this the scheduler moves it at every long wait.
	runtime.LockOSThread()
	collectOften()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// spareProcessor sees to it that Go has one processor more than there are loops,
// even on a machine with fewer: the loops hold theirs while they wait, and
// signals, lookups and the garbage collector are not to wait for them.
func spareProcessor(loops int) {
	if runtime.GOMAXPROCS(0) <= loops {
		runtime.GOMAXPROCS(loops + 1)
	}
}
