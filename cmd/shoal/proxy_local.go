package main

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// namesLoopback says whether a list like no_proxy names a URL's host, which is
// a loopback one.
func namesLoopback(list string, u *url.URL) bool {
	host := u.Hostname()
	addr, _ := netip.ParseAddr(host)
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if network, err := netip.ParsePrefix(entry); err == nil && network.Contains(addr) {
			return true
		}
		name, port, err := net.SplitHostPort(entry)
		if err != nil {
			name, port = strings.Trim(entry, "[]"), urlPort(u)
		}
		same, err := netip.ParseAddr(name)
		if entry == "*" || port == urlPort(u) && (name == host || err == nil && same == addr) {
			return true
		}
	}
	return false
}
