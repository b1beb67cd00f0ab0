package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/shoalfetch/shoal/fetch"
)

// endpoint is a host and a port. An empty host and a port of 0 stand for any; as
// where to go, for the same.
type endpoint struct {
	host string
	port uint16
}

// detour is where to connect to for some hosts and ports.
type detour struct{ from, to endpoint }

// detours are those of --connect-to. The syntax is curl's,
// HOST1:PORT1:HOST2:PORT2.
type detours []detour

// find gives the place to connect to for a host and port: what the first that
// fits says.
func (d *detours) find(host string, port uint16) (string, uint16) {
	for _, one := range *d {
		if (one.from.host == "" || one.from.host == host) && (one.from.port == 0 || one.from.port == port) {
			return one.to.host, one.to.port
		}
	}
	return "", 0
}

var errDetour = errors.New("it takes HOST1:PORT1:HOST2:PORT2, as in --connect-to example.org:443:127.0.0.1:8443 or ::[::1]:8080; each part may be empty")

// Set implements pflag.Value.
func (d *detours) Set(text string) error {
	from, rest, more, ok := cutEndpoint(text)
	if !ok || !more {
		return errDetour
	}
	to, _, more, ok := cutEndpoint(rest)
	if !ok || more {
		return errDetour
	}
	*d = append(*d, detour{from, to})
	return nil
}

// cutEndpoint takes HOST:PORT off the front of a text, and says whether a colon
// and more follow.
func cutEndpoint(text string) (e endpoint, rest string, more, ok bool) {
	colon := strings.IndexByte(text, ':')
	if strings.HasPrefix(text, "[") {
		colon = strings.IndexByte(text, ']') + 1
	}
	if colon < 0 || colon == len(text) || text[colon] != ':' {
		return e, "", false, false
	}
	number, rest, more := strings.Cut(text[colon+1:], ":")
	if e.host, ok = plainHost(text[:colon]); !ok {
		return e, "", false, false
	}
	if number != "" {
		n, err := strconv.ParseUint(number, 10, 16)
		e.port, ok = uint16(n), err == nil && n > 0
	}
	return e, rest, more, ok
}

// plainHost is a host as the engine names it: in lower case and ASCII, an address
// without brackets. None is none.
func plainHost(host string) (string, bool) {
	if host == "" {
		return "", true
	}
	r := fetch.Request{URL: "http://" + host + "/"}
	plain, err := r.Host()
	return plain, err == nil && !strings.ContainsAny(host, "/?#@ ")
}

// String implements pflag.Value.
func (d *detours) String() string { return "" }

// Type implements pflag.Value.
func (*detours) Type() string { return "HOST1:PORT1:HOST2:PORT2" }
