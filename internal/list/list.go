// Package list reads lists of URLs, one to a line.
package list

import (
	"bufio"
	"bytes"
	"encoding/json"
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
	Name string // what it is to be saved as; empty when the line does not say
	Line int    // from 1; of an object with a "line", that one
}

// LineError is a line that cannot be understood. The list goes on after it.
type LineError struct {
	Line   int    // from 1
	Text   string // how the line begins
	Reason string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Reader reads items from a text: blank lines and lines that begin with # are
// passed over, white space around a URL is not part of it, and a URL without a
// scheme is http. A line that begins with { is a JSON object with a "url" and
// perhaps a "name" and a "line", as a list of failed fetches has them.
type Reader struct {
	text *bufio.Reader
	line int
}

// NewReader reads from r, in pieces of 64 KB.
func NewReader(r io.Reader) *Reader {
	return &Reader{text: bufio.NewReaderSize(r, LineBytes+1)} // and its end
}

// Next gives the next item; io.EOF after the last. After a *LineError the next
// call goes on with the next line; any other error is the end.
func (r *Reader) Next() (Item, error) {
	for {
		text, err := r.next()
		if err != nil {
			return Item{}, err
		}
		switch {
		case len(text) == 0 || text[0] == '#':
		case text[0] == '{':
			return r.object(text)
		default:
			return Item{URL: WithScheme(string(text)), Line: r.line}, nil
		}
	}
}

// next gives the next line without the white space around it. It is good until
// the next call.
func (r *Reader) next() ([]byte, error) {
	text, err := r.text.ReadSlice('\n')
	if len(text) == 0 && err != nil {
		return nil, err
	}
	r.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, r.tooLong(text)
	case err != nil && err != io.EOF:
		return nil, err
	case err == io.EOF && len(text) > LineBytes:
		return nil, r.tooLong(text)
	}
	if r.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark is no part of the text
	}
	return bytes.TrimSpace(text), nil
}

// tooLong passes over the rest of a line.
func (r *Reader) tooLong(begin []byte) error {
	bad := r.bad(begin, fmt.Sprintf("the line is longer than %d bytes", LineBytes))
	for {
		_, err := r.text.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bad // that the text ends here, or fails, the next call will see again
		}
	}
}

// object reads a line of JSON.
func (r *Reader) object(text []byte) (Item, error) {
	var o struct {
		URL  string `json:"url"`
		Name string `json:"name"`
		Line int    `json:"line"`
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return Item{}, r.bad(text, "not a JSON object as expected: "+err.Error())
	}
	if o.URL == "" {
		return Item{}, r.bad(text, `the JSON object has no "url"`)
	}
	if o.Line < 1 {
		o.Line = r.line
	}
	return Item{WithScheme(o.URL), o.Name, o.Line}, nil
}

// textShown is how much of a line that cannot be understood is kept.
const textShown = 80

func (r *Reader) bad(text []byte, reason string) error {
	begin := string(text[:min(len(text), textShown)])
	if len(text) > textShown {
		begin += "…"
	}
	return &LineError{r.line, begin, reason}
}

// WithScheme puts http:// before a URL that has no scheme, as people type it.
func WithScheme(url string) string {
	if strings.Contains(url, "://") {
		return url
	}
	return "http://" + url
}
