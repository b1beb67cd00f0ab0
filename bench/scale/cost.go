package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

// costPart is the word that makes this program a client of many fetches in a
// row.
const costPart = "cost"

const (
	window    = 1000 // fetches that are measured together
	costConns = 64   // at once
)

// series is what the part is to do.
type series struct {
	Fetches int
	Address string // of the small bodies
	Folder  string
}

// cost is what a window of fetches took.
type cost struct{ CPU, Wall time.Duration }

// startCost runs this program as a client of so many fetches.
func startCost(ctx context.Context, work string, fetches int) (windows []cost, err error) {
	s, err := startServer(ctx, serverCore)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	out, err := os.MkdirTemp(work, "out-")
	if err != nil {
		return nil, err
	}
	err = startPart(ctx, costPart, series{fetches, s.Address(), out}, &windows)
	return windows, err
}

// runCost is the client process. It saves each body under a name of its own, as
// a run over a list does, and removes it at once: what a folder of a hundred
// thousand files costs is the file system's affair.
func runCost(ctx context.Context, args []string) error {
	var s series
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return err
	}
	f, err := fetch.New(fetch.Options{MaxConns: costConns, MaxPerHost: costConns, Sink: save.Dir(s.Folder)})
	if err != nil {
		return err
	}
	defer f.Close()
	var windows []cost
	done, last := 0, usage()
	for res, err := range f.Fetch(ctx, s.requests) {
		if err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(s.Folder, res.Name)); err != nil {
			return err
		}
		if done++; done%window == 0 {
			now := usage()
			windows = append(windows, cost{now.CPU - last.CPU, now.Wall - last.Wall})
			last = now
		}
	}
	return json.NewEncoder(os.Stdout).Encode(windows)
}

func (s series) requests(yield func(fetch.Request) bool) {
	for i := range s.Fetches {
		if !yield(fetch.Request{URL: smallURL(s.Address, i)}) {
			return
		}
	}
}

// start is when this process began, as far as windows are concerned.
var start = time.Now()

// usage is what this process has used up to now (getrusage(2)).
func usage() cost {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // it fails of wrong arguments only
	}
	return cost{time.Duration(r.Utime.Nano() + r.Stime.Nano()), time.Since(start)}
}

// costTable writes what a fetch costs by how many there were before it: the
// first windows, tenths of them all, the last.
func costTable(all []cost) string {
	var out strings.Builder
	out.WriteString("| fetches | CPU, µs each | wall, µs each | CPU ÷ that of the second |\n|---|---|---|---|\n")
	row := func(first, last int) {
		c, second := medianCost(all[first:last]), all[1]
		fmt.Fprintf(&out, "| %d–%d | %.1f | %.1f | %.2f |\n", first*window+1, last*window,
			c.CPU.Seconds()*1e6/window, c.Wall.Seconds()*1e6/window, float64(c.CPU)/float64(second.CPU))
	}
	row(0, 1)
	row(1, 2)
	for tenth := range 10 {
		row(tenth*len(all)/10, (tenth+1)*len(all)/10)
	}
	row(len(all)-1, len(all))
	return out.String()
}

// medianCost is the median window, of CPU and of wall.
func medianCost(windows []cost) cost {
	middle := func(of func(cost) time.Duration) time.Duration {
		var all []time.Duration
		for _, w := range windows {
			all = append(all, of(w))
		}
		slices.Sort(all)
		return quantile(all, 50)
	}
	return cost{middle(func(c cost) time.Duration { return c.CPU }), middle(func(c cost) time.Duration { return c.Wall })}
}
