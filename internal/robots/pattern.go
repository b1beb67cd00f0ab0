package robots

import "strings"

// pattern is the value of a rule: a path's beginning, in which * stands for
// anything, with $ at its end for a path's end (RFC 9309 section 2.2.3).
type pattern struct {
	text   string // in its normal form, without the $
	toEnd  bool
	length int // in octets of the normal form: how specific the rule is
}

func newPattern(value string) pattern {
	text, toEnd := strings.CutSuffix(value, "$")
	text = normal(text, false)
	length := len(text)
	if toEnd {
		length++
	}
	return pattern{text, toEnd, length}
}

// matches says whether a path, in its normal form, has the pattern at its
// beginning. Each part between two stars is looked for once, as far left as it
// can be, so that no pattern takes longer than its and the path's length.
func (p pattern) matches(path string) bool {
	part, rest, star := strings.Cut(p.text, "*")
	path, ok := strings.CutPrefix(path, part)
	for ok && star {
		part, rest, star = strings.Cut(rest, "*")
		if p.toEnd && !star {
			return strings.HasSuffix(path, part)
		}
		_, path, ok = strings.Cut(path, part)
	}
	return ok && (!p.toEnd || path == "")
}

// normalPath is a path with its query in the form in which patterns are
// compared with it: with no * and $ of its own.
func normalPath(path string) string { return normal(path, true) }

// normal brings the spellings of a path that mean the same to one: characters
// that need no percent sign have none, all that is not printable ASCII has one,
// and hexadecimal digits are capitals (RFC 9309 section 2.2.2, RFC 3986 section
// 6.2.2). A star or a dollar sign that means itself is spelled %2A or %24; in a
// pattern only the star does not.
func normal(s string, isPath bool) string {
	if isNormal(s, isPath) {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if code, ok := percent(s[i:]); ok {
			i += len("%XX") - 1
			if isUnreserved(code) {
				b = append(b, code)
			} else {
				b = appendPercent(b, code)
			}
		} else if c != '%' && isPlain(c, isPath) { // a percent sign that begins nothing is one that means itself
			b = append(b, c)
		} else {
			b = appendPercent(b, c)
		}
	}
	return string(b)
}

func isNormal(s string, isPath bool) bool {
	for i := range len(s) {
		if s[i] == '%' || !isPlain(s[i], isPath) {
			return false
		}
	}
	return true
}

// isPlain tells the characters that stand for themselves.
func isPlain(c byte, isPath bool) bool {
	return c > ' ' && c < 0x7f && c != '$' && (c != '*' || !isPath)
}

// percent reads a percent sign and two digits.
func percent(s string) (code byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := hexValue(s[1]), hexValue(s[2])
	return byte(high<<4 | low&0xf), high >= 0 && low >= 0
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func appendPercent(b []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[c>>4], digits[c&0xf])
}

// isUnreserved tells the characters of RFC 3986 section 2.3.
func isUnreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
