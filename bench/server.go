package main

import (
	"context"
	"net"
	"os"
	"strconv"

	"github.com/shoalfetch/shoal/bench/origin"
)

// server has the files of a workload.
type server interface {
	port() int // on 127.0.0.1
	url(i int) string
	stop()
}

// dripping is this program as a server, in a process of its own.
type dripping struct {
	*origin.Server
	load workload
}

func startDripping(ctx context.Context, launch launcher, load workload, proof certificate) (*dripping, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{origin.Part, "127.0.0.1:0"}
	if load.TLS {
		args = append(args, proof.chain, proof.key)
	}
	s, err := origin.Start(launch.server(ctx, self, args...))
	if err != nil {
		return nil, err
	}
	return &dripping{s, load}, nil
}

func (d *dripping) port() int {
	_, port, _ := net.SplitHostPort(d.Address())
	n, _ := strconv.Atoi(port)
	return n
}

func (d *dripping) url(i int) string { return d.URL(i, d.load.Size, d.load.Piece, d.load.Delay) }

func (d *dripping) stop() { d.Stop() }
