package tlsconn

// padKeep is how much memory a Pad keeps between two calls, in bytes: several
// full records. A larger one comes from a large request and goes with it.
const padKeep = 64 << 10

// Pad holds the ciphertext that a call on a Conn has made, until it is taken.
// The conns of one loop share one, because only one of them is served at a time.
type Pad struct {
	out   []byte
	owner *wire // whose bytes those in out are; nil when they are taken
}

// NewPad returns an empty Pad. It grows when it is used.
func NewPad() *Pad { return new(Pad) }

// serve says that a call on a conn begins.
func (p *Pad) serve(w *wire) {
	if p.owner != nil && p.owner != w {
		panic("tlsconn: Outgoing of the conn served before was not taken")
	}
}

// write adds ciphertext.
func (p *Pad) write(w *wire, b []byte) {
	p.serve(w)
	if p.owner == nil {
		p.owner, p.out = w, p.out[:0]
		if cap(p.out) > padKeep {
			p.out = nil
		}
	}
	p.out = append(p.out, b...)
}

// take returns what a conn has to send.
func (p *Pad) take(w *wire) []byte {
	if p.owner != w {
		return nil
	}
	p.owner = nil
	return p.out
}
