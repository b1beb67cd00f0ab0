package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/socks5"
)

// connectRequest asks an HTTP proxy (RFC 9110 section 9.3.6).
type connectRequest struct {
	parser  http1.Parser
	request http1.Request
	sent    bool
	login   bool
}

// newConnectRequest asks for a tunnel to an origin.
func (l *loop) newConnectRequest(o *origin) *connectRequest {
	host, port := o.route.end()
	host, _, _ = strings.Cut(host, "%") // a zone means something on this machine only
	to := net.JoinHostPort(host, strconv.Itoa(int(port)))
	r := &connectRequest{login: o.route.proxy.login}
	r.request = http1.Request{Method: "CONNECT", Target: to, Host: to, ContentLength: -1}
	if agent := fieldValue(l.defaults, "User-Agent"); agent != "" {
		r.request.Fields = append(r.request.Fields, Field{Name: "User-Agent", Value: agent})
	}
	if o.credentials != "" {
		r.request.Fields = append(r.request.Fields, Field{Name: "Proxy-Authorization", Value: o.credentials})
	}
	r.parser.Reset(r.request.Method, l.limits)
	return r
}

func (r *connectRequest) feed(p []byte) { r.parser.Feed(p) }
func (r *connectRequest) eof()          { r.parser.EOF() }
func (r *connectRequest) rest() []byte  { return r.parser.Rest() }

func (r *connectRequest) next() (tunnelStep, error) {
	if !r.sent {
		r.sent = true
		return tunnelSends, nil
	}
	for {
		kind, err := r.parser.Next()
		switch {
		case err != nil:
			return tunnelNeedsData, err
		case kind == http1.NeedData:
			return tunnelNeedsData, nil
		case kind == http1.Final:
			if err := r.judge(r.parser.Head()); err != nil {
				return tunnelNeedsData, err
			}
		case kind == http1.Done:
			return tunnelStands, nil
		}
	}
}

// judge says why there is no tunnel. The body of such an answer is nobody's: the
// conn is closed.
func (r *connectRequest) judge(h Head) error {
	switch {
	case h.Status/100 == 2:
		return nil
	case h.Status == 407:
		return authErrorOf(h, r.login)
	}
	return fmt.Errorf("it makes no tunnel to %s: %w", r.request.Target, &StatusError{Code: int(h.Status), Reason: h.Reason()})
}

func (r *connectRequest) say(dst []byte) []byte {
	head, err := http1.AppendRequest(dst, &r.request)
	if err != nil {
		panic("fetch: a CONNECT cannot be written: " + err.Error())
	}
	return head
}

// socksRequest asks a SOCKS proxy.
type socksRequest struct {
	client socks5.Client
	target socks5.Target
	login  socks5.Login
}

// newSOCKSRequest asks for a tunnel to an origin: to its address, if that is
// known, or else to its name.
func newSOCKSRequest(r *route, address *netip.Addr) (*socksRequest, error) {
	host, port := r.end()
	s := &socksRequest{target: socks5.Target{Name: host, Port: port}}
	if a, ok := literal(host); ok {
		address = &a
	}
	if address != nil {
		s.target.Name, s.target.Address = "", address.Unmap().AsSlice()
	}
	var login *socks5.Login
	if r.proxy.login {
		s.login = socks5.Login{User: r.proxy.user, Password: r.proxy.password}
		login = &s.login
	}
	return s, s.client.Reset(&s.target, login)
}

func (s *socksRequest) feed(p []byte)         { s.client.Feed(p) }
func (s *socksRequest) eof()                  { s.client.EOF() }
func (s *socksRequest) say(dst []byte) []byte { return s.client.AppendMessage(dst) }
func (s *socksRequest) rest() []byte          { return s.client.Rest() }

func (s *socksRequest) next() (tunnelStep, error) {
	kind, err := s.client.Next()
	if e, ok := errors.AsType[*socks5.AuthError](err); ok && !e.Offered {
		err = fmt.Errorf("%w; %s", err, giveLogin)
	}
	switch kind {
	case socks5.Send:
		return tunnelSends, err
	case socks5.Done:
		return tunnelStands, err
	}
	return tunnelNeedsData, err
}
