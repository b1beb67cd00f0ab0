package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

// probePart is the word that makes this program a client that measures.
const probePart = "probe"

// How long small fetches are measured, and how many come first and do not
// count.
const (
	probeTime = 6 * time.Second
	warmUps   = 200
)

// latency is how long small fetches took.
type latency struct {
	Name        string
	Count       int
	Median, P99 time.Duration
}

func newLatency(took []time.Duration) latency {
	slices.Sort(took)
	at := func(percent int) time.Duration { return took[(len(took)-1)*percent/100] }
	return latency{Count: len(took), Median: at(50), P99: at(99)}
}

// probeAlone measures with nothing else under way.
func probeAlone(ctx context.Context, work string) (latency, error) {
	return startProbe(ctx, "alone", work, nil)
}

// probeBeside measures while the same loop has the drips.
func probeBeside(ctx context.Context, work string, conns int) (latency, error) {
	drips, err := startServer(ctx, serverCore)
	if err != nil {
		return latency{}, err
	}
	defer drips.Stop()
	return startProbe(ctx, fmt.Sprintf("beside %d drips", conns), work, []string{drips.Address(), strconv.Itoa(conns)})
}

// startProbe runs this program as a client. The small bodies come from a
// server of their own, which the drips do not keep busy.
func startProbe(ctx context.Context, name, work string, drips []string) (latency, error) {
	s, err := startServer(ctx, clientCore)
	if err != nil {
		return latency{}, err
	}
	defer s.Stop()
	out, err := os.MkdirTemp(work, "out-")
	if err != nil {
		return latency{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return latency{}, err
	}
	command := pinned(ctx, clientCore, self, append([]string{probePart, out, s.Address()}, drips...)...)
	command.Stderr = os.Stderr
	said, err := command.Output()
	if err != nil {
		return latency{}, fmt.Errorf("probe %s: %w", name, err)
	}
	var l latency
	err = json.Unmarshal(said, &l)
	l.Name = name
	return l, err
}

// runProbe is the client process: its arguments are a folder, the address of
// the small bodies, and, if there are drips, their address and number.
func runProbe(ctx context.Context, args []string) error {
	p := &probe{small: origin.At(args[1]), queue: fetch.NewQueue(1)}
	if len(args) > 2 {
		conns, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		p.drips, p.conns = origin.At(args[2]), conns
		p.queue = fetch.NewQueue(conns + 1)
	}
	took, err := p.run(ctx, save.Dir(args[0]))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(newLatency(took))
}

// probe fetches small bodies one after another, from the moment that all drips
// have begun.
type probe struct {
	small, drips *origin.Server
	conns        int // drips
	begun        int // of these, those whose head has come
	queue        *fetch.Queue
	asked        int
	askedAt      time.Time
}

func (p *probe) run(ctx context.Context, sink fetch.Sink) ([]time.Duration, error) {
	f, err := fetch.New(fetch.Options{MaxConns: p.conns + 1, MaxPerHost: p.conns + 1, Sink: sink, Trace: p.watch(ctx)})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for i := range p.conns {
		if err := p.queue.Push(ctx, fetch.Request{URL: drip(p.drips, i)}); err != nil {
			return nil, err
		}
	}
	if p.conns == 0 {
		p.ask(ctx)
	}
	var took []time.Duration
	var began time.Time
	for res, err := range f.FetchFrom(ctx, p.queue) {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(res.URL, "http://"+p.small.Address()) {
			return nil, errors.New("a drip ended before the measurement did")
		}
		now := time.Now()
		switch {
		case p.asked < warmUps:
		case p.asked == warmUps:
			began = now
		case now.Sub(began) > probeTime:
			return took, nil
		default:
			took = append(took, now.Sub(p.askedAt))
		}
		p.ask(ctx)
	}
	return nil, context.Cause(ctx)
}

// watch starts the small fetches when the last drip has begun.
func (p *probe) watch(ctx context.Context) func(fetch.Event) {
	if p.conns == 0 {
		return nil
	}
	return func(e fetch.Event) {
		if e.Kind == fetch.ExchangeReceiving && p.begun < p.conns {
			p.begun++
			if p.begun == p.conns {
				p.ask(ctx)
			}
		}
	}
}

// ask asks for the next small body. The queue has room for it.
func (p *probe) ask(ctx context.Context) {
	p.asked++
	p.askedAt = time.Now()
	_ = p.queue.Push(ctx, fetch.Request{URL: p.small.URL(p.asked, smallBytes, smallBytes, 0)})
}

// latencyTable writes each measurement, and its p99 over the first's.
func latencyTable(all ...latency) string {
	var out strings.Builder
	out.WriteString("| small fetch | fetches | median, µs | p99, µs | ÷ alone |\n|---|---|---|---|---|\n")
	for _, l := range all {
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %.2f |\n", l.Name, l.Count,
			l.Median.Microseconds(), l.P99.Microseconds(), float64(l.P99)/float64(all[0].P99))
	}
	return out.String()
}
