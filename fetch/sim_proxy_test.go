package fetch_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/shoalfetch/shoal/internal/sim"
)

// simProxy is a proxy of a simulated world: an HTTP or a SOCKS 5 one, behind TLS
// if it is put there.
type simProxy struct {
	user, password string     // what it lets in; empty: everybody
	forward        sim.Server // what it forwards; the target is absolute

	// reach gives the server that a tunnel leads to, or none.
	reach func(host string, port uint16) sim.Accept

	// spoil may do something else with a request for a tunnel, and says whether it
	// did.
	spoil func(c *sim.Conn) bool

	surplus []byte   // sent right behind the answer that makes a tunnel
	asked   []string // the tunnels that it was asked for, host:port
}

// http is the accept of an HTTP proxy.
func (p *simProxy) http(c *sim.Conn) sim.Peer {
	return &httpProxyPeer{proxy: p, c: c, plain: sim.HTTP(p.serve)(c)}
}

// serve forwards a request, if its sender may ask for that.
func (p *simProxy) serve(q *sim.Request, r *rand.Rand) sim.Response {
	if !p.knows(q) {
		return sim.Reply(407, "Proxy-Authenticate: Basic realm=\"here\"\r\n", []byte("who are you?"))
	}
	return p.forward(q, r)
}

func (p *simProxy) knows(q *sim.Request) bool {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password))
	return p.user == "" || q.Field("Proxy-Authorization") == want
}

// httpProxyPeer tells requests to forward from a request for a tunnel.
type httpProxyPeer struct {
	proxy *simProxy
	c     *sim.Conn
	plain sim.Peer
	head  []byte
	inner sim.Peer // what the tunnel leads to
}

// Receive implements sim.Peer.
func (h *httpProxyPeer) Receive(b []byte) {
	const method = "CONNECT "
	switch {
	case h.inner != nil:
		h.inner.Receive(b)
		return
	case h.plain == nil:
		return
	}
	h.head = append(h.head, b...)
	if n := min(len(h.head), len(method)); string(h.head[:n]) != method[:n] {
		b, h.head = h.head, nil
		h.plain.Receive(b)
		return
	}
	if head, rest, whole := bytes.Cut(h.head, []byte("\r\n\r\n")); whole {
		h.connect(&sim.Request{Head: head}, rest)
	}
}

// connect makes the tunnel that a request is for.
func (h *httpProxyPeer) connect(q *sim.Request, rest []byte) {
	h.plain = nil
	p := h.proxy
	line := strings.Fields(string(q.Head))
	host, port := splitTarget(line[1])
	p.asked = append(p.asked, line[1])
	accept := p.reach(host, port)
	switch {
	case line[2] != "HTTP/1.1" || q.Field("Host") != line[1]:
		h.refuse(400, "")
	case !p.knows(q):
		h.refuse(407, "Proxy-Authenticate: Basic realm=\"here\"\r\n")
	case p.spoil != nil && p.spoil(h.c):
	case accept == nil:
		h.refuse(502, "")
	default:
		h.c.Send(0, append([]byte("HTTP/1.1 200 Connection established\r\n\r\n"), p.surplus...))
		h.inner = accept(h.c)
		if len(rest) > 0 {
			h.inner.Receive(rest)
		}
	}
}

func (h *httpProxyPeer) refuse(status int, fields string) {
	h.c.Send(0, sim.Reply(status, fields, []byte("no way")).Bytes())
	h.c.Close(0)
}

// Closed implements sim.Peer.
func (h *httpProxyPeer) Closed() {
	if h.inner != nil {
		h.inner.Closed()
	}
}

func splitTarget(target string) (host string, port uint16) {
	host, text, err := net.SplitHostPort(target)
	if err != nil {
		panic(err)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		panic(err)
	}
	return host, uint16(n)
}

