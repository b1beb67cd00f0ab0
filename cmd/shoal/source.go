package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/list"
)

// place is where a URL stood: the Tag of every request. Thousands wait at once,
// so it is 16 bytes: what many share or few have stands behind a pointer.
type place struct {
	*lineage
	line   int32 // from 1; on the command line, which URL
	probe  bool  // see network
	passed bool  // see polite

	detours uint8 // of its redirects, by way of a robots.txt
}

// lineage is what the good lines of a list share. Each bad one has its own.
type lineage struct {
	list string // as -i names it; empty for the command line
	bad  error  // why the line is no URL, if it is none

	// With --polite, where each line has its own too:
	name  *ticket // nil: it has not been asked for
	visit *visit  // nil: it is a line
}

// commandLine is the lineage of the arguments.
var commandLine = new(lineage)

// spoil notes why a URL is none.
func (p *place) spoil(why error) { p.lineage = &lineage{list: p.list, bad: why} }

// placeIn finds where a request's URL stood, also on its way through one of
// several loops.
func placeIn(tag any) *place {
	if t, ok := tag.(*ticket); ok {
		tag = t.tag
	}
	p, _ := tag.(*place)
	return p
}

// feed is one thing that requests come from.
type feed interface {
	fetch.Source
	failure() error             // once it has ended: why it was not read whole
	progress() (done, of int64) // in bytes; of is 0 when that is not known
	close()
}

// openFeeds finds what the settings name. A regular file is read as it is
// needed, on the loop. Anything else may keep a reader waiting, which the loop
// must not do: it is read beside the loop, through a queue.
func (r *runner) openFeeds() (feeds []feed, err error) {
	if len(r.lists) == 0 {
		return []feed{&argFeed{urls: r.urls}}, nil
	}
	defer func() {
		if err != nil {
			closeFeeds(feeds)
		}
	}()
	for _, name := range r.lists {
		f, err := r.openFeed(name)
		if err != nil {
			return feeds, err
		}
		feeds = append(feeds, f)
	}
	return feeds, nil
}

func (r *runner) openFeed(name string) (feed, error) {
	if name == standard {
		return newPipeFeed("standard input", func() (io.Reader, error) { return r.stdin, nil }), nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, not a list", name)
	case !info.Mode().IsRegular(): // to open a FIFO waits for its other end
		return newPipeFeed(name, func() (io.Reader, error) { return os.Open(name) }), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f := &fileFeed{file: file, size: info.Size()}
	f.lineage, f.reader = &lineage{list: name}, list.NewReader(f)
	return f, nil
}

func closeFeeds(feeds []feed) {
	for _, f := range feeds {
		f.close()
	}
}

// argFeed gives the URLs of the command line.
type argFeed struct {
	urls []string
	next int
}

// Next implements fetch.Source.
func (f *argFeed) Next() (fetch.Request, fetch.Supply) {
	if f.next == len(f.urls) {
		return fetch.Request{}, fetch.End
	}
	f.next++
	return fetch.Request{URL: list.WithScheme(f.urls[f.next-1]), Tag: &place{lineage: commandLine, line: int32(f.next)}}, fetch.More
}

// Notify implements fetch.Source.
func (f *argFeed) Notify(func()) {}

func (f *argFeed) failure() error             { return nil }
func (f *argFeed) progress() (done, of int64) { return 0, 0 }
func (f *argFeed) close()                     {}

// listLines are a list's, as requests. One that is no URL comes with the reason.
type listLines struct {
	lineage *lineage
	reader  *list.Reader
}

// next gives the next line; io.EOF after the last.
func (l *listLines) next() (fetch.Request, error) {
	item, err := l.reader.Next()
	var bad *list.LineError
	switch {
	case errors.As(err, &bad):
		return fetch.Request{URL: bad.Text, Tag: &place{lineage: &lineage{list: l.lineage.list, bad: errors.New(bad.Reason)}, line: int32(bad.Line)}}, nil
	case err != nil:
		return fetch.Request{}, err
	}
	return fetch.Request{URL: item.URL, Name: item.Name, Tag: &place{lineage: l.lineage, line: int32(item.Line)}}, nil
}

// fileFeed gives the lines of a regular file.
type fileFeed struct {
	listLines
	file *os.File
	size int64
	read atomic.Int64
	err  error
}

// Read is what the lines are read through, and counts.
func (f *fileFeed) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	f.read.Add(int64(n))
	return n, err
}

// Next implements fetch.Source.
func (f *fileFeed) Next() (fetch.Request, fetch.Supply) {
	r, err := f.next()
	if err == nil {
		return r, fetch.More
	}
	if err != io.EOF {
		f.err = err
	}
	return fetch.Request{}, fetch.End
}

// Notify implements fetch.Source.
func (f *fileFeed) Notify(func()) {}

func (f *fileFeed) failure() error             { return f.err }
func (f *fileFeed) progress() (done, of int64) { return f.read.Load(), f.size }
func (f *fileFeed) close()                     { _ = f.file.Close() }

// queueSize is how far a pipe is read ahead.
const queueSize = 4096

// pipeFeed gives the lines of something that may make its reader wait.
type pipeFeed struct {
	*fetch.Queue
	listLines
	stop context.CancelFunc
	err  chan error
}

func newPipeFeed(name string, open func() (io.Reader, error)) *pipeFeed {
	ctx, stop := context.WithCancel(context.Background())
	f := &pipeFeed{Queue: fetch.NewQueue(queueSize), stop: stop, err: make(chan error, 1)}
	f.lineage = &lineage{list: name}
	go func() {
		defer f.Close()
		f.err <- f.fill(ctx, open)
	}()
	return f
}

// fill fills the queue. It ends with the text; a read that never returns keeps
// nothing but its goroutine, until the process ends.
func (f *pipeFeed) fill(ctx context.Context, open func() (io.Reader, error)) error {
	from, err := open()
	if err != nil {
		return err
	}
	f.reader = list.NewReader(from)
	for {
		r, err := f.next()
		if err == nil {
			err = f.Push(ctx, r)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (f *pipeFeed) failure() error {
	select {
	case err := <-f.err:
		return err
	default:
		return nil
	}
}

func (f *pipeFeed) progress() (done, of int64) { return 0, 0 }
func (f *pipeFeed) close()                     { f.stop() }
