package http1

import "bytes"

// Keep copies the bytes fed and not yet consumed into memory of the parser's
// own, so that the slice that Feed borrowed can be used again. It ends the
// validity of Data.
func (p *Parser) Keep() { p.fed, p.data = bytes.Clone(p.fed[p.data:]), 0 }
