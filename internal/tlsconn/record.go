package tlsconn

// headerLen is the length of a record's header: type, version and the length of
// what follows (RFC 8446, 5.1; RFC 5246, 6.2.1).
const headerLen = 5

// record follows where one record ends and the next begins.
type record struct {
	header [headerLen]byte
	have   int // bytes of the header that have passed
	left   int // bytes of the rest still to come, once the header has passed
}

// length is what a whole header says of the rest.
func length(header []byte) int { return int(header[3])<<8 | int(header[4]) }

// span returns how many of the next bytes belong to this record.
func (r *record) span(p []byte) int {
	if r.have == headerLen {
		return min(len(p), r.left)
	}
	header := r.header
	head := r.have + copy(header[r.have:], p)
	if head < headerLen {
		return len(p)
	}
	return min(len(p), headerLen-r.have+length(header[:]))
}

// pass counts bytes that span allowed.
func (r *record) pass(p []byte) {
	n := copy(r.header[r.have:], p)
	r.have += n
	switch {
	case r.have < headerLen:
		return
	case n > 0:
		r.left = length(r.header[:])
	}
	if r.left -= len(p) - n; r.left == 0 {
		*r = record{}
	}
}

// begun says whether a part of the record has passed, and the rest is to come.
func (r *record) begun() bool { return r.have > 0 }
