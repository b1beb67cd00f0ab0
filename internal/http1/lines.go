package http1

import "bytes"

// A section, be it a head or a trailer, is read line by line. While it comes
// whole it is read in place, in fed; once it is split, what there is of it moves
// to held, and its further lines follow as they come. In both, at is where the
// current line begins.

// line returns the next line of the section, with its end, or what there is of
// it. Only bytes that are new are searched for the line end, so that a section
// that comes byte by byte costs no more than its length.
func (p *Parser) line(part Part) (line []byte, whole bool, err error) {
	fresh, start := p.fed, int(p.at)
	if len(p.held()) == 0 {
		fresh = p.fed[start:]
	}
	n := bytes.IndexByte(fresh, '\n') + 1
	whole = n > 0
	if !whole {
		n = len(fresh)
	}
	end := max(len(p.held()), start) + n
	if err := p.limits.checkLine(part, start, end); err != nil {
		return nil, false, err
	}
	if whole {
		p.at = int32(end)
	}
	if whole && len(p.held()) == 0 {
		return p.fed[start:end], true, nil
	}
	p.hold(end - len(p.held()))
	return p.held()[start:end], whole, nil
}

// hold moves n bytes from the input to held.
func (p *Parser) hold(n int) {
	a := p.setAside()
	a.held = append(a.held, p.fed[:n]...)
	p.fed = p.fed[n:]
}

// takeSection takes the section, which ends with the empty line just read, off
// the input and returns it without that line. Nothing is held from then on.
func (p *Parser) takeSection(emptyLine int) string {
	end := int(p.at) - emptyLine
	var section string
	if held := p.held(); len(held) > 0 {
		section = string(held[:end])
		p.aside = nil
	} else {
		section = string(p.fed[:end])
		p.fed = p.fed[p.at:]
	}
	p.at, p.fields = 0, 0
	return section
}

// chomp returns a whole line without its end, CR LF or LF.
func chomp(line []byte) []byte {
	end := len(line) - len("\n")
	if end > 0 && line[end-1] == '\r' {
		end--
	}
	return line[:end]
}
