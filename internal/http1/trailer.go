package http1

import "bytes"

// nextTrailer reads the fields after the last chunk, up to the empty line.
// Their line ends must be CR LF: a chunked body ends with them.
func (p *Parser) nextTrailer() (Kind, error) {
	for {
		line, whole, err := p.line(PartTrailer)
		switch {
		case err != nil:
			return NeedData, err
		case !whole:
			return p.starved()
		case !bytes.HasSuffix(line, []byte("\r\n")):
			return NeedData, &ParseError{In: "trailer", Reason: "a line end without CR", Near: clip(line)}
		case len(line) == len("\r\n"):
			return p.endTrailer()
		}
		if _, err := p.checkField(PartTrailer, chomp(line)); err != nil {
			return NeedData, err
		}
	}
}

// endTrailer takes the trailer off the input. A field that frames a body has no
// business in it (RFC 9110, 6.5.1), and may be the head of another response.
func (p *Parser) endTrailer() (Kind, error) {
	trailer := Section(p.takeSection(len("\r\n")))
	for _, name := range [...]string{"Content-Length", "Transfer-Encoding"} {
		if trailer.Has(name) {
			return NeedData, &ParseError{In: "trailer", Reason: "a field that frames the body", Near: name}
		}
	}
	if trailer != "" {
		p.setAside().trailer = trailer
	}
	p.stage = complete
	return Done, nil
}
