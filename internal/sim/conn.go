package sim

import (
	"math/rand/v2"
	"net/netip"
	"syscall"
	"time"
)

// Peer is the server's end of one connection, speaking bytes. Its methods are
// called when things arrive there, and act through the [Conn] they belong to.
type Peer interface {
	// Receive takes bytes from the client, in order, in pieces of any size. p
	// is the peer's to keep.
	Receive(p []byte)

	// Closed says that the client has closed; nothing follows.
	Closed()
}

// Conn is one connection as its server sees it. Everything the server sends
// leaves in the order of the calls: each waits for its delay after what was sent
// before has left, then travels to the client.
type Conn struct {
	k       *Kernel
	number  int
	address netip.AddrPort
	r       *rand.Rand
	peer    Peer
	socket  *socket
	oneWay  time.Duration

	seal func(p []byte) []byte // see Wrap
	last func() []byte

	arrives time.Duration // the last of what the client sent
	leaves  time.Duration // the last of what the server sent

	queue   []segment // on the way to the client, or waiting for its window
	planned bool      // a delivery is planned

	ending bool          // Close or Reset was called
	endAt  time.Duration // when that leaves
	gone   bool          // the client has closed; the server may not know yet
	over   bool          // reset, or the server knows that the client has closed
}

// segment is bytes, or without bytes the FIN, and when they arrive.
type segment struct {
	at   time.Duration
	data []byte
}

func newConn(k *Kernel, s *socket, oneWay time.Duration) *Conn {
	return &Conn{
		k: k, number: k.counts.Conns, address: s.to, socket: s, oneWay: oneWay,
		r: rand.New(rand.NewPCG(k.seed, 1000+uint64(k.counts.Conns))),
	}
}

// Number counts the connections that servers accepted, from 1.
func (c *Conn) Number() int { return c.number }

// Address is the server's.
func (c *Conn) Address() netip.AddrPort { return c.address }

// Rand is chance for this connection alone, from the seed and the Number.
func (c *Conn) Rand() *rand.Rand { return c.r }

// Now is the virtual time.
func (c *Conn) Now() time.Duration { return c.k.now }

// After runs f when the time has passed, unless the connection is over by then.
func (c *Conn) After(d time.Duration, f func()) {
	c.k.network.add(c.k.now+d, func() {
		if !c.over {
			f()
		}
	})
}

// Wrap puts a layer between the server and the connection, from now on, and above
// the layers that are there: what the server sends goes out as seal makes it, and
// last is what goes out before a FIN.
func (c *Conn) Wrap(seal func(p []byte) []byte, last func() []byte) {
	below, lastBelow := c.seal, c.last
	if below == nil {
		c.seal, c.last = seal, last
		return
	}
	c.seal = func(p []byte) []byte { return below(seal(p)) }
	c.last = func() []byte {
		var all []byte
		if p := last(); len(p) > 0 {
			all = append(all, below(p)...)
		}
		return append(all, lastBelow()...)
	}
}

// Send sends p, which must not change any more. After Close or Reset, or when
// the client has gone, it does nothing.
func (c *Conn) Send(delay time.Duration, p []byte) {
	if c.ending || c.over || len(p) == 0 {
		return
	}
	if c.seal != nil {
		p = c.seal(p)
	}
	c.push(c.depart(delay), p)
}

// Close sends FIN and takes no more: whatever still arrives is answered by a
// reset, as after close(2).
func (c *Conn) Close(delay time.Duration) {
	if c.ending || c.over {
		return
	}
	at := c.depart(delay)
	c.ending, c.endAt = true, c.leaves
	if c.last != nil {
		if p := c.last(); len(p) > 0 {
			c.push(at, p)
		}
	}
	c.push(at, nil)
}

// Reset sends RST. What was sent before and does not fit into the client's
// window by then is lost.
func (c *Conn) Reset(delay time.Duration) {
	if c.ending || c.over {
		return
	}
	at := c.depart(delay)
	c.ending, c.endAt = true, c.leaves
	c.k.network.add(at, c.reset)
}

// depart gives the moment at which what leaves after a delay arrives.
func (c *Conn) depart(delay time.Duration) time.Duration {
	c.leaves = max(c.leaves, c.k.now) + delay + c.within(c.k.chaos.Jitter)
	return c.leaves + c.oneWay
}

func (c *Conn) push(at time.Duration, p []byte) {
	if c.gone {
		return
	}
	c.queue = append(c.queue, segment{at, p})
	c.plan(at)
}

// plan sees to it that deliver runs at a moment.
func (c *Conn) plan(at time.Duration) {
	if !c.planned {
		c.planned = true
		c.k.network.add(at, c.deliver)
	}
}

// deliver hands over what has arrived and fits into the window.
func (c *Conn) deliver() {
	c.planned = false
	for len(c.queue) > 0 && !c.over {
		if first := c.queue[0].at; first > c.k.now {
			c.plan(first)
			return
		}
		if !c.accept(&c.queue[0]) {
			return // read plans the rest
		}
		c.queue[0] = segment{}
		c.queue = c.queue[1:]
	}
}

// accept moves as much of a segment as fits to the client, and tells whether
// that was all of it.
func (c *Conn) accept(g *segment) bool {
	s := c.socket
	if len(g.data) == 0 {
		s.fin = true
		c.k.note(callFin, c.number, 0, 0, nil, "")
		return true
	}
	n := min(len(g.data), s.window-s.in.size)
	if n > 0 {
		s.in.add(g.data[:n])
		g.data = g.data[n:]
		c.k.note(callArrive, c.number, n, 0, nil, "")
	}
	return len(g.data) == 0
}

// read says that the client has read: what waits for its window may come, a
// round trip later.
func (c *Conn) read() {
	if len(c.queue) > 0 && !c.over {
		c.plan(max(c.k.now+2*c.oneWay, c.queue[0].at))
	}
}

// reset is the arrival of an RST (tcp_reset): what was read in before stays.
func (c *Conn) reset() {
	if c.over || c.gone {
		c.over = true
		return
	}
	c.over, c.queue = true, nil
	s := c.socket
	s.state, s.err = broken, syscall.ECONNRESET
	if s.fin {
		s.err = syscall.EPIPE
	}
	c.k.note(callReset, c.number, 0, 0, nil, "")
}

// carry takes p, which the client has sent, to the server.
func (c *Conn) carry(p []byte) {
	sent := append([]byte(nil), p...)
	c.arrives = max(c.arrives, c.k.now+c.oneWay+c.within(c.k.chaos.Jitter))
	c.k.network.add(c.arrives, func() { c.received(sent) })
}

func (c *Conn) received(p []byte) {
	c.socket.room += len(p)
	switch {
	case c.ending && c.k.now >= c.endAt:
		c.k.network.add(c.k.now+c.oneWay, c.reset)
	case c.peer != nil:
		c.peer.Receive(p)
	}
}

// left says that the client has closed: nothing reaches it from now on, and the
// server learns of it when the news arrives.
func (c *Conn) left() {
	c.gone, c.queue = true, nil
	c.arrives = max(c.arrives, c.k.now+c.oneWay)
	c.k.network.add(c.arrives, func() {
		if c.over {
			return
		}
		c.over = true
		if c.peer != nil && !(c.ending && c.k.now >= c.endAt) {
			c.peer.Closed()
		}
	})
}

func (c *Conn) chance(rate float64) bool {
	return rate > 0 && c.r.Float64() < rate
}

func (c *Conn) within(most time.Duration) time.Duration {
	return within(c.r, most)
}
