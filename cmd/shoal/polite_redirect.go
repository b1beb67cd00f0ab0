package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/robots"
)

// A redirect is asked about too. When it leads to a site whose robots.txt nobody
// has asked for, the fetch ends there, its line waits with that site's, and then
// goes its way again from its start.

// detoursMost is how often a line may go again: an honest one passes fewer sites.
const detoursMost = 10

// unaskedError is a redirect to a site whose rules are not known yet.
type unaskedError struct{ to string }

func (e *unaskedError) Error() string { return "the robots.txt of that site comes first" }

// follow says whether a redirect may be followed (fetch.Options.CheckRedirect). A
// robots.txt itself may be anywhere (RFC 9309 section 2.3.1.2).
func (p *polite) follow(r *fetch.Request, to string) error {
	at := placeIn(r.Tag)
	target := fetch.Request{URL: to}
	origin, path, err := target.Parts()
	if err != nil || at.visit != nil {
		return err
	}
	rules := p.known(origin)
	switch method := cmp.Or(r.Method, "GET"); {
	case rules != nil:
		return rules.Check(path)
	case method != "GET" && method != "HEAD":
		return &robots.DisallowedError{Reason: fmt.Sprintf("the robots.txt of that site was not asked for before, and a %s is not sent twice", method)}
	case at.detours == detoursMost:
		return &robots.DisallowedError{Reason: fmt.Sprintf("it led to %d sites that had not been asked for their robots.txt", detoursMost)}
	}
	return &unaskedError{to}
}

// known are the rules of a site, if they have come. It is safe from any goroutine.
func (p *polite) known(origin string) *robots.Rules {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sites[origin]; s != nil {
		return s.rules
	}
	return nil
}

// detour takes a line back whose redirect could not be judged, and says whether it
// did.
func (p *polite) detour(res *fetch.Result, err error) bool {
	unasked, is := errors.AsType[*unaskedError](err)
	if !is {
		return false
	}
	r := res.Request
	placeIn(r.Tag).detours++
	target := fetch.Request{URL: unasked.to}
	origin, _, _ := target.Parts()
	switch s := p.sites[origin]; {
	case s == nil:
		p.ready = append(p.ready, *p.visit(origin, r, ""))
		p.held++
	case s.rules == nil:
		p.hold(s, r)
		s.paths = append(s.paths, "")
	default: // they have come meanwhile
		p.held++
		p.goAgain(r)
	}
	p.wake()
	return true
}

// goAgain lets a line that is held begin anew, when it is its own site's turn.
func (p *polite) goAgain(r fetch.Request) {
	origin, _, _ := r.Parts()
	s := p.sites[origin]
	if s == nil || s.rules == nil { // forgotten
		p.ready = append(p.ready, r)
		return
	}
	s.held = append(s.held, r)
	p.release(s)
}
