package sim

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Server answers requests. r is chance for this connection alone, from the seed.
type Server func(q *Request, r *rand.Rand) Response

// Request is one whole request as an HTTP server got it.
type Request struct {
	Method  string
	Target  string // as it stood in the request line
	Version string // HTTP/1.1
	Head    []byte // request line and fields, as they came, with the empty line
	Body    []byte // as many bytes as Content-Length said

	Address netip.AddrPort // the server's
	Conn    int            // the connection's number, from 1
	Nth     int            // which request on its connection, from 1
	At      time.Duration  // when it was there as a whole
}

// Field gives the first field of a name, in any case; "" when there is none.
func (q *Request) Field(name string) string {
	for field := range strings.Lines(string(q.Head)) {
		key, value, ok := strings.Cut(field, ":")
		if ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Response is what a server sends, byte for byte, and what it does then.
type Response struct {
	Pieces []Piece
	Then   End
	Delay  time.Duration // before Then
}

// Piece is bytes that leave some time after the piece before.
type Piece struct {
	Delay time.Duration
	Bytes []byte // not to be changed any more
}

// End is what follows a response.
type End uint8

const (
	Keep  End = iota // the next request is waited for
	FIN              // the connection is closed
	RST              // the connection is reset
	Stall            // nothing is sent any more, and nothing closed
)

var endNames = [...]string{Keep: "keep", FIN: "fin", RST: "rst", Stall: "stall"}

func (e End) String() string { return endNames[e] }

// Raw is a response of exactly these bytes.
func Raw(p []byte) Response { return Response{Pieces: []Piece{{Bytes: p}}} }

// Reply is a response with Content-Length. fields are whole header fields, each
// ended by CR LF, or "".
func Reply(status int, fields string, body []byte) Response {
	head := reply(status, fields, "Content-Length: "+strconv.Itoa(len(body)))
	return Raw(append(head, body...))
}

// ReplyChunked is a response in chunks of at most size bytes.
func ReplyChunked(status int, fields string, body []byte, size int) Response {
	p := reply(status, fields, "Transfer-Encoding: chunked")
	for len(body) > 0 {
		n := min(size, len(body))
		p = strconv.AppendInt(p, int64(n), 16)
		p = append(p, "\r\n"...)
		p = append(p, body[:n]...)
		p = append(p, "\r\n"...)
		body = body[n:]
	}
	return Raw(append(p, "0\r\n\r\n"...))
}

// ReplyUntilClose is a response whose body ends with the connection.
func ReplyUntilClose(status int, fields string, body []byte) Response {
	p := Raw(append(reply(status, fields, "Connection: close"), body...))
	p.Then = FIN
	return p
}

// reply is a head. The reason phrase is left empty (RFC 9112, section 4).
func reply(status int, fields, framing string) []byte {
	return []byte("HTTP/1.1 " + strconv.Itoa(status) + " \r\n" + fields + framing + "\r\n\r\n")
}

// Bytes is all of a response's pieces together.
func (p Response) Bytes() []byte {
	var all []byte
	for _, piece := range p.Pieces {
		all = append(all, piece.Bytes...)
	}
	return all
}

// Served is what became of one request.
type Served struct {
	Request  *Request
	Response []byte // as the Server meant it
	Then     End    // what was really done after Sent bytes; Keep too when an idle connection was closed later
	Sent     int    // how many of the response were sent; whether they arrived is the client's business
	Surplus  int    // how many bytes followed that are no response
}

// Whole tells whether all of the response was sent.
func (s *Served) Whole() bool { return s.Sent == len(s.Response) }

// Served lists all requests that HTTP servers got, in the order in which they
// were whole.
func (k *Kernel) Served() []*Served { return k.served }

// HTTP is an Accept for a Server of HTTP/1: it splits what arrives into requests,
// also pipelined ones, and sends the responses in order. Line ends may be bare
// LF; a body goes by Content-Length. What is no such request is a violation and
// gets a 400.
func HTTP(server Server) Accept {
	return func(c *Conn) Peer { return &httpPeer{c: c, server: server} }
}

type httpPeer struct {
	c      *Conn
	server Server
	buf    []byte
	seen   int // of buf, searched for the end of the head already
	nth    int // requests so far
	deaf   bool
}

// Receive implements Peer.
func (h *httpPeer) Receive(p []byte) {
	h.buf = append(h.buf, p...)
	for !h.deaf && len(h.buf) > 0 {
		q, n := h.split()
		if n == 0 {
			return
		}
		head := h.buf[:n]
		h.buf, h.seen = h.buf[n:], 0
		if q == nil {
			h.reject(head)
			return
		}
		h.answer(q)
	}
}

// Closed implements Peer.
func (h *httpPeer) Closed() { h.deaf = true }

// split takes a request off the buffer: its length there, 0 while it is not
// whole; no request when the bytes are none.
func (h *httpPeer) split() (*Request, int) {
	end := headEnd(h.buf, h.seen)
	if end < 0 {
		h.seen = len(h.buf)
		return nil, 0
	}
	h.seen = max(0, end-4)
	q := &Request{Head: bytes.Clone(h.buf[:end]), Address: h.c.address, Conn: h.c.number, Nth: h.nth + 1, At: h.c.k.now}
	if !q.parseLine() {
		return nil, end
	}
	if q.Field("Transfer-Encoding") != "" {
		return nil, end
	}
	size := 0
	if text := q.Field("Content-Length"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, end
		}
		size = n
	}
	if len(h.buf) < end+size {
		return nil, 0
	}
	q.Body = bytes.Clone(h.buf[end : end+size])
	return q, end + size
}

// headEnd finds the end of the empty line; -1 while there is none. The first
// seen bytes were searched before.
func headEnd(p []byte, seen int) int {
	for i := max(0, seen-3); ; {
		lf := bytes.IndexByte(p[i:], '\n')
		if lf < 0 {
			return -1
		}
		i += lf + 1
		if rest := p[i:]; bytes.HasPrefix(rest, []byte("\n")) {
			return i + 1
		} else if bytes.HasPrefix(rest, []byte("\r\n")) {
			return i + 2
		}
	}
}

// parseLine reads the request line strictly: method, target, HTTP/1.0 or 1.1.
func (q *Request) parseLine() bool {
	first, _, _ := bytes.Cut(q.Head, []byte("\n"))
	parts := strings.Split(strings.TrimSuffix(string(first), "\r"), " ")
	if len(parts) != 3 {
		return false
	}
	q.Method, q.Target, q.Version = parts[0], parts[1], parts[2]
	for _, b := range []byte(q.Method) {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return q.Method != "" && q.Target != "" && (q.Version == "HTTP/1.1" || q.Version == "HTTP/1.0")
}

// reject answers what is no request.
func (h *httpPeer) reject(head []byte) {
	h.deaf = true
	h.c.k.violate("connection %d brought what is no request: %.100q", h.c.number, head)
	h.c.Send(0, reply(400, "", "Content-Length: 0"))
	h.c.Close(0)
}

// answer has the server answer a request, and chaos have its way.
func (h *httpPeer) answer(q *Request) {
	h.nth++
	k := h.c.k
	k.counts.Requests++
	k.note(callRequest, h.c.number, h.nth, checksum(q.Body), nil, q.Method+" "+q.Target)
	response := h.server(q, h.c.r)
	s := &Served{Request: q, Response: response.Bytes()}
	k.served = append(k.served, s)
	h.send(s, h.spoil(s, response))
	k.note(callResponse, h.c.number, s.Sent, checksum(s.Response), nil, s.Then.String())
}

// send sends a response that chaos has had.
func (h *httpPeer) send(s *Served, p Response) {
	for _, piece := range p.Pieces {
		h.c.Send(piece.Delay, piece.Bytes)
	}
	s.Then = p.Then
	switch p.Then {
	case FIN:
		h.c.Close(p.Delay)
	case RST:
		h.c.Reset(p.Delay)
	case Keep:
		h.idle()
		return
	}
	h.deaf = true
}
