package fetch

import (
	"fmt"
	"net/netip"
	"strings"
)

// PrivateAddressError is how a fetch fails under Options.DenyPrivate whose host
// has no address that anybody could reach.
type PrivateAddressError struct {
	Host  string       // a name, or an address
	Addrs []netip.Addr // what it leads to
}

func (e *PrivateAddressError) Error() string {
	var all []string
	for _, a := range e.Addrs {
		all = append(all, a.String())
	}
	if len(all) == 1 && all[0] == e.Host {
		return e.Host + " is a private address, which is denied"
	}
	return fmt.Sprintf("%s leads to a private address only, which is denied: %s", e.Host, strings.Join(all, ", "))
}

// public is what is left of a host's addresses without the private ones. They
// are the very addresses that are dialled, so that no second lookup can give
// others.
func public(host string, addrs []netip.Addr) ([]netip.Addr, error) {
	var left []netip.Addr
	for _, a := range addrs {
		if !isPrivate(a) {
			left = append(left, a)
		}
	}
	if len(left) == 0 && len(addrs) > 0 {
		return nil, &PrivateAddressError{host, addrs}
	}
	return left, nil
}

// privatePrefixes are, beside what netip.Addr knows by name, the blocks that the
// registries of special-purpose addresses (RFC 6890; IANA's lists of IPv4 and
// IPv6) call not globally reachable, and one that is reachable from a cloud's
// machines only. Metadata services are at 169.254.169.254 and fd00:ec2::254,
// which are link-local and unique local, 100.100.100.200 and 192.0.0.192.
var privatePrefixes = prefixes(
	"0.0.0.0/8",        // this network (RFC 791 section 3.2)
	"100.64.0.0/10",    // carriers' NAT (RFC 6598)
	"168.63.129.16/32", // Azure's own services for its machines
	"192.0.0.0/24",     // protocol assignments (RFC 6890 section 2.1)
	"192.0.2.0/24",     // documentation (RFC 5737)
	"198.18.0.0/15",    // benchmarks (RFC 2544)
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved (RFC 1112 section 4), and limited broadcast
	"64:ff9b:1::/48",   // NAT64 of one's own network (RFC 8215)
	"100::/64",         // discarded (RFC 6666)
	"2001::/32",        // Teredo: the way is a packet to an IPv4 address within (RFC 4380)
	"2001:db8::/32",    // documentation (RFC 3849)
	"3fff::/20",        // documentation (RFC 9637)
	"5f00::/16",        // segment routing (RFC 9602)
	"fec0::/10",        // site-local, as it was (RFC 3879)
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// embedding are the IPv6 addresses that lead to the IPv4 address in them, and at
// which byte that stands.
var embedding = []struct {
	netip.Prefix
	at int
}{
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible (RFC 4291 section 2.5.5.1)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated (RFC 7915)
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64 (RFC 6052)
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4 (RFC 3056)
}

// isPrivate tells the addresses of this machine, of its networks, and those that
// are nobody's: what an untrusted list has no business to lead to.
func isPrivate(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() { // else: unspecified, loopback, link-local, multicast, broadcast
		return true
	}
	for _, p := range privatePrefixes {
		if p.Contains(a) {
			return true
		}
	}
	for _, e := range embedding {
		if e.Contains(a) {
			b := a.As16()
			return isPrivate(netip.AddrFrom4([4]byte(b[e.at:])))
		}
	}
	return false
}
