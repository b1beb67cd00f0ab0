package main

import (
	"errors"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/robots"
)

// politeFolder is a folder that keeps robots.txt apart, and saves nothing of which
// the head says that it is not for us.
type politeFolder struct {
	*save.Folder
	token string
}

// Reserve implements fetch.Reserver.
func (f politeFolder) Reserve(r *fetch.Request) (string, error) { return reserveIn(f.Folder, r) }

// Continue implements fetch.Continuer.
func (f politeFolder) Continue(info fetch.OpenInfo) *fetch.Part {
	if placeIn(info.Request.Tag).visit != nil {
		return nil
	}
	return f.Folder.Continue(info)
}

// Open implements fetch.Sink.
func (f politeFolder) Open(info fetch.OpenInfo) (fetch.Body, error) {
	return openPolitely(f.Folder, f.token, info)
}

// politeStream is the same before any other sink.
type politeStream struct {
	fetch.Sink
	token string
}

// Open implements fetch.Sink.
func (s politeStream) Open(info fetch.OpenInfo) (fetch.Body, error) {
	return openPolitely(s.Sink, s.token, info)
}

// reserveIn gives a request the name that it has already, or else one of a
// folder's; a robots.txt has none.
func reserveIn(f *save.Folder, r *fetch.Request) (string, error) {
	switch at := placeIn(r.Tag); {
	case at == nil: // not of a list
	case at.visit != nil:
		return "", nil
	case at.name != nil:
		return at.name.name, at.name.err
	}
	return f.Reserve(r)
}

// openPolitely opens a body where the head lets it: X-Robots-Tag may forbid what
// robots.txt did not.
func openPolitely(sink fetch.Sink, token string, info fetch.OpenInfo) (fetch.Body, error) {
	if v := placeIn(info.Request.Tag).visit; v != nil {
		v.text, v.full = v.text[:0], false
		return v, nil
	}
	for value := range info.Head.Values("X-Robots-Tag") {
		if err := robots.CheckTag(value, token); err != nil {
			return nil, fetch.Refused(err)
		}
	}
	return sink.Open(info)
}

// errFull ends a robots.txt that has no end.
var errFull = errors.New("robots.txt is longer than any program reads")

// Write implements fetch.Body.
func (v *visit) Write(piece []byte) error {
	v.text = append(v.text, piece...)
	if len(v.text) > robots.Bytes {
		v.full = true
		return errFull
	}
	return nil
}

// Commit implements fetch.Body.
func (v *visit) Commit() error { return nil }

// Discard implements fetch.Body.
func (v *visit) Discard() {}
