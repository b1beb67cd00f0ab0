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
	From    netip.Addr     // that the client's socket was bound to; zero without
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
	q := &Request{Head: bytes.Clone(h.buf[:end]), Address: h.c.address, From: h.c.socket.from, Conn: h.c.number, Nth: h.nth + 1, At: h.c.k.now}
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
