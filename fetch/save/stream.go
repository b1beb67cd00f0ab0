package save

import (
	"io"

	"github.com/shoalfetch/shoal/fetch"
)

// Discard is a sink that takes every body and keeps none: for lists whose
// answers alone matter. It holds nothing, however long the list.
func Discard() fetch.Sink { return nowhere{} }

type nowhere struct{}

// Open implements fetch.Sink.
func (nowhere) Open(fetch.OpenInfo) (fetch.Body, error) { return nowhere{}, nil }

func (nowhere) Write([]byte) error { return nil }
func (nowhere) Commit() error      { return nil }
func (nowhere) Discard()           {}

// Writer is a sink that writes bodies to w as they come. Nothing tells one from
// the next or takes back what a failed fetch has written, so it is for one fetch.
// The loop waits for w: when w takes its time, so does all else.
func Writer(w io.Writer) fetch.Sink { return stream{w} }

type stream struct{ w io.Writer }

// Open implements fetch.Sink.
func (s stream) Open(fetch.OpenInfo) (fetch.Body, error) { return s, nil }

func (s stream) Write(piece []byte) error {
	_, err := s.w.Write(piece)
	return err
}

func (stream) Commit() error { return nil }
func (stream) Discard()      {}
