package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// BindError is why no connection could come from Options.LocalAddrs.
type BindError struct {
	From netip.Addr // zero when none of them is of the server's family
	Err  error
}

func (e *BindError) Error() string {
	if !e.From.IsValid() {
		return e.Err.Error()
	}
	return fmt.Sprintf("cannot connect from %v: %v", e.From, e.Err)
}

// Unwrap gives the cause.
func (e *BindError) Unwrap() error { return e.Err }

var (
	errNotOurs  = errors.New("it is no address of this machine")
	errNoSource = errors.New("this machine's address to connect from is of another family")
)

// socket makes a socket that can be connected to an address; to a path, when
// that is zero.
func (l *loop) socket(to netip.Addr) (fd int, err error) {
	family := syscall.AF_INET
	switch {
	case !to.IsValid():
		family = syscall.AF_UNIX
	case to.Is6():
		family = syscall.AF_INET6
	}
	fd, err = l.kernel.Socket(family)
	if err != nil {
		return -1, err
	}
	if l.options.RecvBuffer > 0 {
		err = l.kernel.SetRecvBuffer(fd, l.options.RecvBuffer)
	}
	if err == nil && to.IsValid() && len(l.options.LocalAddrs) > 0 {
		err = l.bindSocket(fd, to)
	}
	if err != nil {
		l.kernel.CloseSocket(fd)
		return -1, err
	}
	return fd, nil
}

// bindSocket has a socket come from the address of this machine that suits another
// best.
func (l *loop) bindSocket(fd int, to netip.Addr) error {
	from := sourceFor(to, l.options.LocalAddrs)
	if !from.IsValid() {
		return &BindError{Err: errNoSource}
	}
	err := l.kernel.Bind(fd, from)
	if err == syscall.EADDRNOTAVAIL {
		err = errNotOurs // and no shortage, which a connect means by that
	}
	if err != nil {
		return &BindError{from, err}
	}
	return nil
}

// sourceFor is the first of this machine's addresses that is of another's family
// and, if there is one, of its scope: a link-local address reaches its link only
// (RFC 6724 section 5, rule 2).
func sourceFor(to netip.Addr, own []netip.Addr) (from netip.Addr) {
	for _, a := range own {
		if a.Is4() != to.Is4() {
			continue
		}
		if a.IsLinkLocalUnicast() == to.IsLinkLocalUnicast() {
			return a
		}
		if !from.IsValid() {
			from = a
		}
	}
	return from
}

// connect starts to connect a socket to an address, or to the path.
func (l *loop) connect(fd int, to netip.AddrPort) error {
	if !to.IsValid() {
		return l.kernel.ConnectUnix(fd, l.options.UnixSocket)
	}
	return l.kernel.Connect(fd, to)
}

// throughUnix is the answer to every lookup when all connections lead to a path:
// one address, which is none.
func throughUnix() *lookup { return &lookup{answer: &answer{addrs: make([]netip.Addr, 1)}} }

// peer is an address and a port; nothing, when there is no address but a path.
func peer(address netip.Addr, port uint16) netip.AddrPort {
	if !address.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address, port)
}

// checkSockets refuses addresses and a path that no socket can have, or not
// both.
func (o *Options) checkSockets() error {
	for i, a := range o.LocalAddrs {
		if !a.IsValid() || a.IsMulticast() {
			return fmt.Errorf("fetch: LocalAddrs[%d] is %v, no address to connect from", i, a)
		}
	}
	switch {
	case o.UnixSocket == "":
		return nil
	case o.DenyPrivate:
		return errors.New("fetch: UnixSocket and DenyPrivate exclude each other: it leads to this machine")
	case len(o.LocalAddrs) > 0:
		return errors.New("fetch: UnixSocket and LocalAddrs exclude each other: it needs no address")
	case len(o.UnixSocket) > mostUnixPath || o.UnixSocket[0] == '@':
		return fmt.Errorf("fetch: UnixSocket is %q, it must be a path of at most %d bytes that does not begin with @", o.UnixSocket, mostUnixPath)
	}
	return nil
}

// mostUnixPath is what the shortest sun_path of the systems there are holds,
// with its end: 104 bytes (unix(4) of the BSDs; 108 on Linux).
const mostUnixPath = 103
