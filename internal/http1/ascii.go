package http1

// A byteSet says of each byte whether it belongs to a class of the grammar.
type byteSet [256]bool

// tokenBytes are the bytes of a token (RFC 9110, 5.6.2): methods, field names,
// connection options.
var tokenBytes = setOf("!#$%&'*+-.^_`|~" + digits + letters)

// hostBytes are the bytes of a host and port (RFC 3986, 3.2.2 and 3.2.3):
// names, percent escapes, addresses, brackets and the colon.
var hostBytes = setOf("-._~%!$&'()*+,;=[]:" + digits + letters)

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func setOf(members string) (set byteSet) {
	for i := range len(members) {
		set[members[i]] = true
	}
	return set
}

// all reports whether s is not empty and made of members of the set only.
func (set *byteSet) all(s string) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return s != ""
}

// isSpace reports whether c is optional whitespace (RFC 9110, 5.6.3).
func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isText reports whether c may stand in a field value or a reason phrase:
// anything but the control characters, of which the tab is allowed. Bytes of
// 0x80 and more are obs-text (RFC 9110, 5.5).
func isText(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// hexValue returns what a hexadecimal digit stands for, or -1.
func hexValue(c byte) int64 {
	switch {
	case isDigit(c):
		return int64(c - '0')
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10
	}
	return -1
}

// trimSpace returns s without optional whitespace at either end.
func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// equalFold reports whether a and b are equal but for the case of ASCII
// letters. Unlike strings.EqualFold it folds nothing else: the Kelvin sign is
// no k.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
