package main

import (
	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

// ticket is the Tag of a request on its way through one of several loops: the
// Tag it came with, and what the folder has answered the desk.
type ticket struct {
	tag  any
	name string
	err  error
}

// ticketFor asks for the name of a request, unless the engine will refuse it:
// then it would not ask either.
func (s *loops) ticketFor(r *fetch.Request, refused error) *ticket {
	t := &ticket{tag: r.Tag}
	if refused == nil {
		t.name, t.err = reserveIn(s.names, r)
	}
	return t
}

// branch is where one of several loops saves: under the names on the tickets.
type branch struct {
	*save.Branch
	polite bool
	token  string // for whom X-Robots-Tag is read
}

// Reserve implements fetch.Reserver.
func (branch) Reserve(r *fetch.Request) (string, error) {
	t := r.Tag.(*ticket)
	return t.name, t.err
}

// Continue implements fetch.Continuer.
func (b branch) Continue(info fetch.OpenInfo) *fetch.Part {
	if placeIn(info.Request.Tag).visit != nil {
		return nil
	}
	return b.Branch.Continue(info)
}

// Open implements fetch.Sink.
func (b branch) Open(info fetch.OpenInfo) (fetch.Body, error) {
	if b.polite {
		return openPolitely(b.Branch, b.token, info)
	}
	return b.Branch.Open(info)
}
