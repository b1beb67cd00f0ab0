package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
)

// How a body drips, and how long one is that does not.
const (
	pieceBytes = 100
	pieceDelay = 500 * time.Millisecond
	pieces     = 20
	smallBytes = 1024
)

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

func drip(s *origin.Server, i int) string { return s.URL(i, pieces*pieceBytes, pieceBytes, pieceDelay) }
