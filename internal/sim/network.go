package sim

import (
	"net/netip"
	"syscall"
	"time"
)

// Accept makes the peer of a connection that a client has just opened. It may
// send, reset or plan at once. A nil Peer takes everything and never answers.
type Accept func(c *Conn) Peer

// place is what is at an address of the network.
type place struct {
	accept    Accept // nil: refuses
	blackHole bool
	errno     syscall.Errno // Connect itself fails with it
	delay     time.Duration // each way; 0: 1 ms
}

// at finds or makes the place at an address.
func (k *Kernel) at(address netip.AddrPort) *place {
	address = plain(address)
	p := k.places[address]
	if p == nil {
		p = &place{}
		k.places[address] = p
	}
	return p
}

// plain is an address with an IPv4 one in its own form.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Listen puts a server at an address, in place of any before.
func (k *Kernel) Listen(address netip.AddrPort, accept Accept) { k.at(address).accept = accept }

// Serve puts an HTTP/1 server at an address, in place of any before.
func (k *Kernel) Serve(address netip.AddrPort, server Server) {
	k.Listen(address, HTTP(server))
}

// Refuse takes the server away from an address: connects are refused, as they
// are at every address where nothing was put. Connections that stand stay.
func (k *Kernel) Refuse(address netip.AddrPort) { k.Listen(address, nil) }

// BlackHole makes an address swallow everything: a connect to it never ends.
func (k *Kernel) BlackHole(address netip.AddrPort) { k.at(address).blackHole = true }

// Unreachable makes Connect to an address fail at once, with errno.
func (k *Kernel) Unreachable(address netip.AddrPort, errno syscall.Errno) {
	k.at(address).errno = errno
}

// Delay says how long packets take to an address and how long back; 1 ms where
// it was not said.
func (k *Kernel) Delay(address netip.AddrPort, each time.Duration) { k.at(address).delay = each }

// ServeUnix puts an HTTP/1 server at a path of the Unix domain, in place of any
// before. Their requests have an Address that stands for the path.
func (k *Kernel) ServeUnix(path string, server Server) {
	if k.paths == nil {
		k.paths = map[string]netip.AddrPort{}
	}
	if _, there := k.paths[path]; !there {
		k.paths[path] = netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(1+len(k.paths)))
	}
	k.Serve(k.paths[path], server)
}

// dialPath connects a socket to a path, as unix_stream_connect does: the server's
// queue (listen(2)) is full now and then.
func (k *Kernel) dialPath(s *socket, path string) error {
	at, there := k.paths[path]
	switch {
	case !there:
		return syscall.ENOENT
	case k.at(at).accept == nil || k.chance(k.chaos.Refuse):
		return syscall.ECONNREFUSED
	case k.under(spellNoAddress, k.chaos.NoAddress):
		return syscall.EAGAIN // the socket stays as it was
	}
	s.to, s.state = at, connecting
	k.openTo[at]++
	k.mostTo[at] = max(k.mostTo[at], k.openTo[at])
	k.settle(s, 0)
	return nil
}

// Own gives this machine addresses, to which sockets can be bound.
func (k *Kernel) Own(addrs ...netip.Addr) { k.own = append(k.own, addrs...) }

// oneWay is how long packets take each way.
func (p *place) oneWay() time.Duration {
	if p.delay > 0 {
		return p.delay
	}
	return time.Millisecond
}

// dial starts a socket's way to its address.
func (k *Kernel) dial(s *socket) error {
	p := k.at(s.to)
	switch {
	case p.errno != 0:
		s.state = broken
		return p.errno
	case k.chance(k.chaos.ConnectFails):
		s.state = broken
		failures := [...]syscall.Errno{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ETIMEDOUT}
		return failures[k.dice.IntN(len(failures))]
	}
	s.state = connecting
	if p.blackHole || k.chance(k.chaos.BlackHole) {
		return syscall.EINPROGRESS
	}
	var refused syscall.Errno
	if p.accept == nil || k.chance(k.chaos.Refuse) {
		refused = syscall.ECONNREFUSED
	}
	if k.chance(k.chaos.ConnectNow) {
		k.settle(s, refused)
		if err := s.take(); err != 0 {
			return err
		}
		return nil
	}
	trip := 2*p.oneWay() + k.within(k.chaos.Jitter)
	if k.chance(k.chaos.SlowConnect) {
		trip += k.within(30 * time.Second)
	}
	k.network.add(k.now+trip, func() { k.settle(s, refused) })
	return syscall.EINPROGRESS
}

// settle ends a connect one way or the other, unless the program has closed the
// socket meanwhile.
func (k *Kernel) settle(s *socket, refused syscall.Errno) {
	if s.state != connecting {
		return
	}
	p := k.at(s.to)
	if p.accept == nil {
		refused = syscall.ECONNREFUSED
	}
	if refused != 0 {
		s.state, s.err = broken, refused
		return
	}
	s.state = connected
	k.counts.Conns++
	s.conn = newConn(k, s, p.oneWay())
	k.note(callAccept, s.conn.number, s.number, 0, nil, s.to.String())
	if s.conn.chance(k.chaos.ResetAtOnce) {
		s.conn.Reset(s.conn.within(10 * time.Millisecond))
		return
	}
	s.conn.peer = p.accept(s.conn)
}

// leave is the program's close: what it sent before still arrives.
func (s *socket) leave() {
	if s.conn != nil && s.state == connected {
		s.conn.left()
	}
	s.state = broken
	s.in = stream{}
}
