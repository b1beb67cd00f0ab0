package cookies

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// setCookie is a Set-Cookie field taken apart (RFC 6265 section 5.2).
type setCookie struct {
	name, value string
	domain      string // lower case, without a dot before it; empty when there is none
	path        string // empty when there is none
	maxAge      int64  // in seconds
	expires     int64  // in Unix time
	hasMaxAge   bool
	hasExpires  bool
	secure      bool
	httpOnly    bool
}

// parseSetCookie reads the value of a Set-Cookie field.
func parseSetCookie(field string) (s setCookie, err error) {
	pair, attributes, _ := strings.Cut(field, ";")
	name, value, ok := strings.Cut(pair, "=")
	s.name, s.value = trim(name), trim(value)
	if !ok || s.name == "" {
		return s, errors.New("a cookie needs a name and a value")
	}
	if strings.ContainsFunc(s.name+s.value, isControl) || strings.ContainsFunc(attributes, func(r rune) bool { return r != '\t' && isControl(r) }) {
		return s, errors.New("a cookie cannot have control characters")
	}
	if n := len(s.name) + len(s.value); n > CookieBytes {
		return s, fmt.Errorf("a cookie of %d bytes is longer than %d", n, CookieBytes)
	}
	for more := attributes != ""; more; {
		var attribute string
		attribute, attributes, more = strings.Cut(attributes, ";")
		if err := s.attribute(attribute); err != nil {
			return s, err
		}
	}
	return s, nil
}

// attribute reads one attribute. The last of a name counts; one that is not
// known, or has no sense, is passed over.
func (s *setCookie) attribute(text string) error {
	name, value, _ := strings.Cut(text, "=")
	value = trim(value)
	switch strings.ToLower(trim(name)) {
	case "expires":
		if at, ok := parseDate(value); ok {
			s.expires, s.hasExpires = at, true
		}
	case "max-age":
		if age, ok := parseAge(value); ok {
			s.maxAge, s.hasMaxAge = age, true
		}
	case "domain":
		return s.setDomain(value)
	case "path":
		s.path = ""
		if strings.HasPrefix(value, "/") && !strings.Contains(value, "\t") {
			s.path = value
		}
	case "secure":
		s.secure = true
	case "httponly":
		s.httpOnly = true
	}
	return nil
}

func (s *setCookie) setDomain(value string) error {
	s.domain = strings.ToLower(strings.TrimPrefix(value, "."))
	if s.domain == "" && value != "" || !isHost(s.domain) {
		return fmt.Errorf("a cookie cannot have the domain %q", value)
	}
	return nil
}

// isHost says whether a domain could be a host's; the empty one, which is none,
// could. Names outside ASCII have a form within.
func isHost(domain string) bool {
	for i := range len(domain) {
		c := domain[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("/\\#?@[]%", c) >= 0 {
			return false
		}
	}
	return !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}

// parseAge reads a Max-Age (RFC 6265 section 5.2.2). One too large to count is
// for ever.
func parseAge(value string) (seconds int64, ok bool) {
	digits := strings.TrimPrefix(value, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return seconds, true // the nearest that there is
	}
	return seconds, err == nil
}

// expiry is when the cookie expires: Max-Age has the last word (RFC 6265
// section 5.3, step 3).
func (s *setCookie) expiry(now time.Time) int64 {
	switch {
	case s.hasMaxAge && s.maxAge <= 0:
		return math.MinInt64
	case s.hasMaxAge:
		return now.Unix() + min(s.maxAge, session-1-now.Unix())
	case s.hasExpires:
		return s.expires
	}
	return session
}

// isControl tells the control characters. A tab within a cookie is one too: the
// file could not hold it.
func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// trim takes off what RFC 6265 calls WSP.
func trim(s string) string { return strings.Trim(s, " \t") }
