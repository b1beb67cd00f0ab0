package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// entry is one line of --failed and --rest, which -i understands. A line that
// was no URL has none.
type entry struct {
	URL     string `json:"url,omitempty"`
	Name    string `json:"name,omitempty"` // what it would have been saved as
	Line    int    `json:"line"`
	Phase   string `json:"phase,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Message string `json:"message,omitempty"`
}

// noteFailure writes a failure down for the next run.
func (r *runner) noteFailure(res *fetch.Result, err error) {
	if r.failures == nil {
		return
	}
	p := placeOf(res)
	e := entry{URL: res.Request.URL, Name: res.Name, Line: int(p.line), Kind: view.KindOf(err), Message: err.Error()}
	var failure *fetch.Error
	if errors.As(err, &failure) {
		e.Phase, e.Message = failure.Phase.String(), failure.Err.Error()
	}
	if e.Name == "" {
		e.Name = res.Request.Name
	}
	if p.bad != nil {
		e.URL = ""
	}
	if err := writeEntry(r.failures, e); err != nil {
		r.failures = nil
		r.lostReport(err, r.failed)
	}
}

// leave notes a URL that the run did not come to, or not to the end of.
func (r *runner) leave(request fetch.Request, name string) {
	r.undone++
	if r.left == nil {
		return
	}
	p := request.Tag.(*place)
	if err := writeEntry(r.left, entry{URL: request.URL, Name: name, Line: int(p.line)}); err != nil {
		r.left = nil
		r.lostReport(err, r.rest)
	}
}

// countUndone goes through what the run never asked for. Each still gets its
// name, so that it is the one a longer run had given it.
func (r *runner) countUndone() {
	r.intake.drain(r.left != nil, func(request fetch.Request) {
		name := ""
		if request.Tag.(*place).bad != nil {
			return
		}
		if r.archive.recall(&request) {
			return
		}
		if r.folder != nil {
			var err error
			if name, err = r.reserve(&request); err != nil {
				return // it is there already
			}
		}
		r.leave(request, name)
	})
}

// writeEntry writes a line. A file that gets a URL with a password, without which
// it were of no use, is its user's alone from then on.
func writeEntry(w io.Writer, e entry) error {
	if fetch.WithoutUserinfo(e.URL) != e.URL {
		if err := hide(w); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(e)
}

// hide lets nobody but its user read a file. What is no file has no readers later.
func hide(w io.Writer) error {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Chmod(0o600)
}
