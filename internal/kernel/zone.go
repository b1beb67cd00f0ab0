//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// zoneIndex is the interface number for the zone of a link-local address
// (RFC 4007 section 11): given as a number, or as an interface's name.
// ENXIO: there is no such interface.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, unix.ENXIO
	}
	return uint32(i.Index), nil
}