// socks is the accept of a SOCKS 5 proxy.
func (p *simProxy) socks(c *sim.Conn) sim.Peer { return &socksPeer{proxy: p, c: c} }

// socksPeer reads what SOCKS 5 says, in pieces of any size (RFC 1928, RFC 1929).
type socksPeer struct {
	proxy *simProxy
	c     *sim.Conn
	in    []byte
	stage int // greeting, login, request, over
	inner sim.Peer
}

// Receive implements sim.Peer.
func (s *socksPeer) Receive(b []byte) {
	s.in = append(s.in, b...)
	for s.inner == nil && s.stage < 3 {
		var n int
		switch s.stage {
		case 0:
			n = s.greet()
		case 1:
			n = s.login()
		case 2:
			n = s.connect()
		}
		if n == 0 {
			return
		}
		s.in = s.in[n:]
	}
	if s.inner != nil && len(s.in) > 0 {
		b, s.in = s.in, nil
		s.inner.Receive(b)
	}
}

// greet selects how to log in, once the greeting is whole, and gives its length.
func (s *socksPeer) greet() int {
	if len(s.in) < 2 || len(s.in) < 2+int(s.in[1]) {
		return 0
	}
	n := 2 + int(s.in[1])
	want := byte(0)
	if s.stage = 2; s.proxy.user != "" {
		want, s.stage = 2, 1
	}
	if !bytes.Contains(s.in[2:n], []byte{want}) {
		want = 0xff
		s.stage = 3
	}
	s.c.Send(0, []byte{5, want})
	return n
}

func (s *socksPeer) login() int {
	user, n := lengthed(s.in, 1)
	password, end := lengthed(s.in, n)
	if n == 0 || end == 0 {
		return 0
	}
	if user != s.proxy.user || password != s.proxy.password {
		s.c.Send(0, []byte{1, 1})
		s.c.Close(0)
		s.stage = 3
		return end
	}
	s.c.Send(0, []byte{1, 0})
	s.stage = 2
	return end
}

// lengthed gives the text that stands at a place behind its length, and where it
// ends; 0 while it is not whole.
func lengthed(p []byte, at int) (string, int) {
	if at == 0 || len(p) <= at || len(p) < at+1+int(p[at]) {
		return "", 0
	}
	end := at + 1 + int(p[at])
	return string(p[at+1 : end]), end
}

func (s *socksPeer) connect() int {
	if len(s.in) < 5 {
		return 0
	}
	size := map[byte]int{1: 4, 4: 16, 3: 1 + int(s.in[4])}[s.in[3]]
	end := 4 + size + 2
	if len(s.in) < end {
		return 0
	}
	s.stage = 3
	host := string(s.in[5 : 4+size])
	if s.in[3] != 3 {
		a, _ := netip.AddrFromSlice(s.in[4 : 4+size])
		host = a.String()
	}
	port := binary.BigEndian.Uint16(s.in[end-2:])
	s.proxy.asked = append(s.proxy.asked, net.JoinHostPort(host, strconv.Itoa(int(port))))
	accept := s.proxy.reach(host, port)
	switch {
	case s.proxy.spoil != nil && s.proxy.spoil(s.c):
	case accept == nil:
		s.c.Send(0, []byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		s.c.Close(0)
	default:
		s.c.Send(0, append([]byte{5, 0, 0, 1, 10, 0, 0, 9, 0, 99}, s.proxy.surplus...))
		s.inner = accept(s.c)
	}
	return end
}

// Closed implements sim.Peer.
func (s *socksPeer) Closed() {
	if s.inner != nil {
		s.inner.Closed()
	}
}

// absolute reads the target of a request to a proxy.
func absolute(q *sim.Request) (*url.URL, error) {
	u, err := url.Parse(q.Target)
	if err == nil && (u.Scheme != "http" || u.Host != q.Field("Host")) {
		err = fmt.Errorf("%s for the host %q", q.Target, q.Field("Host"))
	}
	return u, err
}
