package kernel

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// None of the calls in this file can block, so they are made raw: telling Go's
// scheduler of each would keep its monitor thread busy, and costs a fetch a
// fifth of its time or more. A call that may wait must never be made this way.

// Socket implements [Sockets].
func (r *Real) Socket(family int) (fd int, err error) {
	n, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(family),
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// SetRecvBuffer implements [Sockets].
func (r *Real) SetRecvBuffer(fd, bytes int) error {
	size := int32(bytes)
	_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_RCVBUF,
		uintptr(unsafe.Pointer(&size)), unsafe.Sizeof(size), 0)
	return failure(errno)
}

// Bind implements [Sockets]. The port is chosen by connect (ip(7),
// IP_BIND_ADDRESS_NO_PORT), so that connections to several servers can share
// one; a kernel before 4.2 chooses it here.
func (r *Real) Bind(fd int, from netip.Addr) error {
	one := int32(1)
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT,
		uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one), 0)
	return callWithAddress(unix.SYS_BIND, fd, netip.AddrPortFrom(from, 0))
}

// Connect implements [Sockets]. It is not repeated after EINTR: a non-blocking
// connect does not wait, and one that has begun goes on by itself.
func (r *Real) Connect(fd int, to netip.AddrPort) error {
	return callWithAddress(unix.SYS_CONNECT, fd, to)
}

// callWithAddress makes a call that takes a socket and an address: bind or
// connect.
func callWithAddress(call uintptr, fd int, a netip.AddrPort) error {
	addr := a.Addr()
	if addr.Is4() || addr.Is4In6() {
		return callWith4(call, fd, addr.As4(), a.Port())
	}
	zone, err := zoneIndex(addr.Zone())
	if err != nil {
		return err
	}
	return callWith6(call, fd, addr.As16(), a.Port(), zone)
}

func callWith4(call uintptr, fd int, addr [4]byte, port uint16) error {
	sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: bigEndian(port), Addr: addr}
	_, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unsafe.Sizeof(sa))
	return failure(errno)
}

func callWith6(call uintptr, fd int, addr [16]byte, port uint16, zone uint32) error {
	sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: bigEndian(port), Addr: addr, Scope_id: zone}
	_, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unsafe.Sizeof(sa))
	return failure(errno)
}

// ConnectUnix implements [Sockets]. The path is looked up like any other, so the
// call is not made raw: a file system may be slow.
func (r *Real) ConnectUnix(fd int, path string) error {
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// bigEndian is htons(3): the port's bytes in network order, whatever the
// machine's own is.
func bigEndian(port uint16) (n uint16) {
	b := (*[2]byte)(unsafe.Pointer(&n))
	b[0], b[1] = byte(port>>8), byte(port)
	return n
}

// SocketError implements [Sockets].
func (r *Real) SocketError(fd int) error {
	var pending int32
	size := uint32(unsafe.Sizeof(pending))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_ERROR,
		uintptr(unsafe.Pointer(&pending)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return failure(syscall.Errno(pending))
}

// Connected implements [Sockets].
func (r *Real) Connected(fd int) bool {
	var peer unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(peer))
	_, _, errno := unix.RawSyscall(unix.SYS_GETPEERNAME, uintptr(fd),
		uintptr(unsafe.Pointer(&peer)), uintptr(unsafe.Pointer(&size)))
	return errno == 0
}

// Send implements [Sockets].
func (r *Real) Send(fd int, p []byte) (n int, err error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
		if errno != unix.EINTR {
			return count(n, errno)
		}
	}
}

// Recv implements [Sockets].
func (r *Real) Recv(fd int, p []byte) (n int, err error) {
	mustHaveRoom(len(p))
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
		if errno != unix.EINTR {
			return count(n, errno)
		}
	}
}

// CloseSocket implements [Sockets]. It does not wait, because nobody here sets
// SO_LINGER, and is not repeated after EINTR: Linux has given the number back
// by then, and it may be somebody else's (close(2), NOTES).
func (r *Real) CloseSocket(fd int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return failure(errno)
}
