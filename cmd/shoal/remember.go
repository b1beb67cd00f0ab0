package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/state"
)

// archive is what is known from earlier runs: --state. Its methods are for the
// goroutine that reads the list. A nil one knows nothing.
type archive struct {
	*state.State
	place    string // the folder, or with -o the file, that this run saves into
	isFile   bool
	complete bool            // what is known to be complete is not asked for
	lost     func(err error) // is told when the file cannot be read or written
}

// openArchive opens the state file, if there is one to be.
func (r *runner) openArchive() (err error) {
	if r.stateFile == "" {
		return nil
	}
	a := &archive{complete: r.skipComplete, place: r.dir, isFile: r.output != ""}
	if a.isFile {
		a.place = r.output
	}
	if a.place, err = filepath.Abs(a.place); err != nil {
		return err
	}
	if a.State, err = state.Open(r.stateFile); err != nil {
		return &os.PathError{Op: "--state", Path: r.stateFile, Err: bare(err)}
	}
	if n := a.Damaged(); n > 0 {
		r.say("%s: %d damaged lines were passed over", r.stateFile, n)
	}
	a.lost = func(err error) { r.lostReport(err, r.stateFile) }
	r.archive = a
	return nil
}

// bare is an error without the path that it repeats.
func bare(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// closeArchive closes the state file, after which nothing is known any more.
func (r *runner) closeArchive() error {
	a := r.archive
	if a == nil {
		return nil
	}
	r.archive = nil
	if err := a.Close(); err != nil {
		return &halt{exitStopped, fmt.Sprintf("%s: %v", r.stateFile, err)}
	}
	return nil
}

// pathOf is where this run saves a name.
func (a *archive) pathOf(name string) string {
	if a.isFile {
		return a.place
	}
	return filepath.Join(a.place, name)
}

// recall fills in what is known of a request: the name of its file, and what
// to ask the server by. It says whether nothing need be asked. What the caller
// has named otherwise is another file, of which nothing is known.
func (a *archive) recall(r *fetch.Request) (done bool) {
	if a == nil {
		return false
	}
	known, ok, err := a.Get(r.URL)
	if err != nil {
		a.lost(err)
	}
	if !ok || !known.Complete {
		return false
	}
	name := filepath.Base(known.Path)
	isHere := known.Path == a.pathOf(name) && (r.Name == "" || r.Name == name)
	info, err := os.Lstat(known.Path)
	isThere := err == nil && info.Mode().IsRegular()
	isWhole := isThere && info.Size() == known.Size
	if isHere {
		r.Name = name
	}
	if a.complete && (isWhole || !isThere) {
		return true
	}
	if isHere {
		r.Replace = isThere && !isWhole
		if isWhole {
			askSince(r, &known)
		}
	}
	return false
}

// askSince makes a request conditional, if it is not, and if there is a validator
// to ask by. Without one the file is as good as any that is there.
func askSince(r *fetch.Request, known *state.Record) {
	if hasField(r.Fields, "If-None-Match") || hasField(r.Fields, "If-Modified-Since") {
		return
	}
	fields := r.Fields[:len(r.Fields):len(r.Fields)] // all requests share them
	if known.ETag != "" {
		fields = append(fields, fetch.Field{Name: "If-None-Match", Value: known.ETag})
	}
	if known.LastModified != "" {
		fields = append(fields, fetch.Field{Name: "If-Modified-Since", Value: known.LastModified})
	}
	r.Replace = len(fields) > len(r.Fields)
	r.Fields = fields
}

// isOther says whether a file is known to be another URL's.
func (a *archive) isOther(r *fetch.Request, name string) bool {
	owner, ok, err := a.Owner(a.pathOf(name))
	if err != nil {
		a.lost(err)
	}
	return ok && owner != r.URL
}

// keep remembers what was fetched. What failed leaves what was known as it was.
func (a *archive) keep(res *fetch.Result) {
	if a == nil || res.Outcome != fetch.Fetched || res.Head.Status < 200 || res.Head.Status > 299 {
		return
	}
	known := state.Record{URL: res.Request.URL, Path: a.pathOf(res.Name), Complete: true}
	info, err := os.Lstat(known.Path)
	if err != nil {
		return // somebody has taken it away again
	}
	known.Size = info.Size()
	copy(known.SHA256[:], res.SHA256)
	known.ETag, known.LastModified = sendable(res.Head.Get("ETag")), sendable(res.Head.Get("Last-Modified"))
	if err := a.Put(known); err != nil {
		a.lost(err)
	}
}

// validatorMost is more than any sensible validator has, in bytes.
const validatorMost = 4 << 10

// sendable is the value of a field that may be sent back; empty if it may not.
func sendable(value string) string {
	if len(value) > validatorMost || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return ""
	}
	return value
}

// skip tells of a URL that is known to be complete. Its name stays its own.
func (r *runner) skip(request fetch.Request) {
	res := &fetch.Result{Request: request, URL: fetch.WithoutUserinfo(request.URL), Outcome: fetch.Skipped}
	if r.folder != nil && request.Name != "" {
		res.Name, _ = r.folder.Reserve(&request)
	}
	r.count(res, nil, false)
}
