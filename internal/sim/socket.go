package sim

import (
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"syscall"
)

// state is how far a socket has come.
type state uint8

const (
	fresh state = iota
	connecting
	connected // also after the peer's FIN: sending is possible still
	broken    // the connect failed, or the connection was reset
)

var stateNames = [...]string{fresh: "fresh", connecting: "connecting", connected: "connected", broken: "broken"}

// socket is the program's end of a connection. What it says in which state
// follows Linux (net/ipv4/tcp.c).
type socket struct {
	number int
	family int
	state  state
	to     netip.AddrPort // or of the server at a path
	from   netip.Addr     // as bound; zero without
	conn   *Conn          // once the connection stood
	err    syscall.Errno  // pending, until a call takes it
	in     stream         // what has arrived
	window int            // how much may arrive before it is read
	fin    bool           // the peer's last byte is in in
	room   int            // in the send buffer
}

// bufferBytes is the size of either buffer of a socket.
const bufferBytes = 64 << 10

func (s *socket) String() string {
	text := fmt.Sprintf("socket number %d, %s", s.number, stateNames[s.state])
	if s.to.IsValid() {
		text += ", to " + s.to.String()
	}
	return text
}

// ready tells what poll(2) would.
func (s *socket) ready() (readable, writable, hangup bool) {
	switch s.state {
	case fresh: // Linux reports EPOLLHUP on a socket that never connected
		return true, true, true
	case connecting:
		return false, false, false
	case broken:
		return true, true, true
	}
	return s.in.size > 0 || s.fin, s.room > 0, false
}

// take takes the pending error.
func (s *socket) take() syscall.Errno {
	err := s.err
	s.err = 0
	return err
}

// Socket implements kernel.Sockets.
func (k *Kernel) Socket(family int) (int, error) {
	k.enter(callSocket)
	if family != syscall.AF_INET && family != syscall.AF_INET6 && family != syscall.AF_UNIX {
		k.violate("socket of family %d", family)
		return -1, syscall.EAFNOSUPPORT
	}
	if k.under(spellNoDescriptors, k.chaos.NoDescriptors) {
		return k.opened(callSocket, -1, k.noDescriptors(), "")
	}
	s := &socket{number: k.counts.Opened + 1, family: family, window: bufferBytes, room: bufferBytes}
	if k.chance(k.chaos.SmallBuffer) {
		s.window, s.room = 64+k.dice.IntN(2000), 1+k.dice.IntN(200)
	}
	fd, err := k.open(descriptor{socket: s})
	if err == nil {
		k.counts.Opened++
		k.counts.Sockets++
		k.counts.MostSockets = max(k.counts.MostSockets, k.counts.Sockets)
	}
	return k.opened(callSocket, fd, err, "")
}

// opened notes the outcome of a call that makes a descriptor, and passes it on.
func (k *Kernel) opened(c call, fd int, err error, text string) (int, error) {
	k.note(c, fd, 0, 0, err, text)
	return fd, err
}

// noDescriptors is the errno of a table that is full: the process's or the
// system's.
func (k *Kernel) noDescriptors() syscall.Errno {
	if k.chance(0.2) {
		return syscall.ENFILE
	}
	return syscall.EMFILE
}

// SetRecvBuffer implements kernel.Sockets: the window is as large as was asked
// for, but no larger than it was.
func (k *Kernel) SetRecvBuffer(fd, bytes int) error {
	k.enter(callSetRecvBuffer)
	s := k.socket(callSetRecvBuffer, fd)
	if s == nil {
		return syscall.EBADF
	}
	if s.state != fresh || bytes < 1 {
		k.violate("set the receive buffer of %d, %v, to %d", fd, s, bytes)
		return syscall.EINVAL
	}
	s.window = min(s.window, bytes)
	k.note(callSetRecvBuffer, fd, bytes, 0, nil, "")
	return nil
}

// isOfFamily says whether a socket can have to do with an address.
func (s *socket) isOfFamily(a netip.Addr) bool {
	return a.IsValid() && (a.Unmap().Is4() && s.family == syscall.AF_INET || a.Unmap().Is6() && s.family == syscall.AF_INET6)
}

// Bind implements kernel.Sockets. This machine's addresses are those of Own.
func (k *Kernel) Bind(fd int, from netip.Addr) error {
	k.enter(callBind)
	s := k.socket(callBind, fd)
	if s == nil {
		return syscall.EBADF
	}
	if s.state != fresh || s.from.IsValid() || !s.isOfFamily(from) {
		k.violate("bind of %d, %v, to %v", fd, s, from)
		return syscall.EINVAL
	}
	var err error = syscall.EADDRNOTAVAIL
	if slices.Contains(k.own, from.Unmap()) {
		s.from, err = from.Unmap(), nil
	}
	k.note(callBind, fd, 0, 0, err, from.String())
	return err
}

// Connect implements kernel.Sockets.
func (k *Kernel) Connect(fd int, to netip.AddrPort) error {
	k.enter(callConnect)
	s := k.socket(callConnect, fd)
	if s == nil {
		return syscall.EBADF
	}
	if s.state != fresh {
		k.violate("connect of %d, %v, a second time", fd, s)
		return syscall.EALREADY
	}
	if !s.isOfFamily(to.Addr()) {
		k.violate("connect of %d to %v, which is not of its family", fd, to)
		return syscall.EAFNOSUPPORT
	}
	if k.under(spellNoAddress, k.chaos.NoAddress) {
		k.note(callConnect, fd, 0, 0, syscall.EADDRNOTAVAIL, to.String())
		return syscall.EADDRNOTAVAIL // the socket stays as it was
	}
	s.to = plain(to)
	k.openTo[s.to]++
	k.mostTo[s.to] = max(k.mostTo[s.to], k.openTo[s.to])
	err := k.dial(s)
	k.note(callConnect, fd, 0, 0, err, to.String())
	return err
}

