package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
)

const (
	maxHeadBytes = 64 << 10
	maxBodyBytes = 1 << 20
)

var (
	errHead = fmt.Errorf("request head over %d bytes", maxHeadBytes)
	errBody = fmt.Errorf("request body over %d bytes", maxBodyBytes)
	errLine = errors.New("request line is not: METHOD TARGET [HTTP/1.x]")
)

// request is what a client sent.
type request struct {
	method, target, version string
	host                    string
	path                    string // decoded, as it is routed
	query                   url.Values
	fields                  map[string]string // by lower-case name; the last of several
	head                    []byte            // as it came
	body                    []byte
}

// readRequest reads one request: an origin or absolute target, lines that end
// in CRLF or in a bare LF, a body of Content-Length. io.EOF: the client ended
// before the first byte.
func readRequest(in *bufio.Reader) (*request, error) {
	r := &request{fields: make(map[string]string)}
	for {
		line, err := r.line(in)
		if err != nil {
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		switch {
		case r.method == "" && text == "":
			continue // RFC 9112, section 2.2: an empty line before the request is passed over
		case r.method == "":
			err = r.first(text)
		case text == "":
			return r, r.readBody(in)
		default:
			name, value, _ := strings.Cut(text, ":")
			r.fields[strings.ToLower(name)] = strings.TrimSpace(value)
		}
		if err != nil {
			return nil, err
		}
		if r.version == "HTTP/0.9" {
			return r, nil
		}
	}
}

// line reads a line and keeps it in head.
func (r *request) line(in *bufio.Reader) ([]byte, error) {
	began := len(r.head)
	for {
		piece, err := in.ReadSlice('\n')
		r.head = append(r.head, piece...)
		switch {
		case len(r.head) > maxHeadBytes:
			return nil, errHead
		case err == nil:
			return r.head[began:], nil
		case err == io.EOF && len(r.head) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

func (r *request) first(line string) error {
	parts := strings.Fields(line)
	switch {
	case len(parts) == 2:
		r.version = "HTTP/0.9" // no version and no fields
	case len(parts) == 3 && strings.HasPrefix(parts[2], "HTTP/1."):
		r.version = parts[2]
	default:
		return errLine
	}
	r.method, r.target = parts[0], parts[1]
	u, err := url.Parse(r.target)
	if err != nil || !strings.HasPrefix(u.Path, "/") && u.Path != "" {
		return errLine
	}
	r.host, r.path = u.Host, strings.TrimPrefix(u.Path, "/")
	if r.query, err = url.ParseQuery(u.RawQuery); err != nil {
		return errLine
	}
	return nil
}

func (r *request) readBody(in *bufio.Reader) error {
	text, ok := r.fields["content-length"]
	if !ok {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n > maxBodyBytes {
		return errBody
	}
	r.body = make([]byte, n)
	_, err = io.ReadFull(in, r.body)
	return err
}

// keeps tells whether the client would like to keep the connection (RFC 9112,
// section 9.3).
func (r *request) keeps() bool {
	connection := strings.ToLower(r.fields["connection"])
	switch r.version {
	case "HTTP/1.1":
		return !strings.Contains(connection, "close")
	case "HTTP/1.0":
		return strings.Contains(connection, "keep-alive")
	}
	return false
}
