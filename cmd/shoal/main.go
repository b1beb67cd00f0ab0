// The command shoal fetches many URLs at once, on one thread.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

func main() {
	// The loop must stay on one thread, so that one thread makes all socket
	// calls; without this the scheduler moves it at every long wait.
	runtime.LockOSThread()
	collectOften()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// collectOften makes the garbage collector run when there is a quarter more than
// what lives: that is the connections, they make little garbage, and it costs
// nothing that shows. It does so from the first collection on, which comes at 4
// MB (GOGC in the documentation of package runtime): a run of few fetches ends
// before it, and a collection would be a fifth of its time.
func collectOften() {
	garbage := new([64]byte)
	runtime.AddCleanup(garbage, func(percent int) { debug.SetGCPercent(percent) }, 25)
}

// spareProcessor sees to it that Go has one processor more than there are loops,
// even on a machine with fewer: the loops hold theirs while they wait, and
// signals, lookups and the garbage collector are not to wait for them.
func spareProcessor(loops int) {
	if runtime.GOMAXPROCS(0) <= loops {
		runtime.GOMAXPROCS(loops + 1)
	}
}
