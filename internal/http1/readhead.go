package http1

// nextHead reads a status line and its fields, up to the empty line.
func (p *Parser) nextHead() (Kind, error) {
	for {
		if p.stage == atStatusLine && !opensWell(len(p.held()), p.fed) {
			return NeedData, &ParseError{In: "status line", Reason: "the response does not begin with " + opening}
		}
		line, whole, err := p.line(PartHead)
		switch {
		case err != nil:
			return NeedData, err
		case !whole:
			return p.starved()
		}
		text := chomp(line)
		switch {
		case p.stage == atStatusLine:
			p.head, err = parseStatusLine(text)
			p.stage = atFields
		case len(text) == 0:
			return p.endHead(len(line))
		default:
			var name []byte
			if name, err = p.checkField(PartHead, text); name != nil {
				p.head.names |= nameBit(name)
			}
		}
		if err != nil {
			return NeedData, err
		}
	}
}

// endHead takes the head off the input and finds what follows it.
func (p *Parser) endHead(emptyLine int) (Kind, error) {
	p.head.raw = p.takeSection(emptyLine)
	framed, err := frame(p.head, p.headRequest, p.connect)
	if p.toClose && p.head.Status/100 != 1 {
		framed.by, framed.length, err = UntilClose, 0, nil
	}
	switch {
	case err != nil:
		return NeedData, err
	case p.head.Status/100 == 1:
		return p.endInterim()
	}
	p.framing, p.left, p.suspect = framed.by, framed.length, framed.suspect
	p.credit = int32(p.limits.chunkOverhead())
	p.stage = atBody
	return Final, nil
}

func (p *Parser) endInterim() (Kind, error) {
	p.passed++
	if limit := p.limits.interims(); int(p.passed) > limit {
		return NeedData, &LimitError{What: "more than", Limit: limit, Unit: "interim responses"}
	}
	p.stage = atStatusLine
	return Interim, nil
}
