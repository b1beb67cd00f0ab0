package coro

import (
	"errors"
	"io"
)

// ErrStopped is what a Source returns to a function that is being stopped.
var ErrStopped = errors.New("stopped")

// Source is an io.Reader for a function that runs in a coroutine, over bytes
// that are fed from outside. It is an io.ByteReader as well, so that decoders
// take no more bytes from it than are theirs (compress/flate).
type Source struct {
	coro *Coro
	fed  []byte
	eof  bool
}

// Read starts a coroutine that runs f over a new Source. It begins with the
// first Resume.
func Read(f func(*Source)) (*Coro, *Source) {
	s := new(Source)
	s.coro = Start(func(*Coro) { f(s) })
	return s.coro, s
}

// Feed lends the source the next bytes, until Resume returns with Rest empty.
// It panics if earlier bytes are left, and after EOF.
func (s *Source) Feed(p []byte) {
	switch {
	case len(s.fed) > 0:
		panic("coro: Feed before the last bytes are used up")
	case s.eof:
		panic("coro: Feed after EOF")
	}
	s.fed = p
}

// EOF says that after what was fed nothing more comes.
func (s *Source) EOF() { s.eof = true }

// Rest is what was fed and not read.
func (s *Source) Rest() []byte { return s.fed }

// Read is for the function in the coroutine: it pauses until there is
// something. At the end it returns io.EOF, in a coroutine that is being
// stopped ErrStopped.
func (s *Source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.await(); err != nil {
		return 0, err
	}
	n := copy(p, s.fed)
	s.take(n)
	return n, nil
}

// ReadByte is Read for one byte.
func (s *Source) ReadByte() (byte, error) {
	if err := s.await(); err != nil {
		return 0, err
	}
	b := s.fed[0]
	s.take(1)
	return b, nil
}

// await pauses until there is a byte.
func (s *Source) await() error {
	for len(s.fed) == 0 {
		if s.eof {
			return io.EOF
		}
		if !s.coro.Pause() {
			return ErrStopped
		}
	}
	return nil
}

// take drops n bytes, and with the last one the slice that was lent.
func (s *Source) take(n int) {
	if s.fed = s.fed[n:]; len(s.fed) == 0 {
		s.fed = nil
	}
}
