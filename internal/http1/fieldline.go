package http1

import "bytes"

// checkField checks a line of a section, without its line end, and counts the
// field if it begins one.
func (p *Parser) checkField(part Part, line []byte) error {
	if isSpace(line[0]) {
		return checkFold(line, p.fields == 0)
	}
	p.fields++
	if limit := p.limits.fields(); int(p.fields) > limit {
		return &LimitError{What: part.String() + " has more than", Limit: limit, Unit: "fields"}
	}
	return checkFieldLine(line)
}

// checkFieldLine checks name, colon and value (RFC 9112, 5).
func checkFieldLine(line []byte) error {
	name := 0
	for name < len(line) && tokenBytes[line[name]] {
		name++
	}
	switch {
	case name == len(line):
		return fieldError("no colon", line)
	case isSpace(line[name]):
		return fieldError("whitespace in the name or before the colon", line)
	case line[name] != ':':
		return fieldError("a byte that may not stand in a name", line)
	case name == 0:
		return fieldError("no name", line)
	}
	return checkText(line[name+1:], line)
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
