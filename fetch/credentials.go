package fetch

import (
	"strings"
	"time"
)

// Who asks is said by cookies, and by names and passwords. Both belong to hosts:
// what a redirect leads to gets its own, and never another's.

// CookieURL is what counts of a URL for cookies.
type CookieURL struct {
	Secure bool   // the scheme is https
	Host   string // lower case, in ASCII; an address without brackets
	Path   string // as it is on the wire, with the query
}

// Jar keeps cookies between requests. It is called on the loop; one that several
// Fetchers share must be safe for that.
type Jar interface {
	// AppendCookies appends the value of the Cookie field for a request, nothing
	// if no cookie is for it (RFC 6265 section 5.4). It has no control characters.
	AppendCookies(dst []byte, to CookieURL, now time.Time) []byte

	// SetCookie is given the value of each Set-Cookie field of each final
	// response, those that are redirects or failures too (RFC 6265 section 5.3).
	SetCookie(from CookieURL, value string, now time.Time)
}

// takeCookies hands the cookies of a head to the jar.
func (l *loop) takeCookies(j *job, h Head) {
	if l.options.Jar == nil {
		return
	}
	from := cookieURL(j.origin.route, j.url)
	for value := range h.Values("Set-Cookie") {
		l.options.Jar.SetCookie(from, value, l.kernel.Wall())
	}
}

// cookiesFor is what the jar has for a URL.
func (l *loop) cookiesFor(r route, url string) string {
	if l.options.Jar == nil {
		return ""
	}
	l.cookies = l.options.Jar.AppendCookies(l.cookies[:0], cookieURL(r, url), l.kernel.Wall())
	return string(l.cookies)
}

func cookieURL(r route, url string) CookieURL { return CookieURL{r.secure, r.host, pathOf(url)} }

// identify adds to the fields of a job's request who asks.
func (l *loop) identify(j *job) {
	if l.options.Jar != nil {
		l.addCookies(j)
	}
	if l.options.Login == nil || hasField(l.fields, "Authorization") {
		return
	}
	redirected := j.special != nil && len(j.special.visits) > 0
	if name, password, ok := l.options.Login(j.origin.route.host, redirected); ok {
		l.fields = append(l.fields, Field{Name: "Authorization", Value: basic(name, password)})
	}
}

// addCookies puts the request's own cookies and those of the jar into one field:
// there must not be two (RFC 6265 section 5.4).
func (l *loop) addCookies(j *job) {
	jar := l.cookiesFor(j.origin.route, j.url)
	if jar == "" {
		if j.special != nil {
			j.special.cookies = ""
		}
		return
	}
	j.becomeSpecial().cookies = jar
	all := []string{jar}
	kept := l.fields[:0]
	for _, f := range l.fields {
		if strings.EqualFold(f.Name, "Cookie") {
			all = append(all[:len(all)-1], f.Value, jar)
		} else {
			kept = append(kept, f)
		}
	}
	l.fields = append(kept, Field{Name: "Cookie", Value: strings.Join(all, "; ")})
}
