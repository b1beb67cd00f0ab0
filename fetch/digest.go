package fetch

import (
	"crypto/sha256"
	"hash"
)

// digested is a body whose bytes are reckoned up as they come. It cannot be
// spliced to: then they would not come.
type digested struct {
	Body
	sum hash.Hash
}

func newDigested(b Body) *digested { return &digested{b, sha256.New()} }

func (d *digested) Write(piece []byte) error {
	d.sum.Write(piece)
	return d.Body.Write(piece)
}

// Keep is the body's own, if it can wait: the sum is gone on with too.
func (d *digested) Keep() error {
	if b, ok := d.Body.(Keeper); ok {
		return b.Keep()
	}
	return errNoKeeper
}

// Leave is the body's own, if it can be left.
func (d *digested) Leave() {
	if b, ok := d.Body.(Leaver); ok {
		b.Leave()
		return
	}
	d.Discard()
}

// plainBody is the body as its sink made it.
func plainBody(b Body) Body {
	if d, ok := b.(*digested); ok {
		return d.Body
	}
	return b
}

// digestOf is the sum of a body that is whole; nil when it was not reckoned, or
// not from the body's beginning.
func digestOf(b Body) []byte {
	if d, ok := b.(*digested); ok {
		return d.sum.Sum(nil)
	}
	return nil
}
