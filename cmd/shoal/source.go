package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/list"
)

// source is where a run's requests come from.
type source interface {
	fetch.Source
	failure() error // why the list was not read to its end
	close()
}

// source gives the arguments, or the list. A regular file is read as it is
// needed, on the loop. Anything else may keep a reader waiting, which the loop
// must not do: it is read beside the loop, through a queue.
func (r *runner) source() (source, error) {
	if r.list == "" {
		return &argSource{urls: r.urls}, nil
	}
	if len(r.urls) > 0 {
		return nil, usagef("URLs and -i together: put all of them into the list")
	}
	if r.list == "-" {
		return newPipeSource(r.stdin), nil
	}
	f, err := os.Open(r.list)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return &fileSource{file: f, reader: list.NewReader(f)}, nil
	}
	return newPipeSource(f), nil
}

// argSource gives the URLs of the command line.
type argSource struct {
	urls []string
	next int
}

func (s *argSource) Next() (fetch.Request, fetch.Supply) {
	if s.next == len(s.urls) {
		return fetch.Request{}, fetch.End
	}
	s.next++
	return fetch.Request{URL: list.WithScheme(s.urls[s.next-1]), Tag: s.next}, fetch.More
}

func (s *argSource) Notify(func())  {}
func (s *argSource) failure() error { return nil }
func (s *argSource) close()         {}

// fileSource gives the lines of a regular file.
type fileSource struct {
	file   *os.File
	reader *list.Reader
	err    error
}

func (s *fileSource) Next() (fetch.Request, fetch.Supply) {
	item, err := s.reader.Next()
	if err != nil {
		if err != io.EOF {
			s.err = fmt.Errorf("%s: %w", s.file.Name(), err)
		}
		return fetch.Request{}, fetch.End
	}
	return fetch.Request{URL: item.URL, Tag: item.Line}, fetch.More
}

func (s *fileSource) Notify(func())  {}
func (s *fileSource) failure() error { return s.err }
func (s *fileSource) close()         { _ = s.file.Close() }

// queueSize is how far a pipe is read ahead.
const queueSize = 4096

// pipeSource gives the lines of something that may make its reader wait.
type pipeSource struct {
	*fetch.Queue
	stop context.CancelFunc
	err  chan error
}

func newPipeSource(r io.Reader) *pipeSource {
	ctx, stop := context.WithCancel(context.Background())
	s := &pipeSource{fetch.NewQueue(queueSize), stop, make(chan error, 1)}
	go s.read(ctx, list.NewReader(r))
	return s
}

// read fills the queue. It ends with the text; a read that never returns keeps
// nothing but this goroutine, until the process ends.
func (s *pipeSource) read(ctx context.Context, r *list.Reader) {
	defer s.Close()
	for {
		item, err := r.Next()
		if err == nil {
			err = s.Push(ctx, fetch.Request{URL: item.URL, Tag: item.Line})
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			s.err <- err
			return
		}
	}
}

func (s *pipeSource) failure() error {
	select {
	case err := <-s.err:
		return err
	default:
		return nil
	}
}

func (s *pipeSource) close() { s.stop() }
