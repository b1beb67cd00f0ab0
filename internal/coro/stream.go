package coro

import (
	"bytes"
	"errors"
	"io"
)

// ErrNeedData is what Next returns when it needs more bytes, or EOF, first.
var ErrNeedData = errors.New("more data is needed")

// Stream is an io.Reader of a library, turned round: bytes are fed to it and
// what it makes of them is pulled from it.
//
//	s := coro.NewStream(make([]byte, 32<<10), func(src *coro.Source) (io.Reader, error) { return gzip.NewReader(src) })
//	defer s.Stop()
//	for {
//		s.Feed(read())               // or s.EOF()
//		for piece, err := s.Next(); err != coro.ErrNeedData; piece, err = s.Next() {
//			…                    // io.EOF and other errors are for good
//		}
//	}
//
// The buffer is the stream's alone until it is stopped: a reader may leave half
// of its output there when its input runs out.
type Stream struct {
	coro   *Coro
	source *Source
	buf    []byte
	n      int // what the reader has put into buf, since the last Next
	err    error
}

// NewStream makes a Stream. open is called in the coroutine; it may read from
// the source already, and an error of its own ends the stream. Each piece of
// output is at most as long as buf, which must not be empty.
func NewStream(buf []byte, open func(*Source) (io.Reader, error)) *Stream {
	if len(buf) == 0 {
		panic("coro: a stream needs a buffer")
	}
	s := &Stream{buf: buf}
	s.coro, s.source = Read(func(src *Source) { s.err = s.run(src, open) })
	return s
}

// maxEmpty is how often in a row a reader may return nothing and no error.
const maxEmpty = 100

// run reads all there is, piece by piece, and returns what ended it.
func (s *Stream) run(src *Source, open func(*Source) (io.Reader, error)) error {
	r, err := open(src)
	for empty := 0; err == nil; empty++ {
		if empty > maxEmpty {
			return io.ErrNoProgress
		}
		var n int
		if n, err = r.Read(s.buf); n == 0 {
			continue
		}
		s.n, empty = n, 0
		if !s.coro.Pause() {
			return ErrStopped
		}
	}
	return err
}

// Feed lends the stream the next bytes, until Next says ErrNeedData or fails. It
// panics if earlier bytes are left, and after EOF.
func (s *Stream) Feed(p []byte) { s.source.Feed(p) }

// Hold copies what was fed and not read into memory of the stream's own, so that
// what Feed borrowed can be used for something else.
func (s *Stream) Hold() { s.source.fed = bytes.Clone(s.source.fed) }

// EOF says that after what was fed nothing more comes.
func (s *Stream) EOF() { s.source.EOF() }

// Next returns the next piece of output, which is valid until the next call.
// With ErrNeedData it goes on after Feed or EOF; io.EOF is the end that the
// reader found. Any other error is the reader's.
func (s *Stream) Next() ([]byte, error) {
	s.n = 0
	for s.err == nil && s.n == 0 {
		if !s.coro.Resume() {
			break
		}
		if s.n == 0 {
			return nil, ErrNeedData
		}
	}
	if s.n > 0 {
		return s.buf[:s.n], nil
	}
	return nil, s.err
}

// Rest is what was fed and not read: after the end, the bytes that follow it.
func (s *Stream) Rest() []byte { return s.source.Rest() }

// Stop ends the stream and lets go of its memory. It may be called again.
func (s *Stream) Stop() {
	s.coro.Stop()
	if s.err == nil {
		s.err = ErrStopped
	}
	s.buf, s.n, s.source.fed = nil, 0, nil
}
