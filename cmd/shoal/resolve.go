package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// resolver is the system's, for one family or both, but for the names that
// --resolve answers for, and those under localhost.
type resolver struct {
	network string // "ip", "ip4" or "ip6"
	known   hosts
}

// LookupNetIP implements fetch.Resolver.
func (r *resolver) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	host = strings.ToLower(host)
	addrs, known := r.known[host]
	if !known && strings.HasSuffix(strings.TrimSuffix(host, "."), ".localhost") {
		addrs, known = ownAddrs, true
	}
	if !known {
		return net.DefaultResolver.LookupNetIP(ctx, r.network, host)
	}
	var fit []netip.Addr
	for _, a := range addrs {
		if r.network == "ip" || a.Is4() == (r.network == "ip4") {
			fit = append(fit, a)
		}
	}
	return fit, nil
}

// ownAddrs are this machine's. Every name under localhost leads there, whatever
// the system thinks of it (RFC 6761 section 6.3).
var ownAddrs = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}

// hosts are names with the addresses that --resolve gives them. The engine looks
// names up without their ports, so an answer is one for all ports.
type hosts map[string][]netip.Addr

// Set implements pflag.Value. The syntax is curl's, HOST:PORT:ADDR[,ADDR].
func (h hosts) Set(text string) error {
	host, rest, ok := strings.Cut(text, ":")
	port, list, more := strings.Cut(rest, ":")
	if !ok || !more || host == "" || !isPort(port) {
		return fmt.Errorf("it takes HOST:PORT:ADDR, as in --resolve localhost:8080:127.0.0.1, or * for the port")
	}
	var addrs []netip.Addr
	for _, a := range strings.Split(list, ",") {
		a = strings.TrimSuffix(strings.TrimPrefix(a, "["), "]")
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return fmt.Errorf("%q is not an IP address", a)
		}
		addrs = append(addrs, addr.Unmap())
	}
	host = strings.ToLower(host)
	if _, twice := h[host]; twice {
		return fmt.Errorf("%s has its addresses already, which go for all its ports", host)
	}
	h[host] = addrs
	return nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "*" || err == nil && n > 0
}

// String implements pflag.Value.
func (h hosts) String() string { return "" }

// Type implements pflag.Value.
func (hosts) Type() string { return "HOST:PORT:ADDR" }
