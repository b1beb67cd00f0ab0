package http1

import "math"

// chunkState is where in a chunked body the parser stands (RFC 9112, 7.1):
//
//	1a ;name="va\"lue" CR LF  data  CR LF  …  0 CR LF  trailer
//
// All of it but the data is read byte by byte, and nothing of it is kept but
// the size.
type chunkState uint8

const (
	sizeDigits  chunkState = iota // the size, in hexadecimal
	sizeSpace                     // whitespace after it: some servers pad it
	extension                     // after the semicolon
	extQuoted                     // between quotation marks
	extEscaped                    // after a backslash there
	sizeLF                        // after the CR of a size line
	chunkData                     // content
	chunkDataCR                   // after the content
	chunkDataLF                   // after its CR
)

// maxSizeDigits bounds a chunk size: 64 bits in hexadecimal.
const maxSizeDigits = 16

// nextChunked reads on to the next content or to the trailer.
func (p *Parser) nextChunked() (Kind, error) {
	for p.stage == atBody {
		if len(p.fed) == 0 {
			return p.starved()
		}
		if p.chunk == chunkData {
			return p.nextChunkData()
		}
		if err := p.chunkByte(p.fed[0]); err != nil {
			return NeedData, err
		}
		p.fed = p.fed[1:]
	}
	return p.nextTrailer()
}

// nextChunkData shows what there is of a chunk's content, which pays for
// further framing.
func (p *Parser) nextChunkData() (Kind, error) {
	n := int(min(p.left, int64(len(p.fed))))
	p.show(n)
	if p.left == 0 {
		p.chunk = chunkDataCR
	}
	full := p.limits.chunkOverhead()
	p.credit = int32(min(full, int(p.credit)+overheadPerByte*min(n, full/overheadPerByte+1)))
	return Body, nil
}

// chunkByte advances over one byte of framing.
func (p *Parser) chunkByte(c byte) error {
	p.credit--
	if p.credit < 0 {
		return &LimitError{What: "chunk framing outweighs the content by more than", Limit: p.limits.chunkOverhead(), Unit: "bytes"}
	}
	switch p.chunk {
	case sizeDigits:
		return p.sizeByte(c)
	case sizeSpace:
		return p.afterSize(c)
	case extension, extQuoted, extEscaped:
		return p.extensionByte(c)
	case sizeLF:
		return p.endSize(c)
	case chunkDataCR:
		return p.expect(c, '\r', chunkDataLF)
	case chunkDataLF:
		return p.expect(c, '\n', sizeDigits)
	}
	panic("http1: content read as chunk framing")
}

// sizeByte reads a digit of the size, or what ends it.
func (p *Parser) sizeByte(c byte) error {
	digit := hexValue(c)
	switch {
	case digit < 0 && p.digits == 0:
		return chunkError("no size", c)
	case digit < 0:
		return p.afterSize(c)
	case p.digits == maxSizeDigits || p.left > math.MaxInt64>>4:
		return chunkError("the size is too large", c)
	}
	p.digits++
	p.left = p.left<<4 | digit
	return nil
}

// afterSize reads whitespace after the size, or what may follow.
func (p *Parser) afterSize(c byte) error {
	switch {
	case isSpace(c):
		p.chunk = sizeSpace
	case c == ';':
		p.chunk = extension
	case c == '\r':
		p.chunk = sizeLF
	default:
		return chunkError("neither an extension nor a line end after the size", c)
	}
	return nil
}

// extensionByte passes over extensions, of which we know none (RFC 9112,
// 7.1.1). Quotation marks are followed because only outside them may a line
// end.
func (p *Parser) extensionByte(c byte) error {
	switch {
	case c == '\r' && p.chunk == extension:
		p.chunk = sizeLF
	case !isText(c):
		return chunkError("a control character in an extension", c)
	case p.chunk == extEscaped:
		p.chunk = extQuoted
	case p.chunk == extQuoted && c == '\\':
		p.chunk = extEscaped
	case p.chunk == extQuoted && c == '"':
		p.chunk = extension
	case p.chunk == extension && c == '"':
		p.chunk = extQuoted
	}
	return nil
}

// endSize reads the LF of a size line.
func (p *Parser) endSize(c byte) error {
	p.digits = 0
	if err := p.expect(c, '\n', chunkData); err != nil {
		return err
	}
	if p.left == 0 {
		p.stage = atTrailer
	}
	return nil
}

// expect goes on to the next state if c is what must stand here.
func (p *Parser) expect(c, want byte, next chunkState) error {
	if c != want {
		return chunkError("no CR LF where the line or the content ends", c)
	}
	p.chunk = next
	return nil
}

func chunkError(reason string, c byte) error {
	return &ParseError{In: "chunk", Reason: reason, Near: string([]byte{c})}
}
