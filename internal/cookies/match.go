package cookies

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// domainFor is the domain of a cookie from that host, and whether it is the
// host's alone (RFC 6265 section 5.3, steps 4 to 6).
func (s *setCookie) domainFor(host string) (domain string, hostOnly bool, err error) {
	switch {
	case host == "":
		return "", false, errors.New("there is no host that the cookie could belong to")
	case s.domain == "":
		return host, true, nil
	case s.domain == host && (isAddress(host) || isPublicSuffix(host)):
		return host, true, nil
	case !matchDomain(host, s.domain):
		return "", false, fmt.Errorf("a cookie for the domain %q cannot come from %s", s.domain, host)
	case isPublicSuffix(s.domain):
		return "", false, fmt.Errorf("a cookie cannot be for all of %s", s.domain)
	}
	return s.domain, false, nil
}

// isPublicSuffix says whether strangers may have names below this one: com,
// co.uk, github.io.
func isPublicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// isSafe says whether nobody on the way can read or write what goes to a URL and
// comes from it: https, and this machine (RFC 6265bis leaves the latter to us;
// browsers, curl and net/http agree).
func (u URL) isSafe() bool {
	if u.Secure || u.Host == "localhost" || strings.HasSuffix(u.Host, ".localhost") {
		return true
	}
	if !isAddress(u.Host) {
		return false
	}
	address, err := netip.ParseAddr(u.Host)
	return err == nil && address.IsLoopback()
}

// matchDomain says whether a host is a domain, or in it (RFC 6265 section
// 5.1.3).
func matchDomain(host, domain string) bool {
	above, in := strings.CutSuffix(host, domain)
	return in && (above == "" || above[len(above)-1] == '.' && !isAddress(host))
}

// matchPath says whether a cookie of one path goes with a request for another
// (RFC 6265 section 5.1.4).
func matchPath(request, path string) bool {
	below, in := strings.CutPrefix(request, path)
	return in && (below == "" || below[0] == '/' || path[len(path)-1] == '/')
}

// defaultPath is the path of a cookie that names none: the folder of what was
// asked for (RFC 6265 section 5.1.4).
func defaultPath(request string) string {
	if last := strings.LastIndexByte(request, '/'); last > 0 {
		return request[:last]
	}
	return "/"
}

// pathOnly is a path without the query.
func pathOnly(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if path == "" || path[0] != '/' {
		return "/"
	}
	return path
}

// parentOf is the domain above one, or nothing.
func parentOf(domain string) string {
	_, parent, _ := strings.Cut(domain, ".")
	return parent
}

func isAddress(host string) bool {
	if last := host[max(len(host)-1, 0):]; !strings.Contains(host, ":") && (last < "0" || last > "9") {
		return false // the last label of a name is not a number
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
