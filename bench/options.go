package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// options are what the command line asks for.
type options struct {
	workloads []workload
	peers     []peer
	byName    bool // the peers were asked for by name: none may be left out
	rounds    int
	record    string
	read      string
	plot      string
}

func parseOptions(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	loads := flags.String("workloads", "", "comma-separated `names`, of "+names(workloads, workloadName)+" (all)")
	peerNames := flags.String("peers", "", "comma-separated `names`, of "+names(peers, peerName)+" (all that are installed)")
	flags.IntVar(&o.rounds, "rounds", 3, "runs of each peer")
	share := flags.Float64("share", 1, "part of each workload's fetches that is made")
	fetches := flags.Int("fetches", 0, "files to fetch in a run (the workload's)")
	size := flags.Int("size", 0, "bytes of a file (the workload's)")
	conns := flags.Int("conns", 0, "connections at a time (the workload's)")
	delay := flags.Duration("delay", 0, "time between the pieces of a dripping body (the workload's)")
	flags.StringVar(&o.record, "record", "", "append the figures of every run to this `file`, as lines of JSON")
	flags.StringVar(&o.read, "read", "", "run nothing, and show the figures of this `file`")
	flags.StringVar(&o.plot, "plot", "", "draw the comparison into this `file`, as SVG")
	flags.Parse(args)
	if flags.NArg() > 0 || o.rounds < 1 || *share <= 0 || *share > 1 || min(*fetches, *size, *conns, int(*delay)) < 0 {
		return nil, errors.New("no arguments, -rounds of at least 1, -share up to 1 (see -help)")
	}

	var err error
	if o.workloads, err = choose(workloads, workloadName, *loads); err != nil {
		return nil, err
	}
	o.byName = *peerNames != ""
	if o.peers, err = choose(peers, peerName, *peerNames); err != nil {
		return nil, err
	}
	for i := range o.workloads {
		w := &o.workloads[i]
		replace(&w.Fetches, *fetches)
		replace(&w.Size, *size)
		replace(&w.Conns, *conns)
		if w.drips() {
			replace(&w.Delay, *delay)
		}
		*w = w.part(int(*share * float64(w.Fetches)))
	}
	return o, nil
}

func workloadName(w workload) string { return w.Name }
func peerName(p peer) string         { return p.name }

// names writes those of a list.
func names[T any](all []T, name func(T) string) string {
	var out []string
	for _, one := range all {
		out = append(out, name(one))
	}
	return strings.Join(out, ",")
}

// choose takes what is named of a list, in the order of the list; with no
// names, everything.
func choose[T any](all []T, name func(T) string, list string) (chosen []T, err error) {
	if list == "" {
		return slices.Clone(all), nil
	}
	wanted := strings.Split(list, ",")
	for _, one := range all {
		if slices.Contains(wanted, name(one)) {
			chosen = append(chosen, one)
		}
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(chosen, func(one T) bool { return name(one) == w }) {
			return nil, fmt.Errorf("no %q, only %s", w, names(all, name))
		}
	}
	return chosen, nil
}

func replace[T comparable](field *T, value T) {
	var zero T
	if value != zero {
		*field = value
	}
}

// need is the most room that a workload takes: the served files, and the room
// of the runs.
func (o *options) need() (most int) {
	for _, w := range o.workloads {
		most = max(most, (1+rooms)*w.bytes())
	}
	return most
}