// ConnectUnix implements kernel.Sockets. Such a connect does not wait: it ends
// well, or not, at once.
func (k *Kernel) ConnectUnix(fd int, path string) error {
	k.enter(callConnect)
	s := k.socket(callConnect, fd)
	if s == nil {
		return syscall.EBADF
	}
	if s.state != fresh || s.family != syscall.AF_UNIX {
		k.violate("connect of %d, %v, to the path %s", fd, s, path)
		return syscall.EINVAL
	}
	err := k.dialPath(s, path)
	k.note(callConnect, fd, 0, 0, err, path)
	return err
}

// SocketError implements kernel.Sockets.
func (k *Kernel) SocketError(fd int) error {
	k.enter(callSocketError)
	s := k.socket(callSocketError, fd)
	if s == nil {
		return syscall.EBADF
	}
	err := s.take()
	k.note(callSocketError, fd, 0, 0, err, "")
	if err == 0 {
		return nil
	}
	return err
}

// Connected implements kernel.Sockets. False again after a reset.
func (k *Kernel) Connected(fd int) bool {
	k.enter(callConnected)
	s := k.socket(callConnected, fd)
	if s == nil {
		return false
	}
	k.note(callConnected, fd, int(s.state), 0, nil, "")
	return s.state == connected
}

// Send implements kernel.Sockets.
func (k *Kernel) Send(fd int, p []byte) (int, error) {
	k.enter(callSend)
	s := k.talking(callSend, fd, len(p))
	if s == nil {
		return 0, syscall.ENOTCONN
	}
	n, err := k.send(s, p)
	k.counts.Sent += uint64(n)
	k.note(callSend, fd, n, checksum(p[:n]), err, "")
	return n, err
}

func (k *Kernel) send(s *socket, p []byte) (int, error) {
	switch {
	case s.err != 0:
		return 0, s.take()
	case s.state == broken:
		return 0, syscall.EPIPE
	case s.room == 0 || k.chance(k.chaos.Again):
		return 0, syscall.EAGAIN
	}
	n := k.shortened(min(len(p), s.room), k.chaos.ShortWrite)
	s.room -= n
	s.conn.carry(p[:n])
	return n, nil
}

// Recv implements kernel.Sockets.
func (k *Kernel) Recv(fd int, p []byte) (int, error) {
	k.enter(callRecv)
	s := k.talking(callRecv, fd, len(p))
	if s == nil {
		return 0, syscall.ENOTCONN
	}
	n, err := k.arrived(s, len(p))
	if err == nil && n > 0 {
		s.in.read(p[:n])
		s.conn.read()
		k.counts.Received += uint64(n)
	}
	k.note(callRecv, fd, n, 0, err, "")
	return n, err
}

// arrived tells how much a receive of at most max bytes gives, or why nothing,
// in the order of tcp_recvmsg: data, the peer's FIN, the pending error, the end
// of a connection whose error was taken already.
func (k *Kernel) arrived(s *socket, max int) (int, error) {
	switch {
	case s.state == connected && k.chance(k.chaos.Again):
		return 0, syscall.EAGAIN
	case s.in.size > 0:
		return k.shortened(min(max, s.in.size), k.chaos.ShortRead), nil
	case s.fin:
		return 0, nil
	case s.err != 0:
		return 0, s.take()
	case s.state == connected:
		return 0, syscall.EAGAIN
	case s.conn == nil:
		return 0, syscall.ENOTCONN
	}
	return 0, nil
}

// talking finds a socket whose connect has ended, for moving size bytes; else a
// violation, and nil.
func (k *Kernel) talking(c call, fd, size int) *socket {
	s := k.socket(c, fd)
	switch {
	case s == nil:
		return nil
	case s.state == fresh || s.state == connecting:
		k.violate("%s on %d, %v: not connected yet", c, fd, s)
		return nil
	case size <= 0:
		k.violate("%s on %d, %v, of %d bytes", c, fd, s, size)
		return nil
	}
	return s
}

// CloseSocket implements kernel.Sockets.
func (k *Kernel) CloseSocket(fd int) error {
	k.enter(callCloseSocket)
	s := k.socket(callCloseSocket, fd)
	if s == nil {
		return syscall.EBADF
	}
	k.drop(callCloseSocket, fd)
	k.counts.Sockets--
	if s.to.IsValid() {
		k.openTo[s.to]--
	}
	s.leave()
	return k.parted(callCloseSocket, fd)
}

// parted is the outcome of a close: the descriptor is gone whatever it says.
func (k *Kernel) parted(c call, fd int) error {
	var err error
	if k.chance(k.chaos.CloseFails) {
		err = syscall.EIO
	}
	k.note(c, fd, 0, 0, err, "")
	return err
}

// checksum stands for bytes in the log.
func checksum(p []byte) int64 { return int64(crc32.Checksum(p, castagnoli)) }

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)
