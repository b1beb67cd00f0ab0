package http1

// nextBody reads the body as it is framed.
func (p *Parser) nextBody() (Kind, error) {
	switch p.framing {
	case NoBody:
		p.stage = complete
		return Done, nil
	case Length:
		return p.nextPiece()
	case Chunked:
		return p.nextChunked()
	}
	return p.nextUntilClose()
}

// nextPiece shows what there is of a body of known length.
func (p *Parser) nextPiece() (Kind, error) {
	switch {
	case p.left == 0:
		p.stage = complete
		return Done, nil
	case len(p.fed) == 0:
		return p.starved()
	}
	p.show(int(min(p.left, int64(len(p.fed)))))
	return Body, nil
}

// nextUntilClose shows all there is.
func (p *Parser) nextUntilClose() (Kind, error) {
	if len(p.fed) == 0 {
		return p.starved()
	}
	p.left = int64(len(p.fed))
	p.show(len(p.fed))
	return Body, nil
}

// show makes the next n bytes of the input the data of a Body event.
func (p *Parser) show(n int) {
	p.data = n
	p.seen += int64(n)
	p.left -= int64(n)
}
