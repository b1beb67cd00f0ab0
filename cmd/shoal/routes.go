package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
)

// routes are what the flags say of the ways to servers, proxies apart.
type routes struct {
	local     localValue
	connectTo detours
	unix      string
}

func addRouteFlags(f *pflag.FlagSet, r *routes) {
	*r = routes{}
	f.Var(&r.local, "interface", "connect from the addresses of the interface `NAME`, or from one address")
	f.Var(&r.connectTo, "connect-to", "connect to HOST2 and PORT2 for URLs of HOST1 and PORT1, telling the server what the URL says; HOST1 or PORT1 may be left out and stand for all, HOST2 or PORT2 for the same; may be given several times, and the first that fits counts")
	f.StringVar(&r.unix, "unix-socket", "", "connect to the socket `PATH` of this machine, whatever the hosts of the URLs; no name is looked up, and no proxy used")
}

// apply puts them in the engine's terms.
func (r *routes) apply(o *fetch.Options) {
	o.LocalAddrs, o.UnixSocket = r.local.addrs, r.unix
	if len(r.connectTo) > 0 {
		o.ConnectTo = r.connectTo.find
	}
}

// checkRoutes refuses what does not go together.
func (s *settings) checkRoutes() error {
	path := s.routes.unix
	switch {
	case path == "":
		return nil
	case len(path) > mostUnixPath || path[0] == '@':
		return usagef("--unix-socket takes a path of at most %d bytes; one that begins with @ is written ./@", mostUnixPath)
	}
	for _, other := range []struct {
		flag  string
		given bool
	}{
		{"-x", s.proxies.address.text != ""},
		{"--interface", s.routes.local.given != ""},
		{"--connect-to", len(s.routes.connectTo) > 0},
		{"--deny-private", s.denyPrivate},
	} {
		if other.given {
			return usagef("--unix-socket and %s do not go together: all connections lead to that socket", other.flag)
		}
	}
	return nil
}

// mostUnixPath is what the engine takes.
const mostUnixPath = 103

// localValue is a flag's addresses of this machine.
type localValue struct {
	given string
	addrs []netip.Addr
}

// Set implements pflag.Value.
func (v *localValue) Set(text string) (err error) {
	v.given = text
	address := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if a, err := netip.ParseAddr(address); err == nil {
		v.addrs = []netip.Addr{a.Unmap()}
		return nil
	}
	v.addrs, err = addrsOf(text)
	return err
}

// addrsOf are the addresses of an interface, with its name for the zone where
// they need one.
func addrsOf(name string) (addrs []netip.Addr, err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, errors.New("it is no address, and this machine has no interface of that name")
	}
	nets, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	for _, n := range nets {
		p, err := netip.ParsePrefix(n.String())
		if err != nil {
			continue
		}
		a := p.Addr().Unmap()
		if a.Is6() && a.IsLinkLocalUnicast() {
			a = a.WithZone(name)
		}
		addrs = append(addrs, a)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("the interface %s has no address", name)
	}
	return addrs, nil
}

// String implements pflag.Value.
func (v *localValue) String() string { return v.given }

// Type implements pflag.Value.
func (*localValue) Type() string { return "NAME" }
