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
		t.name, t.err = s.names.Reserve(r)
	}
	return t
}

// branch is where one of several loops saves: under the names on the tickets.
type branch struct{ *save.Branch }

// Reserve implements fetch.Reserver.
func (branch) Reserve(r *fetch.Request) (string, error) {
	t := r.Tag.(*ticket)
	return t.name, t.err
}
