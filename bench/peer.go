package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/shoalfetch/shoal/bench/build"
)

// peer is a client under comparison: a row of the tables.
type peer struct {
	name string

	// build makes the program, in the workspace, or finds it on the machine. An
	// exec.ErrNotFound leaves the peer out.
	build   func(ctx context.Context, work string) (program string, err error)
	program string

	// line is how a URL stands in the list that the program reads.
	line func(url string) string

	// args has the program fetch the list into the folder, quietly.
	args func(run job) []string

	// unfit says why a workload is not for this peer; empty, or nil: it is.
	unfit func(p peer, load workload) string

	// discards is for a peer that saves nothing: how many bodies it says that it
	// has fetched. Nil: what is in the folder is verified.
	discards func(said []byte, load workload) (fetches int, err error)

	// yardstick: not what one would fetch with. It is left out of pictures.
	yardstick bool
}

// job is what a peer is told of a run.
type job struct {
	workload
	port      int    // of the server, on 127.0.0.1
	first     string // the first URL
	list      string // a file with a line for each URL
	out       string // an empty folder
	authority string // a PEM file that says whom to believe; empty without TLS
}

func (j job) conns() string { return strconv.Itoa(j.Conns) }

// believing appends an option and the authority's file, if there is one.
func (j job) believing(args []string, option string) []string {
	if j.authority == "" {
		return args
	}
	return append(args, option, j.authority)
}

// The names that the tables look for.
const (
	floorName = "floor" // the peer that the others are divided by
	shoalName = "shoal" // the peer that is divided by the others
)

// peers are all there are. Configuration files of the user are not read.
var peers = []peer{
	{name: floorName, build: buildFloor, line: plainLine, args: floorArgs(), unfit: notForFloor},
	{name: "floor-plain", build: buildFloor, line: plainLine, args: floorArgs("-p"), unfit: notForFloor, yardstick: true},
	{name: "floor-splice", build: buildFloor, line: plainLine, args: floorArgs("-s"), unfit: nothingToSplice, yardstick: true},
	{name: shoalName, build: build.Shoal, line: plainLine, args: shoalArgs},
	{name: "shoal-loops", build: build.Shoal, line: plainLine, args: loopsArgs, unfit: oneHost},
	{name: "fasthttp", build: buildPeer("fasthttp"), line: plainLine, args: peerArgs},
	{name: "net/http", build: buildPeer("nethttp"), line: plainLine, args: peerArgs},
	{name: "curl", build: find("curl"), line: curlLine, args: curlArgs, unfit: tooManyForCurl},
	{name: "wget2", build: find("wget2"), line: plainLine, args: wgetArgs},
	{name: "aria2c", build: find("aria2c"), line: plainLine, args: ariaArgs},
	{name: "wrk", build: find("wrk"), line: plainLine, args: wrkArgs, unfit: noListForWrk, discards: wrkFetches, yardstick: true},
}

// fit are the peers that a workload is for.
func fit(all []peer, load workload) (fit []peer) {
	for _, p := range all {
		if p.unfit == nil || p.unfit(p, load) == "" {
			fit = append(fit, p)
		}
	}
	return fit
}

// leftOut says of each peer in which workloads it is left out, and why.
func leftOut(all []peer, loads []workload) string {
	var out strings.Builder
	for _, p := range all {
		var reasons []string
		without := map[string][]string{} // by reason
		for _, load := range loads {
			if p.unfit == nil {
				continue
			}
			reason := p.unfit(p, load)
			if reason == "" {
				continue
			}
			if without[reason] == nil {
				reasons = append(reasons, reason)
			}
			without[reason] = append(without[reason], load.Name)
		}
		for _, reason := range reasons {
			fmt.Fprintf(&out, "bench: WITHOUT %s in %s: %s\n", p.name, strings.Join(without[reason], ", "), reason)
		}
	}
	return out.String()
}

func plainLine(url string) string { return url + "\n" }

func find(name string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return exec.LookPath(name) }
}

// floorArgs have the options of a variant in front.
func floorArgs(variant ...string) func(job) []string {
	return func(run job) []string {
		args := variant[:len(variant):len(variant)]
		if run.NewConns {
			args = append(args, "-n")
		}
		return append(args, strconv.Itoa(run.port), run.conns(), run.out, run.list)
	}
}

func notForFloor(_ peer, load workload) string {
	switch {
	case load.TLS:
		return "it speaks no TLS"
	case load.Hosts > 1:
		return "it knows one host"
	}
	return ""
}

// nothingToSplice: a body that comes with its head in one recv.
func nothingToSplice(p peer, load workload) string {
	const most = 64 << 10
	if load.Size < most {
		return "its bodies are too small to splice"
	}
	return notForFloor(p, load)
}

func shoalArgs(run job) []string {
	return run.believing([]string{"-i", run.list, "-d", run.out, "-j", run.conns(), "--max-per-host", run.conns(), "-s"}, "--cacert")
}

// loopsArgs have a loop for each host.
func loopsArgs(run job) []string {
	return append(shoalArgs(run), "--loops", strconv.Itoa(run.Hosts))
}

func oneHost(_ peer, load workload) string {
	if load.Hosts < 2 {
		return "one host is one loop's"
	}
	return ""
}

func peerArgs(run job) []string {
	args := run.believing([]string{"-conns", run.conns(), "-dir", run.out}, "-cacert")
	if run.NewConns {
		args = append(args, "-new")
	}
	return append(args, run.list)
}

func curlLine(url string) string { return fmt.Sprintf("url = %q\n", url) }

func curlArgs(run job) []string {
	args := []string{"-q", "-s", "-S", "-f", "-Z", "--parallel-max", run.conns(), "--parallel-immediate",
		"--remote-name-all", "--output-dir", run.out, "-K", run.list}
	return run.believing(args, "--cacert")
}

// wgetArgs have it ask for each URL once, and look for no lists of robots.
func wgetArgs(run job) []string {
	args := []string{"--no-config", "-q", "--tries=1", "--no-robots", "--max-threads=" + run.conns(),
		"--no-directories", "-P", run.out, "-i", run.list}
	return run.believing(args, "--ca-certificate")
}

// ariaArgs leave thousands of connections, dialled at once, their time.
func ariaArgs(run job) []string {
	args := []string{"--no-conf", "-q", "--max-tries=1", "--timeout=300", "--connect-timeout=300", "--file-allocation=none", "--split=1",
		"-j", run.conns(), "-d", run.out, "-i", run.list}
	return run.believing(args, "--ca-certificate")
}
