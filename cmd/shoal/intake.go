package main

import (
	"fmt"
	"sync/atomic"

	"github.com/shoalfetch/shoal/fetch"
)

// intake is the run's source: one feed after another, as long as the run may
// begin anything. What is no URL goes aside instead of to the engine.
type intake struct {
	feeds   []feed
	form    form
	reject  func(r fetch.Request, reason error)
	skip    func(r fetch.Request)
	refuse  func(r fetch.Request, why error)
	polite  *polite  // nil: nobody asked
	archive *archive // nil: nothing is known
	network *network
	strict  bool // URLs are looked at here: nothing after a bad one may begin

	current int
	ended   bool  // every feed has given its last
	err     error // why one was not read whole
	whole   bool  // what is left could be counted to its end
	wake    func()
	closed  atomic.Bool
}

// rejectMost is how many lines that are no URLs are gone through before the
// engine has its turn again.
const rejectMost = 1000

// Next implements fetch.Source.
func (in *intake) Next() (fetch.Request, fetch.Supply) {
	for range rejectMost {
		if in.closed.Load() {
			return fetch.Request{}, fetch.End
		}
		if !in.network.admits() {
			return fetch.Request{}, fetch.Empty
		}
		r, supply := in.supply()
		if supply != fetch.More {
			return r, supply
		}
		p := r.Tag.(*place)
		if in.strict && p.bad == nil {
			if _, why := r.Host(); why != nil {
				p.spoil(why)
			}
		}
		switch {
		case p.bad != nil:
			in.reject(r, p.bad)
		case in.prepare(&r):
			if in.polite != nil {
				in.polite.begun()
			}
			r.Tag.(*place).probe = in.network.begin()
			return r, supply
		}
	}
	in.wake()
	return fetch.Request{}, fetch.Empty
}

// supply gives what has waited for its turn, or what the feeds have next.
func (in *intake) supply() (fetch.Request, fetch.Supply) {
	if in.polite == nil {
		return in.pull()
	}
	if r, ok := in.polite.next(); ok {
		return r, fetch.More
	}
	if in.polite.full() {
		return fetch.Request{}, fetch.Empty
	}
	r, supply := in.pull()
	if supply == fetch.End && !in.polite.over() {
		supply = fetch.Empty
	}
	return r, supply
}

// prepare completes a line's request, and says whether it, or what must come
// before it and now stands in its place, is to be begun.
func (in *intake) prepare(r *fetch.Request) bool {
	if in.polite != nil && in.polite.passed(r) {
		return true
	}
	in.form.fill(r)
	if in.archive.recall(r) {
		in.skip(*r)
		return false
	}
	if in.polite == nil {
		return true
	}
	now, why := in.polite.ask(*r)
	if why != nil {
		in.refuse(*r, why)
	}
	if now != nil {
		*r = *now
	}
	return now != nil
}

// pull gives what the feeds have next, whether it is a URL or not.
func (in *intake) pull() (fetch.Request, fetch.Supply) {
	for ; in.current < len(in.feeds); in.current++ {
		f := in.feeds[in.current]
		if r, supply := f.Next(); supply != fetch.End {
			return r, supply
		}
		in.note(f)
	}
	in.ended = true
	return fetch.Request{}, fetch.End
}

// note keeps why a list could not be read to its end.
func (in *intake) note(f feed) {
	if err := f.failure(); err != nil && in.err == nil {
		in.err = fmt.Errorf("a list was not read to its end: %w", err)
	}
}

// Notify implements fetch.Source.
func (in *intake) Notify(wake func()) {
	in.wake = wake
	in.network.wake = wake
	if in.polite != nil {
		in.polite.wake = wake
	}
	for _, f := range in.feeds {
		f.Notify(wake)
	}
}

// close lets nothing more begin. It is safe from any goroutine.
func (in *intake) close() { in.closed.Store(true) }

// share is how much of the input has been read, from 0 to 1, or -1 when that
// cannot be known. It is safe from any goroutine.
func (in *intake) share() float64 {
	var done, of int64
	for _, f := range in.feeds {
		d, o := f.progress()
		if o == 0 {
			return -1
		}
		done, of = done+d, of+o
	}
	return min(1, float64(done)/float64(of))
}

// drain gives what has not been handed out, after the run. Pipes are only read
// when that is asked for, and then as long as something comes.
func (in *intake) drain(pipesToo bool, each func(fetch.Request)) {
	in.whole = true
	if in.polite != nil {
		in.polite.rest(each)
	}
	for ; in.current < len(in.feeds); in.current++ {
		f := in.feeds[in.current]
		if _, isPipe := f.(*pipeFeed); isPipe && !pipesToo {
			in.whole = false
			continue
		}
		if !drain(f, each) {
			in.whole = false
		}
	}
}

func drain(f feed, each func(fetch.Request)) bool {
	news := newBell()
	f.Notify(news.ring)
	for {
		r, supply := f.Next()
		switch {
		case supply == fetch.More:
			each(r)
		case supply == fetch.End:
			return f.failure() == nil
		case !news.wait():
			return false
		}
	}
}
