package decode

import (
	"bufio"
	"errors"
	"io"

	"github.com/shoalfetch/shoal/internal/coro"
)

// byteReader is what libraries read from without taking more than is theirs.
type byteReader interface {
	io.Reader
	io.ByteReader
}

// layer takes one coding off.
type layer struct {
	coding string
	codec  codec
	from   byteReader // what is encoded
	over   bool       // the codec has found its end
}

// open begins to take the codings off what comes from a source. The last one
// applied is the first to go.
func open(codings []string, codecs []codec, src *coro.Source) (io.Reader, error) {
	var top io.Reader
	var from byteReader = src
	for i := len(codings) - 1; i >= 0; i-- {
		if top != nil {
			from = bufio.NewReader(top)
		}
		l := &layer{coding: codings[i], codec: codecs[i], from: from}
		if err := l.begin(); err != nil {
			return nil, l.failure(err)
		}
		top = l
	}
	return top, nil
}

// begin sets the codec on what the layer reads. That nothing is there is an
// error: if there were no body, nobody would ask.
func (l *layer) begin() error {
	if b, ok := l.from.(*bufio.Reader); ok {
		if _, err := b.Peek(1); err != nil {
			return noEOF(err)
		}
	}
	from, err := l.codec.reset(l.from)
	l.from = from
	return noEOF(err)
}

// Read gives what there is behind the coding. Its end is the end only if
// nothing follows.
func (l *layer) Read(p []byte) (int, error) {
	if l.over {
		return 0, l.end()
	}
	n, err := l.codec.Read(p)
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, l.failure(err)
	}
	l.over = true
	return n, nil
}

// end looks whether anything follows.
func (l *layer) end() error {
	_, err := l.from.ReadByte()
	switch err {
	case nil:
		return l.failure(ErrTrailing)
	case io.EOF:
		return io.EOF
	}
	return l.failure(err)
}

// failure says in which coding an error arose: here, or in one further out.
func (l *layer) failure(err error) error {
	if _, outer := errors.AsType[*Error](err); outer || err == coro.ErrStopped {
		return err
	}
	return &Error{l.coding, err}
}

// noEOF is an error at a place where the end must not come.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
