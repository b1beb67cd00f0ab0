package http1

import "math"

// Limits bounds what a server can make us read or hold. The zero value means
// the defaults, and so does any single value of zero or less. Reaching a limit
// is a [LimitError] that names it.
//
// A Limits may be shared by many parsers and must not change while they use it.
type Limits struct {
	// LineBytes bounds one line of a head or trailer, with its line end. 16 KB
	// by default; fewer than 16 bytes count as 16.
	LineBytes int

	// HeadBytes bounds each head, interim or final, and each trailer, with the
	// empty line. 64 KB by default; fewer than 16 bytes count as 16. It is also
	// the most a parser ever holds.
	HeadBytes int

	// Fields bounds the number of fields in each head or trailer. 256 by
	// default, at most 65,534.
	Fields int

	// Interims bounds the number of interim responses (1xx) before the final
	// one. 16 by default, at most 65,534.
	Interims int

	// ChunkOverhead bounds what is not content in a chunked body, in bytes:
	// sizes, extensions and line ends. Every byte of content pays for
	// 8 bytes of these (a chunk of one byte needs 5), and at no point may they
	// be more than ChunkOverhead ahead of what is paid. 16 KB by default.
	ChunkOverhead int
}

// overheadPerByte is how many bytes of chunk framing one byte of content pays
// for.
const overheadPerByte = 8

// defaultLimits is what a nil *Limits means.
var defaultLimits Limits

func (l *Limits) lineBytes() int     { return max(16, bound(l.LineBytes, 16<<10, math.MaxInt32)) }
func (l *Limits) headBytes() int     { return max(16, bound(l.HeadBytes, 64<<10, math.MaxInt32)) }
func (l *Limits) fields() int        { return bound(l.Fields, 256, math.MaxUint16-1) }
func (l *Limits) interims() int      { return bound(l.Interims, 16, math.MaxUint16-1) }
func (l *Limits) chunkOverhead() int { return bound(l.ChunkOverhead, 16<<10, math.MaxInt32/4) }

// bound returns value, or standard if value says nothing, and at most most.
func bound(value, standard, most int) int {
	if value <= 0 {
		value = standard
	}
	return min(value, most)
}

// checkLine tells whether a line that began at start within its section, and
// goes up to end so far, is too long. Which of the two limits is named does not
// depend on how much of the line has come.
func (l *Limits) checkLine(part Part, start, end int) error {
	line, head := l.lineBytes(), l.headBytes()
	switch {
	case end <= start+line && end <= head:
		return nil
	case start+line < head:
		return &LimitError{What: part.String() + " has a line longer than", Limit: line, Unit: "bytes"}
	default:
		return &LimitError{What: part.String() + " is longer than", Limit: head, Unit: "bytes"}
	}
}
