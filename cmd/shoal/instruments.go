package main

import (
	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
	"github.com/shoalfetch/shoal/internal/view"
)

// instruments are what --fault and --stats put around the kernels of a run, none
// where nobody asked. The counting is outside of the faults: it shows what the
// engine met, and the table of the faults how much of that they were.
type instruments struct {
	faulty  []*kernel.Faulty
	counted []*kernel.Counted
}

// newKernel makes a kernel with the instruments that were asked for. Several do
// not fail alike: each has its own seed, the next one. Its waits hold Go's
// processor: spareProcessor is for the rest of the program.
func (i *instruments) newKernel(s *settings) (kernel.Kernel, error) {
	real, err := kernel.New()
	if err != nil {
		return nil, err
	}
	real.Hold(true)
	k := kernel.Kernel(real)
	if s.fault.wanted() {
		f := s.fault.inject(k, len(i.faulty))
		i.faulty = append(i.faulty, f)
		k = f
	}
	if s.stats {
		c := kernel.Count(k)
		i.counted = append(i.counted, c)
		k = c
	}
	return k, nil
}

// newFetcher makes a Fetcher over a kernel of its own.
func (i *instruments) newFetcher(s *settings, o fetch.Options) (*fetch.Fetcher, error) {
	spareProcessor(1)
	k, err := i.newKernel(s)
	if err != nil {
		return nil, err
	}
	return fetcherOn(k, lookups, o)
}

// fetcherOn makes a Fetcher that looks up so many names at once. The kernel is
// the Fetcher's to close.
func fetcherOn(k kernel.Kernel, lookups int, o fetch.Options) (*fetch.Fetcher, error) {
	f, err := fetch.NewOn(k, offload.New(lookups, func() { _ = k.Wake() }), o)
	if err != nil {
		_ = k.Close()
	}
	return f, err
}

// report is what --stats prints once a run of so many fetches has ended; empty
// without it.
func (i *instruments) report(fetches int) string {
	if len(i.counted) == 0 {
		return ""
	}
	var calls kernel.Counts
	for _, c := range i.counted {
		one := c.Snapshot()
		calls.Add(&one)
	}
	text := view.Ledger(calls, fetches)
	if len(i.faulty) == 0 {
		return text
	}
	var injected kernel.Injected
	for _, f := range i.faulty {
		injected.Add(f.Injected())
	}
	return text + view.Injected(injected)
}
