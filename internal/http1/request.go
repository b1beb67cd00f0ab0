package http1

import (
	"fmt"
	"strconv"
)

// Request is what the head of a request says.
type Request struct {
	Method string  // a token; compared with regard to case
	Target string  // the request target in any of its forms (RFC 9112, 3.2), escaped
	Host   string  // host, or host:port; an IPv6 address in brackets
	Fields []Field // in the order to send; Host, Content-Length and Transfer-Encoding are not among them

	// ContentLength is the length of the body in bytes; -1 if the request has
	// none. Writing the body is the caller's.
	ContentLength int64

	// HTTP10 makes it an HTTP/1.0 request.
	HTTP10 bool

	// Raw, when it is not nil, is what is written, in the place of all this. It
	// is not checked.
	Raw []byte
}

// RequestError says that a request cannot be written as HTTP/1.1.
type RequestError struct {
	Part   string // which part of it: "method", "target", "host", "field name", "field value"
	Reason string
	Value  string // that part, cut to a length fit for a message
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("invalid request: %s: %s: %q", e.Part, e.Reason, e.Value)
}

// AppendRequest appends the head of r to dst: the request line, Host, the
// fields in their order, Content-Length if there is one, and the empty line.
// Whitespace around a value is left out. It allocates only if dst has too
// little room.
//
// It refuses with a [*RequestError] what would not reach the server as the one
// request it is; dst is then returned as it was.
func AppendRequest(dst []byte, r *Request) ([]byte, error) {
	if r.Raw != nil {
		return append(dst, r.Raw...), nil
	}
	if err := r.check(); err != nil {
		return dst, err
	}
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.Target...)
	if r.HTTP10 {
		dst = append(dst, " HTTP/1.0\r\n"...)
	} else {
		dst = append(dst, " HTTP/1.1\r\n"...)
	}
	dst = appendField(dst, "Host", r.Host)
	for i := range r.Fields {
		dst = appendField(dst, r.Fields[i].Name, trimSpace(r.Fields[i].Value))
	}
	if r.ContentLength >= 0 {
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, r.ContentLength, 10)
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...), nil
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

func (r *Request) check() error {
	switch {
	case !tokenBytes.all(r.Method):
		return requestError("method", "not a token", r.Method)
	case !isTarget(r.Target):
		return requestError("target", "empty, or has whitespace, control or non-ASCII characters", r.Target)
	case !hostBytes.all(r.Host):
		return requestError("host", "empty, or has a character that no host has", r.Host)
	}
	for i := range r.Fields {
		if err := r.Fields[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) check() error {
	if !tokenBytes.all(f.Name) {
		return requestError("field name", "not a token", f.Name)
	}
	for _, own := range [...]string{"Host", "Content-Length", "Transfer-Encoding"} {
		if equalFold(f.Name, own) {
			return requestError("field name", "written by its own rule, not as a field", f.Name)
		}
	}
	for i := range len(f.Value) {
		if !isText(f.Value[i]) {
			return requestError("field value", "has a control character", f.Value)
		}
	}
	return nil
}

// isTarget reports whether s can stand between the two spaces of a request
// line: visible ASCII.
func isTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

func requestError(part, reason, value string) error {
	return &RequestError{Part: part, Reason: reason, Value: clip([]byte(value))}
}
