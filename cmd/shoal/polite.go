package main

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/robots"
)

// polite asks each site's robots.txt before anything else of it is asked for:
// --polite. The lines of a site wait here until it has come. It belongs to the
// goroutine that reads the list, but for its clock and for what loops look up.
type polite struct {
	token   string                                 // of the User-Agent
	reserve func(r *fetch.Request) (string, error) // nil: nothing is saved under a name
	wake    func()

	mu    sync.Mutex // of sites, and of the rules of each
	sites map[string]*siteRules
	ready []fetch.Request // may go
	out   int             // requests that the engine has
	held  int             // lines that wait, those that may go included
	slow  []*siteRules    // have lines waiting for their delay
	due   atomic.Bool     // a delay may be over
}

// siteRules are those of a scheme, a host and a port, and the lines that wait for them.
type siteRules struct {
	rules *robots.Rules // nil: on its way
	held  []fetch.Request
	paths []string // of those held, while there are no rules; "" when it is a redirect's

	// With Crawl-delay:
	next    time.Time   // when a line may go
	waiting bool        // for that
	timer   *time.Timer // which tells of it; nil until it is needed
}

// visit is a request for a robots.txt.
type visit struct {
	site *siteRules
	text []byte
	full bool // there is more of it than counts
}

const (
	// heldMost is how many lines wait at most; at this number no more are read.
	heldMost = 4096

	// sitesMost is of how many sites the rules are kept.
	sitesMost = 50_000
)

func newPolite(agent string, reserve func(r *fetch.Request) (string, error)) *polite {
	return &polite{token: robots.Token(agent), reserve: reserve, sites: map[string]*siteRules{}}
}

// next gives a line that has waited and may go now.
func (p *polite) next() (r fetch.Request, ok bool) {
	if p.due.Swap(false) {
		p.releaseDue()
	}
	if len(p.ready) == 0 {
		return fetch.Request{}, false
	}
	r = p.ready[0]
	p.ready[0] = fetch.Request{}
	p.ready = p.ready[1:]
	p.held--
	placeIn(r.Tag).passed = true
	return r, true
}

// passed says whether a line has waited already.
func (p *polite) passed(r *fetch.Request) bool { return placeIn(r.Tag).passed }

// full says whether no more lines can wait.
func (p *polite) full() bool { return p.held >= heldMost }

// over says whether nothing comes any more once the list has ended: what the
// engine has may come back.
func (p *polite) over() bool { return p.held == 0 && p.out == 0 }

// begun is told of each request that the engine gets, and returned of each result.
func (p *polite) begun() { p.out++ }

func (p *polite) returned() {
	if p.out--; p.over() {
		p.wake()
	}
}

// ask takes a line. What is to be asked for now, if anything, is that line or a
// robots.txt; err is why the line is not to be.
func (p *polite) ask(r fetch.Request) (now *fetch.Request, err error) {
	origin, path, err := r.Parts()
	if err != nil || p.reserved(&r) || path == "/robots.txt" {
		return &r, nil // which will be refused, or which needs no leave
	}
	s := p.sites[origin]
	switch {
	case s == nil:
		return p.visit(origin, r, path), nil
	case s.rules == nil:
		p.hold(s, r)
		s.paths = append(s.paths, path)
		return nil, nil
	}
	if err := s.rules.Check(path); err != nil {
		return nil, err
	}
	if s.rules.CrawlDelay() == 0 {
		return &r, nil
	}
	p.hold(s, r)
	p.release(s)
	return nil, nil
}

// reserved gives a line its name while it is its turn: which robots.txt comes
// first is chance. It says whether that settles the line's fate.
func (p *polite) reserved(r *fetch.Request) bool {
	if p.reserve == nil {
		return false
	}
	at, name := r.Tag.(*place), new(ticket)
	name.name, name.err = p.reserve(r)
	at.lineage = &lineage{list: at.list, name: name}
	return name.err != nil
}

func (p *polite) hold(s *siteRules, r fetch.Request) {
	s.held = append(s.held, r)
	p.held++
}

