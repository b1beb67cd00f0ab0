package sim

import (
	"bytes"
	"time"
)

// surplus follows a response where chaos wants it. It can be the beginning of no
// response, so that a client which takes it for one notices.
var surplus = []byte("surplus")

// spoil is what chaos makes of a response, and says in s what is left of it.
func (h *httpPeer) spoil(s *Served, p Response) Response {
	x := &h.c.k.chaos
	size := len(s.Response)
	within := func() int { return h.c.r.IntN(max(size, 1)) }
	s.Sent = size
	switch c := h.c; {
	case h.nth > 1 && c.chance(x.CloseOnReuse), c.chance(x.FinBefore):
		return h.cut(s, p, 0, FIN)
	case c.chance(x.ResetBefore):
		return h.cut(s, p, 0, RST)
	case c.chance(x.ResetWithin):
		return h.cut(s, p, within(), RST)
	case c.chance(x.FinWithin):
		return h.cut(s, p, within(), FIN)
	case c.chance(x.Stall):
		return h.cut(s, p, within(), Stall)
	case p.Then == Keep && c.chance(x.ResetAfter):
		return h.cut(s, p, size, RST)
	case p.Then == Keep && size > 0 && c.chance(x.Surplus):
		last := &p.Pieces[len(p.Pieces)-1]
		last.Bytes = append(bytes.Clone(last.Bytes), surplus...)
		s.Surplus = len(surplus)
	}
	if h.c.chance(x.Drip) {
		p.Pieces = h.drip(p.Pieces)
	}
	return p
}

// cut leaves n bytes of a response and another end.
func (h *httpPeer) cut(s *Served, p Response, n int, then End) Response {
	s.Sent = n
	cut := Response{Then: then, Delay: h.c.within(10 * time.Millisecond)}
	if then == FIN {
		cut.Delay = 0
	}
	for _, piece := range p.Pieces {
		if n == 0 {
			break
		}
		piece.Bytes = piece.Bytes[:min(n, len(piece.Bytes))]
		n -= len(piece.Bytes)
		cut.Pieces = append(cut.Pieces, piece)
	}
	return cut
}

// drip cuts pieces into some 40 smaller ones, up to 50 ms apart. A surplus stays
// in one piece with the byte before it.
func (h *httpPeer) drip(pieces []Piece) []Piece {
	r := h.c.r
	total := 0
	for _, piece := range pieces {
		total += len(piece.Bytes)
	}
	most := 1 + total/20
	var drips []Piece
	for _, piece := range pieces {
		delay, p := piece.Delay, piece.Bytes
		for len(p) > 0 {
			n := 1 + r.IntN(most)
			if n+len(surplus) >= len(p) {
				n = len(p)
			}
			drips = append(drips, Piece{delay, p[:n:n]})
			p, delay = p[n:], h.c.within(50*time.Millisecond)
		}
	}
	return drips
}

// idle may close a kept connection: with the response, soon, or up to 10 seconds
// later, if no further request has come by then.
func (h *httpPeer) idle() {
	c := h.c
	if !c.chance(c.k.chaos.IdleClose) {
		return
	}
	delays := [...]time.Duration{0, c.within(5 * time.Millisecond), c.within(10 * time.Second)}
	delay := delays[c.r.IntN(len(delays))]
	if delay == 0 {
		h.deaf = true
		c.Close(0)
		return
	}
	nth := h.nth
	c.After(c.leaves-c.k.now+delay, func() {
		if h.nth == nth {
			h.deaf = true
			c.Close(0)
		}
	})
}
