package save

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The lengths a name is held to, in bytes of UTF-8.
const (
	// maxComponent is what one path component may have on the file systems in
	// common use (NAME_MAX of limits.h). Some count UTF-16 units instead, of
	// which a name never has more than bytes.
	maxComponent = 255

	// suffixReserve is room for what a name gets when it is taken already.
	suffixReserve = len("-123456")

	// maxName is the longest name that comes out of a URL.
	maxName = maxComponent - suffixReserve

	// maxExtension is the longest end of a name, with its dot, that is kept
	// when a name is cut. What is longer is hardly an extension.
	maxExtension = 16
)

// nameFor derives a file name from a URL: one path component that every common
// file system takes, and that stays in its folder. These steps make it, in
// this order; none undoes an earlier one, so a name that goes through them
// again comes out the same. It never begins with a dot: the sink's temporary
// names do, and are of their own length.
//
//	step        what it does                                      example
//	segment     the path's last segment, no query or fragment     /p/a.jpg?x#y → a.jpg
//	            none, or an empty one                             /p/          → index.html
//	decode      percent-escapes, once; a bad one stays            50%25%2.jpg  → 50%%2.jpg
//	valid       bytes that are not UTF-8 become _                 caf%E9.jpg   → caf_.jpg
//	compose     to Unicode's form NFC                             e + U+0301   → é
//	replace     \ / : * ? " < > |, control characters, and the    a:b.jpg      → a_b.jpg
//	            invisible ones that turn or hide text become _    a%00.jpg     → a_.jpg
//	front       each leading dot becomes _                        ..           → __
//	back        trailing dots and spaces go; nothing left is _    a.jpg.       → a.jpg
//	device      a name that Windows gives to a device gets a _    con.jpg      → _con.jpg
//	shorten     to maxName bytes, at the end of the stem          long….jpg    → lon.jpg
//
// A name that no step would change is a piece of rawURL; nothing is allocated.
// rawURL may lack its scheme, not its host.
func nameFor(rawURL string) string {
	name := lastSegment(rawURL)
	if name == "" {
		return "index.html"
	}
	if isPlain(name) {
		return name
	}
	return safeName(decode(name), maxName)
}

// safeName takes a name through all steps but the first two. One that a folder
// sink gave out before, with its number, comes out as it is if max allows.
func safeName(name string, max int) string {
	name = strings.ToValidUTF8(name, "_")
	name = norm.NFC.String(name)
	name = strings.Map(replaceUnsafe, name)
	name = replaceLeadingDots(name)
	name = trimBack(name)
	if isDevice(name) {
		name = "_" + name
	}
	return trimBack(withTail(name, "", max))
}

// lastSegment gives what follows the last slash of a URL's path (RFC 3986,
// section 3), escaped as it is.
func lastSegment(rawURL string) string {
	if end := strings.IndexAny(rawURL, "?#"); end >= 0 {
		rawURL = rawURL[:end]
	}
	rest := afterScheme(rawURL)
	slash := strings.LastIndexByte(rest, '/')
	if slash < 0 {
		return ""
	}
	return rest[slash+1:]
}

// afterScheme gives a URL from its host on.
func afterScheme(rawURL string) string {
	slash := strings.IndexByte(rawURL, '/')
	if slash >= 0 && strings.HasPrefix(rawURL[slash:], "//") && (slash == 0 || rawURL[slash-1] == ':') {
		return rawURL[slash+2:]
	}
	return rawURL
}

// isPlain reports whether no step would change a segment.
func isPlain(segment string) bool {
	if len(segment) > maxName || segment[0] == '.' {
		return false
	}
	for i := range len(segment) {
		if !plain[segment[i]] {
			return false
		}
	}
	last := segment[len(segment)-1]
	return last != '.' && last != ' ' && !isDevice(segment)
}

// plain marks the bytes that stand for themselves: ASCII, less the escape's
// sign and what replaceUnsafe replaces.
var plain = func() (is [256]bool) {
	for c := rune(0); c < utf8.RuneSelf; c++ {
		is[c] = c != '%' && replaceUnsafe(c) == c
	}
	return is
}()

// decode undoes percent-encoding (RFC 3986, section 2.1). A percent sign that
// two hexadecimal digits do not follow is kept, as browsers do.
func decode(segment string) string {
	if strings.IndexByte(segment, '%') < 0 {
		return segment
	}
	decoded := make([]byte, 0, len(segment))
	for i := 0; i < len(segment); i++ {
		if segment[i] == '%' && i+2 < len(segment) {
			high, low := hexDigit(segment[i+1]), hexDigit(segment[i+2])
			if high >= 0 && low >= 0 {
				decoded = append(decoded, byte(high<<4|low))
				i += 2
				continue
			}
		}
		decoded = append(decoded, segment[i])
	}
	return string(decoded)
}

// hexDigit gives a hexadecimal digit's value, -1 for any other byte.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// replaceUnsafe gives the character that stands for r in a name: r itself, or
// an underscore. Format characters (category Cf) go because they are not seen:
// U+202E shows gpj.exe as exe.jpg. The two joiners stay, since Persian words and
// emoji are spelt with them; so do the Arabic signs that enclose a number.
func replaceUnsafe(r rune) rune {
	switch {
	case strings.ContainsRune(`\/:*?"<>|`, r):
		return '_'
	case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
		return '_'
	case !unicode.Is(unicode.Cf, r), unicode.In(r, unicode.Join_Control, unicode.Prepended_Concatenation_Mark):
		return r
	}
	return '_'
}

// replaceLeadingDots keeps a name from being hidden, or "." or "..".
func replaceLeadingDots(name string) string {
	rest := strings.TrimLeft(name, ".")
	return strings.Repeat("_", len(name)-len(rest)) + rest
}

// trimBack takes off what Windows drops from the end of a name by itself
// (Microsoft, "Naming Files, Paths, and Namespaces").
func trimBack(name string) string {
	name = strings.TrimRight(name, ". ")
	if name == "" {
		return "_"
	}
	return name
}

// isDevice reports whether Windows takes a name for a device: up to its first
// dot, in any case, spaces before the dot not counted. Superscript 1 to 3 count
// as digits there (same page).
func isDevice(name string) bool {
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		name = name[:dot]
	}
	name = strings.TrimRight(name, " ")
	switch len(name) {
	case 3:
		return equalFoldAny(name, "CON", "PRN", "AUX", "NUL")
	case 4:
		return name[3] >= '1' && name[3] <= '9' && equalFoldAny(name[:3], "COM", "LPT")
	case 5:
		return strings.Contains("¹²³", name[3:]) && equalFoldAny(name[:3], "COM", "LPT")
	case 6, 7:
		return equalFoldAny(name, "CONIN$", "CONOUT$")
	}
	return false
}

func equalFoldAny(s string, words ...string) bool {
	for _, word := range words {
		if strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

// withTail puts tail between a name's stem and its extension, and cuts the stem
// at a character's end so that no more than max bytes come out.
func withTail(name, tail string, max int) string {
	stem := name[:len(name)-len(extension(name))]
	ext := name[len(stem):]
	end := min(len(stem), max-len(tail)-len(ext))
	for end < len(stem) && !utf8.RuneStart(stem[end]) {
		end--
	}
	return stem[:end] + tail + ext
}

// extension gives a name's last dot and what follows it, or "" when that is
// the whole name, or nothing follows the dot, or too much does.
func extension(name string) string {
	dot := strings.LastIndexByte(name, '.')
	length := len(name) - dot
	if dot <= 0 || length == 1 || length > maxExtension {
		return ""
	}
	return name[dot:]
}
