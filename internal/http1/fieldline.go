package http1

import "bytes"

// checkField checks a line of a section, without its line end. If the line begins
// a field, it is counted and its name returned, which is a part of the line.
func (p *Parser) checkField(part Part, line []byte) (name []byte, err error) {
	if isSpace(line[0]) {
		return nil, checkFold(line, p.fields == 0)
	}
	p.fields++
	if limit := p.limits.fields(); int(p.fields) > limit {
		return nil, &LimitError{What: part.String() + " has more than", Limit: limit, Unit: "fields"}
	}
	return checkFieldLine(line)
}

// checkFieldLine checks name, colon and value (RFC 9112, 5), and gives the name.
func checkFieldLine(line []byte) (name []byte, err error) {
	n := 0
	for n < len(line) && tokenBytes[line[n]] {
		n++
	}
	switch {
	case n == len(line):
		return nil, fieldError("no colon", line)
	case isSpace(line[n]):
		return nil, fieldError("whitespace in the name or before the colon", line)
	case line[n] != ':':
		return nil, fieldError("a byte that may not stand in a name", line)
	case n == 0:
		return nil, fieldError("no name", line)
	}
	return line[:n], checkText(line[n+1:], line)
}

// checkFold checks a line that continues the field before it (obs-fold,
// RFC 9112, 5.2).
func checkFold(line []byte, first bool) error {
	if first {
		return fieldError("whitespace before the first field", line)
	}
	if len(bytes.Trim(line, " \t")) == 0 {
		return fieldError("a line of whitespace only", line)
	}
	return checkText(line, line)
}

func checkText(text, line []byte) error {
	for _, c := range text {
		if !isText(c) {
			return fieldError("a control character in the value", line)
		}
	}
	return nil
}

func fieldError(reason string, line []byte) error {
	return &ParseError{In: "field line", Reason: reason, Near: clip(line)}
}
