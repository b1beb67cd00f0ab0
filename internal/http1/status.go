package http1

// opening is what every response begins with (RFC 9112, 2.3). It is checked as
// the bytes come, so that a server of another protocol is told at its first
// wrong byte, be there a line end or not.
const opening = "HTTP/"

// statusLineForm is a status line up to its reason phrase; a digit stands for
// any digit.
const statusLineForm = "HTTP/1.0 000 "

// opensWell reports whether b, which comes after seen bytes of the line, goes
// on like the opening of a status line.
func opensWell(seen int, b []byte) bool {
	want := opening[min(seen, len(opening)):]
	n := min(len(want), len(b))
	return string(b[:n]) == want[:n]
}

// parseStatusLine reads a status line without its line end (RFC 9112, 4) into
// a Head that lacks its fields. A
// line may end after the status code: servers without a reason phrase often
// leave the space out too.
func parseStatusLine(line []byte) (Head, error) {
	fail := func(reason string) (Head, error) {
		return Head{}, &ParseError{In: "status line", Reason: reason, Near: clip(line)}
	}
	if !matchesForm(line, "HTTP/1.0") || len(line) > 8 && isVersionByte(line[8]) {
		return fail("the version is not HTTP/1.x")
	}
	if !matchesForm(line, "HTTP/1.0 000") {
		return fail("no status code of three digits after the version")
	}
	if len(line) > 12 && line[12] != ' ' {
		return fail("no space after the status code")
	}
	for _, c := range line[12:] {
		if !isText(c) {
			return fail("control character in the reason phrase")
		}
	}
	status := uint16(line[9]-'0')*100 + uint16(line[10]-'0')*10 + uint16(line[11]-'0')
	switch {
	case status < 100:
		return fail("status code below 100")
	case status == 101:
		return fail("the protocol is switched, but no upgrade was asked for")
	}
	return Head{Status: status, Minor: line[7] - '0'}, nil
}

func isVersionByte(c byte) bool { return isDigit(c) || c == '.' }

// matchesForm reports whether line begins like form, in which 0 stands for any
// digit.
func matchesForm(line []byte, form string) bool {
	if len(line) < len(form) {
		return false
	}
	for i := range len(form) {
		if form[i] == '0' && !isDigit(line[i]) || form[i] != '0' && line[i] != form[i] {
			return false
		}
	}
	return true
}
