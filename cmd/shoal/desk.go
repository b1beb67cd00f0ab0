package main

import (
	"context"
	"iter"
	"sync"

	"github.com/shoalfetch/shoal/fetch"
)

// FetchFrom is as a Fetcher's, but can be ranged over once.
func (s *loops) FetchFrom(ctx context.Context, source fetch.Source) iter.Seq2[*fetch.Result, error] {
	return func(yield func(*fetch.Result, error) bool) {
		source.Notify(s.news.ring)
		ctx, cancel := context.WithCancel(ctx)
		defer context.AfterFunc(ctx, s.news.ring)()
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		for _, l := range s.lanes {
			running.Go(func() { l.run(ctx) })
		}
		for s.turn(ctx, source, yield) {
			<-s.news
		}
	}
}

// turn does what there is to do at the desk, and says whether more will come.
// Whatever happens after it has looked rings the bell.
func (s *loops) turn(ctx context.Context, source fetch.Source, yield func(*fetch.Result, error) bool) bool {
	if s.ending(ctx) == nil {
		s.feed(source)
	}
	running := false
	for _, l := range s.lanes {
		results, ended := l.out.take()
		if ended && (!s.sourceEnded || l.in.waiting() > 0) {
			s.Stop() // it could not go on
		}
		running = running || !ended
		if !s.giveAll(results, yield) {
			return false
		}
	}
	if why := s.ending(ctx); why != nil && !s.giveAll(s.recall(why), yield) {
		return false
	}
	return running
}

// ending is why nothing more may begin; nil if it may.
func (s *loops) ending(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s.stopping.Load():
		return fetch.ErrStopped
	}
	return nil
}

// feed hands out requests until there are none, or until the next is for a loop
// that has enough waiting.
func (s *loops) feed(source fetch.Source) {
	for !s.sourceEnded {
		if s.to == nil && !s.pull(source) {
			return
		}
		if !s.to.in.offer(s.held) {
			return
		}
		s.held, s.to = fetch.Request{}, nil
	}
}

// pull holds the source's next request, if it has one now.
func (s *loops) pull(source fetch.Source) bool {
	r, supply := source.Next()
	switch supply {
	case fetch.Empty:
		return false
	case fetch.End:
		s.endSource()
		return false
	}
	s.admitted.Add(1)
	host, err := hostOf(&r)
	if s.names != nil {
		r.Tag = s.ticketFor(&r, err)
	}
	s.held, s.to = r, s.lanes[s.deal.to(host)]
	return true
}

// endSource lets the loops end when they have done what they were given.
func (s *loops) endSource() {
	s.sourceEnded = true
	for _, l := range s.lanes {
		l.in.Close()
	}
}

// recall takes back what no loop has begun, with the reason why none will.
func (s *loops) recall(why error) (back []outcome) {
	s.endSource()
	for _, l := range s.lanes {
		for r, supply := l.in.Next(); supply == fetch.More; r, supply = l.in.Next() {
			back = append(back, undone(r, why))
		}
	}
	if s.to != nil {
		back = append(back, undone(s.held, why))
		s.held, s.to = fetch.Request{}, nil
	}
	return back
}

// giveAll yields results as if no ticket had ever been with them.
func (s *loops) giveAll(results []outcome, yield func(*fetch.Result, error) bool) bool {
	for i, e := range results {
		results[i] = outcome{}
		if t, ok := e.Request.Tag.(*ticket); ok {
			e.Request.Tag = t.tag
		}
		s.returned.Add(1)
		if !yield(e.Result, e.err) {
			return false
		}
	}
	return true
}
