package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
)

// probePart is the word that makes this program a client that measures.
const probePart = "probe"

// smallBytes is how long a small body is.
const smallBytes = 1024

func smallURL(address string, i int) string {
	return origin.At(address).URL(i, smallBytes, smallBytes, 0)
}

// task is what a probe is to do.
type task struct {
	Drips   *drips
	Small   string // address of the small bodies
	Folder  string
	WarmUps int // how many small fetches come first and do not count
}

// probed is what a probe found.
type probed struct {
	Drips          *drips
	Count          int // of small fetches
	Median, P99    time.Duration
	Before, During turns // of the loop: until all drips have begun, and since
}

// startProbe runs this program as a client. The small bodies come from a
// server of their own, which the drips do not keep busy.
func startProbe(ctx context.Context, work string, d *drips, warmUps int) (probed, error) {
	if err := d.start(ctx); err != nil {
		return probed{}, err
	}
	defer d.stop()
	small, err := startServer(ctx, clientCore)
	if err != nil {
		return probed{}, err
	}
	defer small.Stop()
	out, err := os.MkdirTemp(work, "out-")
	if err != nil {
		return probed{}, err
	}
	var p probed
	err = startPart(ctx, probePart, task{d, small.Address(), out, warmUps}, &p)
	return p, err
}

// runProbe is the client process: it measures and prints what it found.
func runProbe(ctx context.Context, args []string) error {
	p := &probe{}
	if err := json.Unmarshal([]byte(args[0]), &p.task); err != nil {
		return err
	}
	p.queue = fetch.NewQueue(p.Drips.Conns + 1)
	found, err := p.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// probe fetches small bodies one after another, from the moment that all drips
// have begun.
type probe struct {
	task
	begun   int // drips whose head has come
	queue   *fetch.Queue
	kernel  *timedKernel
	asked   int
	askedAt time.Time
}

// newFetcher makes the engine over a kernel that times its turns.
func (p *probe) newFetcher(ctx context.Context) (*fetch.Fetcher, error) {
	k, err := kernel.New()
	if err != nil {
		return nil, err
	}
	p.kernel = &timedKernel{Kernel: k}
	o := fetch.Options{MaxConns: p.Drips.Conns + 1, MaxPerHost: p.Drips.Conns + 1, Sink: save.Discard(), Trace: p.watch(ctx)}
	if p.Drips.Saved {
		o.Sink = save.Dir(p.Folder)
	}
	f, err := fetch.NewOn(p.kernel, offload.New(1, func() { _ = k.Wake() }), o)
	if err != nil {
		_ = k.Close()
	}
	return f, err
}

// run measures for as long as two thirds of a drip, or until the first of them
// ends, which it does when the machine was slow to begin with all of them.
func (p *probe) run(ctx context.Context) (probed, error) {
	f, err := p.newFetcher(ctx)
	if err != nil {
		return probed{}, err
	}
	defer f.Close()
	for i := range p.Drips.Conns {
		if err := p.queue.Push(ctx, fetch.Request{URL: p.Drips.url(i)}); err != nil {
			return probed{}, err
		}
	}
	if p.Drips.Conns == 0 {
		p.ask(ctx)
	}
	var took []time.Duration
	var began time.Time
	var before turns
	for res, err := range f.FetchFrom(ctx, p.queue) {
		if err != nil {
			return probed{}, err
		}
		now := time.Now()
		small := strings.HasPrefix(res.URL, "http://"+p.Small+"/")
		switch {
		case !small && len(took) < p.WarmUps:
			return probed{}, fmt.Errorf("the first of %v ended before all had begun and the measurement too", p.Drips)
		case !small, len(took) > 0 && now.Sub(began) > p.Drips.lasts()*2/3:
			slices.Sort(took)
			return probed{p.Drips, len(took), quantile(took, 50), quantile(took, 99), before, p.kernel.take()}, nil
		case p.asked == p.WarmUps:
			began, before = now, p.kernel.take()
		case p.asked > p.WarmUps:
			took = append(took, now.Sub(p.askedAt))
		}
		p.ask(ctx)
	}
	return probed{}, context.Cause(ctx)
}

// watch starts the small fetches when the last drip has begun.
func (p *probe) watch(ctx context.Context) func(fetch.Event) {
	if p.Drips.Conns == 0 {
		return nil
	}
	return func(e fetch.Event) {
		if e.Kind == fetch.ExchangeReceiving && p.begun < p.Drips.Conns {
			p.begun++
			if p.begun == p.Drips.Conns {
				p.ask(ctx)
			}
		}
	}
}

// ask asks for the next small body. The queue has room for it.
func (p *probe) ask(ctx context.Context) {
	p.asked++
	p.askedAt = time.Now()
	_ = p.queue.Push(ctx, fetch.Request{URL: smallURL(p.Small, p.asked)})
}

// latencyTable writes each measurement, and its p99 over the first's.
func latencyTable(all []probed) string {
	var out strings.Builder
	out.WriteString("| small fetch beside | fetches | median, µs | p99, µs | ÷ alone |\n|---|---|---|---|---|\n")
	for _, p := range all {
		fmt.Fprintf(&out, "| %v | %d | %d | %d | %.2f |\n", p.Drips, p.Count,
			p.Median.Microseconds(), p.P99.Microseconds(), float64(p.P99)/float64(all[0].P99))
	}
	return out.String()
}
