package http1

import (
	"math"
	"strings"
)

// Framing is how the end of a response's body is known (RFC 9112, 6.3).
type Framing uint8

// The framings.
const (
	NoBody     Framing = iota // there is none: HEAD, CONNECT with 2xx, 1xx, 204, 304
	Length                    // after Content-Length bytes
	Chunked                   // after the chunk of size zero and the trailer
	UntilClose                // when the server closes the connection
)

// String returns none, length, chunked or close.
func (f Framing) String() string {
	return [...]string{"none", "length", "chunked", "close"}[f]
}

// framed is what a head says about the body.
type framed struct {
	by      Framing
	length  int64 // of Length
	suspect bool  // the head contradicts itself: read it, but never reuse the connection
}

// frame finds how the body of a response is framed, following the order of
// RFC 9112, 6.3. Faulty framing fields are refused even where no body follows:
// but for a successful CONNECT, of which they must be ignored.
func frame(h Head, headRequest, connect bool) (framed, error) {
	if connect && h.Status/100 == 2 {
		return framed{by: NoBody}, nil
	}
	length, err := contentLength(h.linesFor("Content-Length"))
	if err != nil {
		return framed{}, err
	}
	chunked, err := isChunked(h)
	if err != nil {
		return framed{}, err
	}
	switch {
	case h.Status/100 == 1 && (chunked || length > 0):
		return framed{}, framingError("an interim response announces a body", "")
	case h.Status/100 == 1:
		return framed{by: NoBody}, nil
	case h.Status == 204:
		return framed{by: NoBody, suspect: chunked || length > 0}, nil
	case headRequest || h.Status == 304:
		return framed{by: NoBody, suspect: chunked && length >= 0}, nil
	case chunked:
		return framed{by: Chunked, suspect: length >= 0}, nil
	case length >= 0:
		return framed{by: Length, length: length}, nil
	}
	return framed{by: UntilClose}, nil
}

// contentLength returns what the Content-Length fields agree on, or -1 if there
// are none (RFC 9110, 8.6).
func contentLength(s Section) (int64, error) {
	agreed := int64(-1)
	for s != "" {
		var line string
		line, s = s.cut()
		if !isNamed(line, "Content-Length") {
			continue
		}
		if isFolded(line) {
			return 0, framingError("Content-Length is folded over two lines", line)
		}
		for element := range strings.SplitSeq(fieldValue(line), ",") {
			n, ok := parseLength(trimSpace(element))
			if !ok {
				return 0, framingError("Content-Length is not a number of bytes", line)
			}
			if agreed >= 0 && n != agreed {
				return 0, framingError("two values of Content-Length disagree", line)
			}
			agreed = n
		}
	}
	return agreed, nil
}

// parseLength reads 1*DIGIT that fits in an int64.
func parseLength(s string) (n int64, ok bool) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		digit := int64(s[i] - '0')
		if n > (math.MaxInt64-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, s != ""
}

// isChunked reports whether the body is chunked. It refuses every other
// transfer coding, as this package takes none off, and more than one
// (RFC 9112, 6.1).
func isChunked(h Head) (bool, error) {
	found := 0
	for s := h.linesFor("Transfer-Encoding"); s != ""; {
		var line string
		line, s = s.cut()
		if !isNamed(line, "Transfer-Encoding") {
			continue
		}
		switch found++; {
		case h.Minor == 0:
			return false, framingError("Transfer-Encoding in an HTTP/1.0 response", line)
		case isFolded(line):
			return false, framingError("Transfer-Encoding is folded over two lines", line)
		case !equalFold(fieldValue(line), "chunked") || found > 1:
			return false, framingError("a transfer coding other than chunked, or more than one", line)
		}
	}
	return found > 0, nil
}

func isFolded(line string) bool { return strings.IndexByte(chompString(line), '\n') >= 0 }

func framingError(reason, line string) error {
	return &ParseError{In: "framing", Reason: reason, Near: clip([]byte(chompString(line)))}
}