// visit holds the first line of a site, and asks for its robots.txt.
func (p *polite) visit(origin string, r fetch.Request, path string) *fetch.Request {
	if len(p.sites) >= sitesMost {
		p.forget()
	}
	s := new(siteRules)
	p.mu.Lock()
	p.sites[origin] = s
	p.mu.Unlock()
	p.hold(s, r)
	s.paths = append(s.paths, path)
	return &fetch.Request{URL: origin + "/robots.txt", Tag: &place{lineage: &lineage{visit: &visit{site: s}}}}
}

// forget drops the rules of sites of which no line waits.
func (p *polite) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for origin, s := range p.sites {
		if s.rules != nil && len(s.held) == 0 {
			delete(p.sites, origin)
		}
	}
}

// learn takes the end of a visit, and tells of each line that is not to be.
func (p *polite) learn(v *visit, res *fetch.Result, err error, refuse func(r fetch.Request, why error)) {
	s := v.site
	if isLeft(err) {
		return // so are the lines
	}
	rules := v.rules(p.token, res, err)
	p.mu.Lock()
	s.rules = rules
	p.mu.Unlock()
	held, paths := s.held, s.paths
	s.held, s.paths = nil, nil
	for i, r := range held {
		why := rules.Check(paths[i])
		switch {
		case paths[i] == "":
			p.goAgain(r)
		case why != nil:
			p.held--
			refuse(r, why)
		default:
			s.held = append(s.held, r)
		}
	}
	p.release(s)
	p.wake()
}

// rules are what a visit has come to (RFC 9309 section 2.3.1).
func (v *visit) rules(token string, res *fetch.Result, err error) *robots.Rules {
	var status *fetch.StatusError
	switch {
	case err == nil && res.Head.Status >= 300:
		return robots.ForStatus(int(res.Head.Status)) // --save-errors
	case err == nil, v.full:
		return robots.Parse(string(v.text), token)
	case errors.As(err, &status):
		return robots.ForStatus(status.Code)
	}
	var failure *fetch.Error
	if errors.As(err, &failure) {
		err = failure.Err
	}
	return robots.Unreachable(err.Error())
}

// release lets lines of a site go: all, or one each time that its delay is over.
func (p *polite) release(s *siteRules) {
	delay := s.rules.CrawlDelay()
	if delay == 0 {
		p.ready = append(p.ready, s.held...)
		s.held = nil
		return
	}
	now := time.Now()
	if len(s.held) > 0 && !now.Before(s.next) {
		p.ready = append(p.ready, s.held[0])
		s.held = s.held[1:]
		s.next = now.Add(delay)
	}
	if len(s.held) == 0 {
		return
	}
	if !s.waiting {
		s.waiting = true
		p.slow = append(p.slow, s)
	}
	if s.timer != nil {
		s.timer.Reset(s.next.Sub(now))
		return
	}
	s.timer = time.AfterFunc(s.next.Sub(now), func() {
		p.due.Store(true)
		p.wake()
	})
}

// releaseDue looks after the sites whose delay may be over.
func (p *polite) releaseDue() {
	slow, now := p.slow, time.Now()
	p.slow = nil
	for _, s := range slow {
		if now.Before(s.next) {
			p.slow = append(p.slow, s)
			continue
		}
		s.waiting = false
		p.release(s)
	}
}

// rest gives the lines that have waited in vain, in their order.
func (p *polite) rest(each func(fetch.Request)) {
	left := p.ready
	for _, s := range p.sites {
		left = append(left, s.held...)
	}
	slices.SortFunc(left, func(a, b fetch.Request) int { return cmp.Compare(placeIn(a.Tag).line, placeIn(b.Tag).line) })
	for _, r := range left {
		if placeIn(r.Tag).visit == nil {
			each(r)
		}
	}
	p.ready, p.held = nil, 0
	p.mu.Lock()
	p.sites = map[string]*siteRules{}
	p.mu.Unlock()
}
