package http1

import (
	"errors"
	"fmt"
	"io"
)

// ErrNoResponse says that the peer closed the connection before the first byte
// of a response. On a connection that was used before, this is how a server's
// idle timeout looks, and the request may be sent again on another one
// (RFC 9112, 9.3.1).
var ErrNoResponse = errors.New("connection closed before any byte of a response")

// Part is a part of a response.
type Part uint8

// The parts of a response.
const (
	PartHead Part = iota
	PartBody
	PartTrailer
)

// String returns the part as it stands in an error text.
func (p Part) String() string {
	return [...]string{"response head", "response body", "response trailer"}[p]
}

// ParseError says that a response breaks the protocol, or is one of the
// ambiguous ones this package refuses: the table in the package documentation
// has them all.
type ParseError struct {
	In     string // where: "status line", "field line", "framing", "chunk", "trailer"
	Reason string // what is wrong there
	Near   string // the bytes at fault, cut to a length fit for a message; may be empty
}

func (e *ParseError) Error() string {
	text := "malformed response: " + e.In + ": " + e.Reason
	if e.Near != "" {
		text += fmt.Sprintf(": %q", e.Near)
	}
	return text
}

// LimitError says that a response went past one of the [Limits].
type LimitError struct {
	What  string // what is too long or too many, up to the number
	Limit int    // the limit
	Unit  string // what the limit counts
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s %d %s", e.What, e.Limit, e.Unit)
}

// TruncatedError says that the peer closed the connection in the middle of a
// response. It is an [io.ErrUnexpectedEOF] to errors.Is.
type TruncatedError struct {
	Part Part  // where it happened
	Got  int64 // body bytes received
	Want int64 // body bytes declared, or -1 if the response did not say
}

func (e *TruncatedError) Error() string {
	switch {
	case e.Part == PartHead:
		return "connection closed within the response head"
	case e.Want >= 0:
		return fmt.Sprintf("connection closed after %d of %d body bytes", e.Got, e.Want)
	case e.Part == PartBody:
		return fmt.Sprintf("connection closed after %d body bytes, before the last chunk", e.Got)
	default:
		return fmt.Sprintf("connection closed within the trailer, after %d body bytes", e.Got)
	}
}

// Unwrap returns [io.ErrUnexpectedEOF].
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }

// clip returns the beginning of b, fit for a message.
func clip(b []byte) string {
	return string(b[:min(len(b), 60)])
}
