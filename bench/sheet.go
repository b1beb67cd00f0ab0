package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// sheet has what the peers came to in one workload.
type sheet struct {
	Load workload
	Rows []row
}

// row is a peer's runs, by round; nil where one did not count.
type row struct {
	Peer  string
	Runs  []*figures
	Calls *float64 `json:",omitempty"` // system calls a fetch, if they were counted
}

func newSheet(load workload, peers []peer, rounds int) sheet {
	s := sheet{Load: load}
	for _, p := range peers {
		s.Rows = append(s.Rows, row{Peer: p.name, Runs: make([]*figures, rounds)})
	}
	return s
}

// row finds a peer's, or an empty one.
func (s *sheet) row(peer string) row {
	if i := slices.IndexFunc(s.Rows, func(r row) bool { return r.Peer == peer }); i >= 0 {
		return s.Rows[i]
	}
	return row{Peer: peer}
}

// base is the row that the others are divided by: the floor's or, where there is
// none, shoal's.
func (s *sheet) base() row {
	if floor := s.row(floorName); floor.counts() {
		return floor
	}
	return s.row(shoalName)
}

// counts says whether some run of the row counted.
func (r row) counts() bool {
	return slices.ContainsFunc(r.Runs, func(run *figures) bool { return run != nil })
}

// sample is one figure by round; NaN where the run did not count.
type sample []float64

// of takes one figure of each run.
func (r row) of(figure func(*figures) float64) sample {
	s := make(sample, len(r.Runs))
	for i, run := range r.Runs {
		s[i] = math.NaN()
		if run != nil {
			s[i] = figure(run)
		}
	}
	return s
}

// The figures that tables have, in their units.
func cpuPerFetch(f *figures) float64      { return f.CPU.Seconds() * 1e6 / float64(f.Fetches) } // µs
func wall(f *figures) float64             { return f.Wall.Seconds() }
func peak(f *figures) float64             { return float64(f.Peak) / 1e6 } // MB
func switchesPerFetch(f *figures) float64 { return float64(f.Switches) / float64(f.Fetches) }

// cpuOver divides one row's processor time by another's, round by round.
func (r row) cpuOver(other row) sample { return r.of(cpuPerFetch).over(other.of(cpuPerFetch)) }

func (s sample) over(other sample) sample {
	ratio := make(sample, len(s))
	for i := range ratio {
		ratio[i] = math.NaN()
		if i < len(other) {
			ratio[i] = s[i] / other[i]
		}
	}
	return ratio
}

// spread gives median, lowest and highest of the rounds that counted.
func (s sample) spread() (median, low, high float64, ok bool) {
	counted := slices.DeleteFunc(slices.Clone(s), math.IsNaN)
	if len(counted) == 0 {
		return 0, 0, 0, false
	}
	slices.Sort(counted)
	n := len(counted)
	return (counted[(n-1)/2] + counted[n/2]) / 2, counted[0], counted[n-1], true
}

// write writes the median and, in parentheses, the lowest and the highest.
func (s sample) write(format string) string {
	median, low, high, ok := s.spread()
	if !ok {
		return "–"
	}
	return fmt.Sprintf(strings.ReplaceAll("N (N–N)", "N", format), median, low, high)
}

// writeMedian writes that alone.
func (s sample) writeMedian(format string) string {
	median, _, _, ok := s.spread()
	if !ok {
		return "–"
	}
	return fmt.Sprintf(format, median)
}
