// Package list reads lists of URLs, one to a line.
package list

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// LineBytes is the longest line there may be.
const LineBytes = 64 << 10

// Item is one URL and where it stood.
type Item struct {
	URL  string
	Line int // from 1
}

// Reader reads items from a text: blank lines and lines that begin with # are
// passed over, white space around a URL is not part of it, and a URL without a
// scheme is http.
type Reader struct {
	lines *bufio.Scanner
	line  int
}

// NewReader reads from r, in pieces of 64 KB.
func NewReader(r io.Reader) *Reader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, LineBytes), LineBytes)
	return &Reader{lines: s}
}

// Next gives the next item; io.EOF after the last.
func (r *Reader) Next() (Item, error) {
	for r.lines.Scan() {
		r.line++
		text := strings.TrimSpace(r.lines.Text())
		if r.line == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // a byte order mark is no part of the text
		}
		if text != "" && text[0] != '#' {
			return Item{WithScheme(text), r.line}, nil
		}
	}
	err := r.lines.Err()
	switch {
	case err == nil:
		return Item{}, io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		err = fmt.Errorf("line %d is longer than %d bytes", r.line+1, LineBytes)
	}
	return Item{}, err
}

// WithScheme puts http:// before a URL that has no scheme, as people type it.
func WithScheme(url string) string {
	if strings.Contains(url, "://") {
		return url
	}
	return "http://" + url
}
