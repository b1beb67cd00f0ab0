package decode

import (
	"io"
	"slices"

	"github.com/shoalfetch/shoal/internal/coro"
)

const (
	// pieceBytes is how much is decoded at once.
	pieceBytes = 32 << 10

	// keptEach is how many codecs of a kind wait for further use, and keptBytes
	// the longest text after which they do: what has grown with a longer one is
	// let go of.
	keptEach  = 16
	keptBytes = 1 << 20
)

// Pool makes Decoders, and keeps the memory of a few for the next. It is used
// by one goroutine at a time.
type Pool struct {
	codecs  map[string][]codec
	buffers [][]byte
}

// New makes a Decoder for codings in the order in which they were applied: at
// least one. It must be stopped.
func (p *Pool) New(codings []string) (*Decoder, error) {
	if err := Check(codings); err != nil {
		return nil, err
	}
	d := &Decoder{pool: p, codings: slices.Clone(codings), buffer: p.takeBuffer()}
	for _, name := range d.codings {
		d.codecs = append(d.codecs, p.takeCodec(name))
	}
	codecs, names := d.codecs, d.codings
	d.stream = coro.NewStream(d.buffer, func(src *coro.Source) (io.Reader, error) { return open(names, codecs, src) })
	return d, nil
}

func (p *Pool) takeBuffer() []byte {
	n := len(p.buffers)
	if n == 0 {
		return make([]byte, pieceBytes)
	}
	b := p.buffers[n-1]
	p.buffers = p.buffers[:n-1]
	return b
}

func (p *Pool) takeCodec(name string) codec {
	idle := p.codecs[name]
	n := len(idle)
	if n == 0 {
		return makers[name]()
	}
	c := idle[n-1]
	p.codecs[name] = idle[:n-1]
	return c
}

// put takes back what a stopped Decoder was made of.
func (p *Pool) put(d *Decoder) {
	if len(p.buffers) < keptEach {
		p.buffers = append(p.buffers, d.buffer)
	}
	if d.out > keptBytes {
		return
	}
	if p.codecs == nil {
		p.codecs = map[string][]codec{}
	}
	for i, name := range d.codings {
		if len(p.codecs[name]) < keptEach {
			p.codecs[name] = append(p.codecs[name], d.codecs[i])
		}
	}
}
