package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
)

// drips are bodies that come slowly, all at once.
type drips struct {
	Conns     int
	Delay     time.Duration // between two pieces
	Saved     bool          // each in a file; else thrown away
	Addresses []string      // of their servers

	servers []*origin.Server
}

// How a body drips.
const (
	pieceBytes = 100
	pieces     = 20
)

// start starts the servers.
func (d *drips) start(ctx context.Context) error {
	d.servers, d.Addresses = nil, nil
	for range (d.Conns + connsEach - 1) / connsEach {
		s, err := startServer(ctx, serverCore)
		if err != nil {
			d.stop()
			return err
		}
		d.servers = append(d.servers, s)
		d.Addresses = append(d.Addresses, s.Address())
	}
	return nil
}

func (d *drips) stop() {
	for _, s := range d.servers {
		s.Stop()
	}
}

// url is that of number i.
func (d *drips) url(i int) string {
	s := origin.At(d.Addresses[i%len(d.Addresses)])
	return s.URL(i, pieces*pieceBytes, pieceBytes, d.Delay)
}

// lasts is how long each takes, at least.
func (d *drips) lasts() time.Duration { return (pieces - 1) * d.Delay }

func (d *drips) String() string {
	switch {
	case d.Conns == 0:
		return "alone"
	case d.Saved:
		return fmt.Sprintf("%d drips, saved", d.Conns)
	}
	return fmt.Sprintf("%d drips", d.Conns)
}

// withinLimit is as many connections of those that are wanted as there are
// descriptors for (getrlimit(2)), with some for everything else.
func withinLimit(conns int) int {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(conns+others) <= uint64(limit.Cur) {
		return conns
	}
	most := max(2, int(limit.Cur)-others)
	fmt.Fprintf(os.Stderr, "scale: %d connections, not %d: the descriptor limit is %d (ulimit -n)\n", most, conns, limit.Cur)
	return most
}
