package fetch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// What people and servers write for a URL is often more than RFC 3986 allows:
// spaces, letters of all alphabets (RFC 3987), a percent sign that begins no
// escape. All of that has one meaning, and is encoded.

var errUserinfo = errors.New("the URL makes no sense; in a name or password before its @, the characters / ? # [ ] @ and % are written %2F %3F %23 %5B %5D %40 and %25")

// readURL reads a URL, or a reference relative to one, without its fragment,
// which is never sent (RFC 9110 section 7.1). An error shows nothing that could
// be part of a password.
func readURL(raw string) (*url.URL, error) {
	text, _, _ := strings.Cut(strings.Trim(raw, " "), "#")
	u, err := url.Parse(encode(text))
	switch {
	case err == nil:
		return u, nil
	case strings.Contains(raw, "@"):
		return nil, errUserinfo
	}
	return nil, reasonOf(err)
}

// reasonOf takes the repetition of the URL out of url.Parse's error: ours
// carries the URL already.
func reasonOf(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// encode percent-encodes, behind the authority of a URL without a fragment,
// what may not stand in a request line, and in the path what RFC 3986 does not
// know either. Escapes stay what they are. So do control characters, for
// url.Parse to refuse.
func encode(text string) string {
	path := authorityEnd(text)
	query := strings.IndexByte(text[path:], '?')
	if query < 0 {
		query = len(text)
	} else {
		query += path
	}
	first := path
	for first < len(text) && stands(text, first, query) {
		first++
	}
	if first == len(text) {
		return text
	}
	var b strings.Builder
	b.WriteString(text[:first])
	for i := first; i < len(text); i++ {
		if stands(text, i, query) {
			b.WriteByte(text[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", text[i])
		}
	}
	return b.String()
}

// stands says whether a byte of a path, or of the query that begins at query,
// stands for itself.
func stands(text string, at, query int) bool {
	switch c := text[at]; c {
	case ' ':
		return false
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
		return at >= query
	case '%':
		return at >= query || len(text) > at+2 && isHex(text[at+1]) && isHex(text[at+2])
	default:
		return c < utf8.RuneSelf
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// authorityEnd is where the path of a URL or reference begins.
func authorityEnd(text string) int {
	begin := authorityBegin(text)
	if begin == 0 {
		return 0
	}
	if n := strings.IndexAny(text[begin:], "/?#"); n >= 0 {
		return begin + n
	}
	return len(text)
}

// authorityBegin is where the authority of a URL or reference begins, 0 when it
// has none.
func authorityBegin(text string) int {
	if strings.HasPrefix(text, "//") {
		return len("//")
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c == ':' && strings.HasPrefix(text[i:], schemeEnd):
			return i + len(schemeEnd)
		case 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.':
		default:
			return 0
		}
	}
	return 0
}

// toASCII gives a host of other letters the name by which DNS knows it (IDNA,
// as UTS 46 has it and browsers do).
func toASCII(u *url.URL) error {
	name := u.Hostname()
	if isASCII(name) {
		return nil
	}
	ascii, err := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false)).ToASCII(name)
	if err != nil || strings.HasPrefix(u.Host, "[") || strings.ContainsFunc(ascii, endsHost) {
		return fmt.Errorf("the host name %q has no form for DNS", name)
	}
	if port := u.Port(); port != "" {
		ascii += ":" + port
	}
	u.Host = ascii
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// endsHost tells what would not be part of a host if a URL had it in its place:
// letters that look like it are mapped to it.
func endsHost(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"#%/:<>?@[\]^{|}`+"`", r)
}

// authorizationOf is the value of the Authorization field for a name and
// password from a URL (RFC 7617 section 2).
func authorizationOf(u *url.Userinfo) (string, error) {
	name := u.Username()
	password, _ := u.Password()
	switch {
	case name == "" && password == "":
		return "", nil
	case strings.Contains(name, ":"):
		return "", errors.New("a user name cannot have a colon (RFC 7617 section 2)")
	}
	return basic(name, password), nil
}

// basic is a name and password as the Authorization field has them.
func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// WithoutUserinfo is a URL without the name and password that it may have, fit
// to be shown. Of what cannot be read as a URL, everything up to the last @ goes.
func WithoutUserinfo(rawURL string) string {
	rawURL = strings.Trim(rawURL, " ")
	begin := authorityBegin(rawURL)
	at := strings.LastIndexByte(rawURL, '@')
	if at < begin {
		return rawURL
	}
	if _, err := readURL(rawURL); err == nil {
		at = begin + strings.LastIndexByte(rawURL[begin:authorityEnd(rawURL)], '@')
	}
	return rawURL[:begin] + rawURL[at+1:]
}
