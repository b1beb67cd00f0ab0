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
	// What lives is the connections, and they make little garbage: collecting at
	// a quarter more, not at twice as much, costs nothing that shows.
	debug.SetGCPercent(25)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
