package fetch

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// route is what two requests must share to share a connection. It is a key, so
// every part that could make two servers out of one name belongs in it.
type route struct {
	host    string // lower case; an address without brackets
	port    uint16
	secure  bool     // https
	instead endpoint // of host and port, where connections lead; mostly zero
	proxy   proxy    // through which; mostly none
}

// endpoint is a host and a port.
type endpoint struct {
	host string // lower case; an address without brackets
	port uint16
}

// end is where its connections lead, through a proxy or not.
func (r *route) end() (host string, port uint16) {
	if r.instead != (endpoint{}) {
		return r.instead.host, r.instead.port
	}
	return r.host, r.port
}

// forwards says whether a proxy is sent the requests themselves, and tunnels
// whether it makes a tunnel for them. A proxy that forwards would go by the URL.
func (r *route) forwards() bool {
	return !r.secure && r.instead == (endpoint{}) && (r.proxy.kind == httpProxy || r.proxy.kind == httpsProxy)
}
func (r *route) tunnels() bool { return r.proxy.kind != noProxy && !r.forwards() }

// hop is where its conns' sockets lead: to the proxy, if there is one.
func (r *route) hop() (host string, port uint16) {
	if r.proxy.kind != noProxy {
		return r.proxy.host, r.proxy.port
	}
	return r.end()
}

// beginsWithTLS says whether TLS is the first thing on its conns, and hasTLS
// whether they have it at all.
func (r *route) beginsWithTLS() bool {
	return r.proxy.isSecure() || r.secure && r.proxy.kind == noProxy
}
func (r *route) hasTLS() bool { return r.secure || r.proxy.isSecure() }

// isSameOrigin compares two routes but for the ways there.
func (r route) isSameOrigin(s route) bool {
	r.proxy, s.proxy = proxy{}, proxy{}
	r.instead, s.instead = endpoint{}, endpoint{}
	return r == s
}

// lead finds the way to a target: through which proxy, and where to in the place
// of its own host and port.
func (l *loop) lead(t *target) (err error) {
	if t.route.proxy, err = l.proxyFor(t.url); err != nil || l.options.ConnectTo == nil {
		return err
	}
	own := endpoint{t.route.host, t.route.port}
	host, port := l.options.ConnectTo(own.host, own.port)
	if to := (endpoint{strings.ToLower(cmp.Or(host, own.host)), cmp.Or(port, own.port)}); to != own {
		t.route.instead = to
	}
	return nil
}

// target is a URL taken apart into what the engine needs of it.
type target struct {
	url           string // as it is spelled on the wire; pathOf cuts it
	route         route
	authority     string // the Host field's value (RFC 9110 section 7.2)
	authorization string // the Authorization field's that the URL had, if any
}

var errNoHost = errors.New("the URL names no host")

// parseTarget reads an absolute http or https URL.
func parseTarget(raw string) (target, error) {
	u, err := readURL(raw)
	if err != nil {
		return target{}, err
	}
	if strings.Contains(u.Path, "/.") {
		u = new(url.URL).ResolveReference(u) // takes out dot segments (RFC 3986 section 5.2.4)
	}
	return targetOf(u, raw)
}

// targetOf checks a URL that was parsed from raw and takes it apart.
func targetOf(u *url.URL, raw string) (target, error) {
	switch {
	case u.Scheme == "":
		return target{}, errors.New("the URL has no scheme; write http:// before it")
	case u.Scheme != "http" && u.Scheme != "https":
		return target{}, fmt.Errorf("the scheme %q is not supported, only http and https", u.Scheme)
	case u.Hostname() == "":
		return target{}, errNoHost
	}
	authorization, err := authorizationOf(u.User)
	if err == nil {
		err = toASCII(u)
	}
	if err != nil {
		return target{}, err
	}
	route, err := routeOf(u)
	if err != nil {
		return target{}, err
	}
	host := strings.Replace(u.Host, "%", "%25", 1) // a zone's, RFC 6874
	return target{spell(raw, u.Scheme, host, u.RequestURI()), route, authorityOf(u.Host, route.secure), authorization}, nil
}

// authorityOf is a URL's host as the Host field names it: without the default
// port, and without a zone, which means something on this machine only.
func authorityOf(host string, secure bool) string {
	if secure {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	host = strings.TrimSuffix(host, ":")
	zone, end := strings.IndexByte(host, '%'), strings.IndexByte(host, ']')
	if zone >= 0 && zone < end {
		host = host[:zone] + host[end:]
	}
	return host
}

// schemeEnd stands between a URL's scheme and its host.
const schemeEnd = "://"

// spell puts a URL together; raw, if that is how it is spelled already.
func spell(raw, scheme, host, path string) string {
	rest, same := strings.CutPrefix(raw, scheme)
	if same && len(rest) == len(schemeEnd)+len(host)+len(path) &&
		strings.HasPrefix(rest, schemeEnd) && strings.HasSuffix(rest, path) && rest[len(schemeEnd):][:len(host)] == host {
		return raw
	}
	return scheme + schemeEnd + host + path
}

// pathOf is the request-target of a spelled URL (RFC 9112 section 3.2.1).
func pathOf(url string) string {
	host := strings.Index(url, schemeEnd) + len(schemeEnd)
	return url[host+strings.IndexByte(url[host:], '/'):]
}

func routeOf(u *url.URL) (route, error) {
	r := route{host: strings.ToLower(u.Hostname()), port: 80}
	if u.Scheme == "https" {
		r.port, r.secure = 443, true
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return route{}, fmt.Errorf("port %s is not between 1 and 65535", p)
		}
		r.port = uint16(n)
	}
	return r, nil
}

// literal is the address that a host is, when it is one and not a name.
func literal(host string) (netip.Addr, bool) {
	if len(host) == 0 || (host[0] < '0' || host[0] > '9') && strings.IndexByte(host, ':') < 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(host)
	return a, err == nil
}
