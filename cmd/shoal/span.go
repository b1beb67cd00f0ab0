package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/shoalfetch/shoal/fetch"
)

// spanValue is the flag -r: one part of a file (RFC 9110 section 14.1.2).
type spanValue struct {
	set         bool
	first, last int64 // -1: not said; without a first one it is the last so many bytes
}

var errSpan = errors.New("a part is 0-499, 500- for all from byte 500 on, or -500 for the last 500 bytes; several parts would come in one file")

// Set implements pflag.Value.
func (v *spanValue) Set(text string) error {
	from, to, ok := strings.Cut(text, "-")
	first, err1 := byteOf(from)
	last, err2 := byteOf(to)
	if !ok || errors.Join(err1, err2) != nil || from == "" && last < 1 || last >= 0 && first > last {
		return errSpan
	}
	*v = spanValue{true, first, last}
	return nil
}

// byteOf reads the number of a byte; -1 if there is none.
func byteOf(text string) (int64, error) {
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err
}

// String implements pflag.Value.
func (v *spanValue) String() string {
	text := strings.TrimPrefix(v.field(), "bytes=")
	return text
}

// Type implements pflag.Value.
func (*spanValue) Type() string { return "RANGE" }

// field is the value of the Range field, if there is one.
func (v *spanValue) field() string {
	switch {
	case !v.set:
		return ""
	case v.first < 0:
		return fmt.Sprintf("bytes=-%d", v.last)
	case v.last < 0:
		return fmt.Sprintf("bytes=%d-", v.first)
	}
	return fmt.Sprintf("bytes=%d-%d", v.first, v.last)
}

// accept takes the part that was asked for, and nothing else of what would be
// a success; others says which failures are taken for one, nil: none.
func (v *spanValue) accept(others func(*fetch.Head) error) func(*fetch.Head) error {
	return func(h *fetch.Head) error {
		switch {
		case h.Status == 206:
			return v.check(h.Get("Content-Range"))
		case h.Status >= 200 && h.Status <= 299:
			return &fetch.StatusError{Code: int(h.Status), Reason: "instead of 206: the server does not send a part, but the whole"}
		case others != nil:
			return others(h)
		}
		return &fetch.StatusError{Code: int(h.Status), Reason: h.Reason()}
	}
}

// check holds what a server says that it sends against what was asked for. Less
// than that it may be: the file may end before.
func (v *spanValue) check(text string) error {
	var first, last int64
	if n, _ := fmt.Sscanf(text, "bytes %d-%d/", &first, &last); n < 2 || first > last {
		return &fetch.RangeError{Range: text, Reason: "that is no range"}
	}
	if v.first < 0 && last-first < v.last || v.first == first && (v.last < 0 || last <= v.last) {
		return nil
	}
	return &fetch.RangeError{Range: text, Reason: "asked for was " + v.String()}
}
