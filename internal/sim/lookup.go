package sim

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Host gives a name its addresses, in place of any before. A name without any
// does not exist, as no name does that was not given.
func (k *Kernel) Host(name string, addresses ...netip.Addr) { k.hosts[name] = addresses }

// LookupNetIP is net.Resolver's, for work that runs in the [Runner] (called from
// elsewhere, it would block the loop: a violation). network is ip, ip4 or ip6.
// A name that does not exist, or has no address of the kind, gives a
// *net.DNSError with IsNotFound. The time the lookup takes, up to 50 ms, passes
// between the end of the work and its report. A lost lookup is not reported, or
// minutes later.
func (k *Kernel) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if k.working == nil {
		k.violate("lookup of %q on the loop's thread", host)
		return nil, &net.DNSError{Err: "on the loop's thread", Name: host}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k.delayLookup(k.working)
	found, err := k.lookup(network, host)
	k.note(callLookup, 0, len(found), int64(k.working.lasts), nil, network+" "+host)
	return found, err
}

// delayLookup decides how long a lookup lasts.
func (k *Kernel) delayLookup(t *task) {
	switch {
	case k.chance(k.chaos.LookupLost):
		t.lost = k.chance(0.5)
		t.lasts += 2*time.Minute + k.within(time.Minute)
	case k.chance(k.chaos.LookupSlow):
		t.lasts += k.within(30 * time.Second)
	default:
		t.lasts += k.within(50 * time.Millisecond)
	}
}

func (k *Kernel) lookup(network, host string) ([]netip.Addr, error) {
	if k.chance(k.chaos.LookupFails) {
		if k.chance(0.5) {
			return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true, IsTemporary: true}
		}
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	}
	addresses := k.hosts[host]
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = []netip.Addr{literal}
	}
	var found []netip.Addr
	for _, a := range addresses {
		if network == "ip" || (network == "ip4") == a.Unmap().Is4() {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return found, nil
}
