package main

import (
	"context"
	"fmt"
	"os"

	"github.com/shoalfetch/shoal/bench/origin"
)

// connsEach is how many connections go to one address. Each takes a local port of
// 28,000 (ip(7), ip_local_port_range), and Linux looks among half of them first:
// from the 14,000th to one address on, a connect took a millisecond of processor
// time, not 20 µs. With two addresses none of 18,000 did.
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
