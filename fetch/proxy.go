package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shoalfetch/shoal/internal/socks5"
)

// proxyKind is how a proxy is spoken to.
type proxyKind uint8

const (
	noProxy      proxyKind = iota
	httpProxy              // HTTP: it forwards http, and makes tunnels for https
	httpsProxy             // the same, inside TLS
	socksProxy             // SOCKS 5, which is given addresses
	socksHProxy            // SOCKS 5, which is given names and looks them up
	noOtherProxy           // how many there are
)

// proxySchemes are the kinds as schemes of URLs, and proxyPorts the ports that
// each has by default.
var (
	proxySchemes = [noOtherProxy]string{httpProxy: "http", httpsProxy: "https", socksProxy: "socks5", socksHProxy: "socks5h"}
	proxyPorts   = [noOtherProxy]uint16{httpProxy: 80, httpsProxy: 443, socksProxy: 1080, socksHProxy: 1080}
)

// proxy is the part of a route that says through what it leads. The zero value is
// none.
type proxy struct {
	host           string // lower case; an address without brackets
	user, password string
	port           uint16
	kind           proxyKind
	login          bool // there are a user and a password, be they empty
}

// proxyOf reads a proxy's URL. No error shows what might be a password.
func proxyOf(u *url.URL) (proxy, error) {
	kind := slices.Index(proxySchemes[:], u.Scheme)
	if kind <= 0 {
		return proxy{}, fmt.Errorf("a proxy's scheme is http, https, socks5 or socks5h, not %q", u.Scheme)
	}
	p := proxy{kind: proxyKind(kind), host: strings.ToLower(u.Hostname()), port: proxyPorts[kind]}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return proxy{}, errors.New("a proxy's port is not between 1 and 65535")
		}
		p.port = uint16(n)
	}
	if u.User != nil {
		p.login, p.user = true, u.User.Username()
		p.password, _ = u.User.Password()
	}
	switch {
	case p.host == "":
		return proxy{}, errors.New("a proxy's URL names no host")
	case !p.isSOCKS() && strings.Contains(p.user, ":"):
		return proxy{}, errors.New("the user name for a proxy has a colon (RFC 7617 section 2)")
	}
	return p, nil
}

// isSecure says whether the proxy is spoken to inside TLS.
func (p *proxy) isSecure() bool { return p.kind == httpsProxy }

func (p *proxy) isSOCKS() bool { return p.kind == socksProxy || p.kind == socksHProxy }

// place is the proxy's URL without credentials.
func (p *proxy) place() string {
	if p.kind == noProxy {
		return ""
	}
	return proxySchemes[p.kind] + schemeEnd + net.JoinHostPort(p.host, strconv.Itoa(int(p.port)))
}

// String is the proxy's URL as errors have it, without the password.
func (p *proxy) String() string {
	if !p.login {
		return p.place()
	}
	user := url.User(p.user).String()
	if p.password != "" {
		user += ":***"
	}
	return strings.Replace(p.place(), schemeEnd, schemeEnd+user+"@", 1)
}

// authorization is the value of the field Proxy-Authorization; empty without
// credentials.
func (p *proxy) authorization() string {
	if !p.login || p.isSOCKS() {
		return ""
	}
	return basic(p.user, p.password)
}

// proxyFor asks which proxy a URL has.
func (l *loop) proxyFor(target string) (proxy, error) {
	if l.options.Proxy == nil || l.options.UnixSocket != "" {
		return proxy{}, nil
	}
	u, err := readURL(target)
	if err != nil {
		return proxy{}, err
	}
	at, err := l.options.Proxy(u)
	if err != nil || at == nil {
		return proxy{}, err
	}
	p, err := proxyOf(at)
	if err == nil && l.options.DenyPrivate && p.kind != socksProxy {
		err = errUnseen
	}
	return p, err
}

// errUnseen: whether an address is private shows only to who looks it up.
var errUnseen = errors.New("private addresses are denied, and a proxy that looks names up itself may lead to one; one of socks5 is given addresses")

// ProxyError is why a proxy brought no connection to the server.
type ProxyError struct {
	Proxy string // its URL, with *** for the password
	// Phase is which step failed: PhaseLookup (of the proxy's name), PhaseDial (to
	// the proxy), PhaseTLS (with the proxy), or PhaseProxy: it was asked, and
	// refused.
	Phase Phase
	Err   error
}

func (e *ProxyError) Error() string {
	if e.Phase == PhaseProxy {
		return e.Proxy + ": " + e.Err.Error()
	}
	return e.Proxy + ": " + e.Phase.String() + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *ProxyError) Unwrap() error { return e.Err }

// blame finds the phase of a failure, and names the proxy if it is the proxy's.
func (j *job) blame(phase Phase, err error) (Phase, error) {
	switch {
	case errors.As(err, new(*ProxyError)):
		return PhaseProxy, err
	case j.origin == nil || j.origin.route.proxy.kind == noProxy || phase > PhaseProxy || phase < PhaseLookup,
		phase == PhaseLookup && j.looksBeyond(), errors.As(err, new(*ShortageError)):
		return phase, err
	}
	return PhaseProxy, &ProxyError{j.origin.route.proxy.String(), phase, err}
}

// ProxyAuthError says that a proxy wants to know its client (407), and how.
type ProxyAuthError struct {
	Offered bool     // a user name and a password were sent, and not accepted
	Schemes []string // the ways that the proxy offers (RFC 9110 section 11.7.1), in lower case; "basic" is the one there is
}

func (e *ProxyAuthError) Error() string {
	switch {
	case len(e.Schemes) > 0 && !slices.Contains(e.Schemes, "basic"):
		return fmt.Sprintf("it wants a login of the kind %s, which is not supported (407)", strings.Join(e.Schemes, " or "))
	case e.Offered:
		return "it does not accept the user name or the password (407)"
	}
	return "it wants a user name and a password (407); " + giveLogin
}

// giveLogin says where a login comes from.
const giveLogin = "give them with the proxy (-U, or in its URL)"

// authErrorOf reads a head with status 407.
func authErrorOf(h Head, offered bool) error {
	e := &ProxyAuthError{Offered: offered}
	for value := range h.Values("Proxy-Authenticate") {
		for challenge := range strings.SplitSeq(value, ",") {
			scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(challenge)), " ")
			if !strings.Contains(scheme, "=") && !slices.Contains(e.Schemes, scheme) { // else it is a parameter
				e.Schemes = append(e.Schemes, scheme)
			}
		}
	}
	return e
}

// refusedByProxy is why a proxy did not forward a request, if that is what a
// head says. The answer to a caller's own bytes is the caller's to judge.
func (j *job) refusedByProxy(h Head) error {
	r := &j.origin.route
	if h.Status != 407 || !r.forwards() || j.outgoing().Raw != nil {
		return nil
	}
	return &ProxyError{r.proxy.String(), PhaseProxy, authErrorOf(h, r.proxy.login)}
}

// mayPass tells the replies of a SOCKS proxy that are about the network beyond
// it, which may be another next time (RFC 1928 section 6).
func mayPass(e *socks5.ReplyError) bool {
	return e.Code == 1 || e.Code >= 3 && e.Code <= 6
}
