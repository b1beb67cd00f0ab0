package sim

// stream is bytes in order, kept as the pieces in which they came.
type stream struct {
	pieces [][]byte
	size   int
}

// add appends p, which must not change any more.
func (t *stream) add(p []byte) {
	t.pieces = append(t.pieces, p)
	t.size += len(p)
}

// read fills p from the front; there must be that much.
func (t *stream) read(p []byte) {
	t.size -= len(p)
	for len(p) > 0 {
		n := copy(p, t.pieces[0])
		p = p[n:]
		if t.pieces[0] = t.pieces[0][n:]; len(t.pieces[0]) == 0 {
			t.pieces[0] = nil
			t.pieces = t.pieces[1:]
		}
	}
}
