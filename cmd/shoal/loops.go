package main

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/robots"
	"github.com/shoalfetch/shoal/internal/view"
)

// fetcher is what a run asks of the engine: one Fetcher, or several that look
// like one.
type fetcher interface {
	FetchFrom(ctx context.Context, source fetch.Source) iter.Seq2[*fetch.Result, error]
	Snapshot() fetch.Snapshot
	Stop()
	Close() error
}

// loops are several Fetchers that look like one. Each has its thread, its
// kernel, and the hosts that it was dealt. The goroutine that ranges is none of
// them but the desk: it reads the source, asks for the names in the order of the
// input, and yields the results. So all that a run counts and judges by stays
// with one goroutine, and the loops share nothing but the desk.
type loops struct {
	lanes  []*lane
	deal   deal
	names  *save.Folder  // nil: nothing is saved under a name
	kernel kernel.Kernel // of names
	news   bell          // rings whenever the desk may have something to do

	held        fetch.Request // what the source gave last, until there is room for it
	to          *lane         // for whom that is; nil: nothing is held
	sourceEnded bool

	stopping           atomic.Bool
	admitted, returned atomic.Int64
}

// newLoops makes n Fetchers, which share out the connections of o and whatever
// else a process has.
func (r *runner) newLoops(n int, o fetch.Options) (s *loops, err error) {
	spareProcessor(n)
	s = &loops{names: r.folder, news: newBell(), deal: deal{loops: n}}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	for i := range n {
		l, err := r.newLane(i, n, o, s.news.ring)
		if err != nil {
			return s, err
		}
		s.lanes = append(s.lanes, l)
	}
	if s.names == nil {
		return s, nil
	}
	k, err := r.newKernel(&r.settings)
	if err != nil {
		return s, err
	}
	if err := s.names.Attach(k, nil); err != nil {
		_ = k.Close()
		return s, err
	}
	s.kernel = k
	return s, nil
}

// newLane makes the loop of number i, from 0, of n.
func (r *runner) newLane(i, n int, o fetch.Options, ring func()) (*lane, error) {
	l := &lane{in: newInbox(ring), out: outbox{ring: ring}}
	if r.folder != nil {
		o.Sink = branch{r.folder.Branch(), r.polite, robots.Token(r.agent)}
	}
	if r.verbose {
		l.explain = view.NewExplain(newMarked(r.screen, i+1))
		o.Trace = l.explain.Event
	}
	k, err := r.newKernel(&r.settings)
	if err != nil {
		return nil, err
	}
	all := o.MaxConns
	o.MaxConns, o.Manners = shareOf(all, i, n), shareOfManners(o.Manners, n)
	l.fetcher, err = fetcherOn(part{k, n}, max(1, lookups/n), o)
	var limit *fetch.DescriptorLimitError
	if errors.As(err, &limit) {
		whole, _ := k.DescriptorLimit()
		return nil, &fetch.DescriptorLimitError{MaxConns: all, Limit: whole, Most: n * limit.Most, Each: limit.Each}
	}
	return l, err
}

// shareOf is what number i of n gets of a whole, as evenly as it can be shared
// out; the first get what is over.
func shareOf(whole, i, n int) int {
	share := whole / n
	if i < whole%n {
		share++
	}
	return share
}

// part is a kernel for one of several loops: each may have that part of the
// process's descriptors.
type part struct {
	kernel.Kernel
	of int
}

// DescriptorLimit implements kernel.Kernel.
func (p part) DescriptorLimit() (int, error) {
	whole, err := p.Kernel.DescriptorLimit()
	return whole / p.of, err
}

// Snapshot is as a Fetcher's: what has been handed to a loop and not begun
// counts as queued.
func (s *loops) Snapshot() fetch.Snapshot {
	all := fetch.Snapshot{Yielded: s.returned.Load(), Admitted: s.admitted.Load()}
	all.Queued = all.Admitted
	for _, l := range s.lanes {
		of := l.fetcher.Snapshot()
		all.Queued += of.Queued - of.Admitted
		all.Conns += of.Conns
		all.Bytes += of.Bytes
		all.Rests += of.Rests
	}
	all.Queued = max(0, all.Queued)
	return all
}

// Stop is as a Fetcher's.
func (s *loops) Stop() {
	s.stopping.Store(true)
	for _, l := range s.lanes {
		l.fetcher.Stop()
	}
	s.news.ring()
}

// Close is as a Fetcher's.
func (s *loops) Close() (err error) {
	for _, l := range s.lanes {
		if e := l.fetcher.Close(); err == nil {
			err = e
		}
	}
	if s.kernel != nil {
		s.names.Detach()
		if e := s.kernel.Close(); err == nil {
			err = e
		}
	}
	return err
}
