//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket implements [Sockets]. macOS cannot make a socket close-on-exec at
// once, so a fork must not come in between.
func (r *Real) Socket(family int) (fd int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err = unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	err = unix.SetNonblock(fd, true)
	if err == nil {
		err = noSignal(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// SetRecvBuffer implements [Sockets].
func (r *Real) SetRecvBuffer(fd, bytes int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
}

// Bind implements [Sockets].
func (r *Real) Bind(fd int, from netip.Addr) error {
	sa, err := sockaddr(netip.AddrPortFrom(from, 0))
	if err != nil {
		return err
	}
	return unix.Bind(fd, sa)
}

// Connect implements [Sockets]. It is not repeated after EINTR: a non-blocking
// connect does not wait, and one that has begun goes on by itself.
func (r *Real) Connect(fd int, to netip.AddrPort) error {
	sa, err := sockaddr(to)
	if err != nil {
		return err
	}
	return unix.Connect(fd, sa)
}

// sockaddr is an address as package unix wants it.
func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	addr := a.Addr()
	if addr.Is4() || addr.Is4In6() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: addr.As4()}, nil
	}
	zone, err := zoneIndex(addr.Zone())
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: addr.As16(), ZoneId: zone}, nil
}

// ConnectUnix implements [Sockets].
func (r *Real) ConnectUnix(fd int, path string) error {
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// SocketError implements [Sockets].
func (r *Real) SocketError(fd int) error {
	pending, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if pending != 0 {
		return syscall.Errno(pending)
	}
	return nil
}

// Connected implements [Sockets].
func (r *Real) Connected(fd int) bool {
	_, err := unix.Getpeername(fd)
	return err == nil
}

// Send implements [Sockets].
func (r *Real) Send(fd int, p []byte) (n int, err error) {
	for {
		n, err := send(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// Recv implements [Sockets].
func (r *Real) Recv(fd int, p []byte) (n int, err error) {
	mustHaveRoom(len(p))
	for {
		n, err := unix.Read(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// CloseSocket implements [Sockets].
func (r *Real) CloseSocket(fd int) error { return unix.Close(fd) }
