package main

import (
	"context"
	"fmt"
	"os"

	"github.com/shoalfetch/shoal/bench/origin"
)

// connsEach is how many connections go to one address. Each takes a local port,
// and Linux looks for a free one among half of its 28,000, then among the other
// half: once the first is full a connect takes milliseconds, all of them the
// kernel's (__inet_hash_connect; ip(7), ip_local_port_range).
const connsEach = 10_000

// served counts the servers started, for their addresses.
var served int

// startServer starts a server on a loopback address that no other server of
// this run has: local ports that one run has used up are free for the next.
func startServer(ctx context.Context, core string) (*origin.Server, error) {
	served++
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return origin.Start(pinned(ctx, core, self, origin.Part, fmt.Sprintf("127.0.0.%d:0", served)))
}
