// Package cookies keeps the cookies of a run, by RFC 6265, and reads and writes
// the file in which curl, wget and browsers' exports keep theirs.
//
// The jar of net/http cannot be listed, so it could not be written to a file,
// and it asks the world's clock; it is what the tests hold this one against.
// Three rules are stricter than there, as browsers have it (RFC 6265bis): a
// cookie marked Secure is set and replaced over https only, __Secure- and
// __Host- in a name mean what they say, and there are limits.
package cookies

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Limits. Of a host with too many cookies the oldest goes; a jar that is full
// takes no others.
const (
	CookieBytes = 4096    // of a cookie's name and value together
	HostCookies = 180     // of one domain
	JarCookies  = 200_000 // in all
)

// ErrFull is what a jar that holds JarCookies returns for another one.
var ErrFull = fmt.Errorf("the jar has %d cookies already, which is its limit", JarCookies)

// URL is what counts of a URL for cookies.
type URL struct {
	Secure bool   // the scheme is https
	Host   string // lower case, in ASCII; an address without brackets
	Path   string // as it is on the wire, with or without a query
}

// Jar holds cookies. It belongs to one goroutine.
type Jar struct {
	domains map[string][]cookie // by the domain, without a dot before it
	count   int
	made    uint64    // how many were ever made
	fit     []*cookie // of AppendHeader
}

// cookie is what is kept of a cookie, but for its domain (RFC 6265 section 5.3).
type cookie struct {
	name, value, path string

	expires  int64  // in Unix time
	made     uint64 // which one of the jar's it was: its creation time, for the order
	hostOnly bool   // goes to the domain alone, not to those below it
	secure   bool
	httpOnly bool // kept for the file: we have no scripts to hide it from
}

// session is when a cookie without a date expires: not while the run lasts.
const session = math.MaxInt64

// New makes an empty jar.
func New() *Jar { return &Jar{domains: make(map[string][]cookie)} }

// Len is how many cookies the jar holds, expired ones too.
func (j *Jar) Len() int { return j.count }

// Set takes the value of a Set-Cookie field from a response of that URL: keeps
// the cookie, or takes it out when it says that it has expired. The error says
// why a cookie was refused, which is no reason for the fetch to fail.
func (j *Jar) Set(from URL, field string, now time.Time) error {
	s, err := parseSetCookie(field)
	if err != nil {
		return err
	}
	from.Host = strings.TrimSuffix(from.Host, ".")
	domain, hostOnly, err := s.domainFor(from.Host)
	if err != nil {
		return err
	}
	c := cookie{
		name: s.name, value: s.value, path: s.path, expires: s.expiry(now),
		hostOnly: hostOnly, secure: s.secure, httpOnly: s.httpOnly,
	}
	if c.path == "" {
		c.path = defaultPath(pathOnly(from.Path))
	}
	if err := checkPrefix(&c); err != nil {
		return err
	}
	if !from.isSafe() && (c.secure || j.hidesSecure(from.Host, &c)) {
		return errors.New("a Secure cookie cannot be set or replaced over plain http")
	}
	return j.put(domain, c, now)
}

// checkPrefix holds a cookie to what its name claims (RFC 6265bis section
// 4.1.3), in whatever case.
func checkPrefix(c *cookie) error {
	name := strings.ToLower(c.name)
	switch {
	case strings.HasPrefix(name, "__secure-") && !c.secure:
		return errors.New("a cookie called __Secure- must be Secure")
	case strings.HasPrefix(name, "__host-") && (!c.secure || !c.hostOnly || c.path != "/"):
		return errors.New("a cookie called __Host- must be Secure, of the path /, and without a Domain")
	}
	return nil
}

// hidesSecure says whether there is a Secure cookie of that name, for the host
// or a domain it is in, which a request for the new one's path would carry.
func (j *Jar) hidesSecure(host string, c *cookie) bool {
	same := func(old cookie) bool { return old.secure && old.name == c.name && matchPath(c.path, old.path) }
	for domain := host; domain != ""; domain = parentOf(domain) {
		if slices.ContainsFunc(j.domains[domain], same) {
			return true
		}
	}
	return false
}

// put keeps a cookie in the place of the one of its name and path, if there is
// one, or takes that out.
func (j *Jar) put(domain string, c cookie, now time.Time) error {
	at := slices.IndexFunc(j.domains[domain], func(old cookie) bool { return old.name == c.name && old.path == c.path })
	expired := c.expired(now)
	switch {
	case at < 0 && expired:
		return nil
	case at < 0:
		return j.add(domain, c, now)
	case expired:
		j.remove(domain, func(old *cookie) bool { return old.name == c.name && old.path == c.path })
	default:
		old := &j.domains[domain][at]
		c.made = old.made // the order of cookies does not change (RFC 6265 section 5.3, step 11)
		*old = c.own()
	}
	return nil
}

// add keeps a new cookie.
func (j *Jar) add(domain string, c cookie, now time.Time) error {
	if len(j.domains[domain]) >= HostCookies || j.count >= JarCookies {
		j.remove(domain, func(old *cookie) bool { return old.expired(now) })
	}
	if all := j.domains[domain]; len(all) >= HostCookies {
		oldest := slices.MinFunc(all, func(a, b cookie) int { return cmp.Compare(a.made, b.made) }).made
		j.remove(domain, func(old *cookie) bool { return old.made == oldest })
	}
	if j.count >= JarCookies {
		return ErrFull
	}
	j.made++
	c.made = j.made
	j.domains[strings.Clone(domain)] = append(j.domains[domain], c.own())
	j.count++
	return nil
}

// remove takes the cookies out of which it is true.
func (j *Jar) remove(domain string, is func(*cookie) bool) {
	all := j.domains[domain]
	left := slices.DeleteFunc(all, func(c cookie) bool { return is(&c) })
	j.count -= len(all) - len(left)
	if len(left) == 0 {
		delete(j.domains, domain)
		return
	}
	j.domains[domain] = left
}

// own copies the strings, which are part of a whole head.
func (c cookie) own() cookie {
	c.name, c.value, c.path = strings.Clone(c.name), strings.Clone(c.value), strings.Clone(c.path)
	return c
}

func (c *cookie) expired(now time.Time) bool { return c.expires <= now.Unix() }

// AppendHeader appends the value of the Cookie field for a request to that URL,
// nothing if no cookie fits: those of longer paths first, then older ones first
// (RFC 6265 section 5.4). It allocates nothing once b is large enough.
func (j *Jar) AppendHeader(b []byte, to URL, now time.Time) []byte {
	if j.count == 0 {
		return b
	}
	to.Host = strings.TrimSuffix(to.Host, ".")
	path, safe := pathOnly(to.Path), to.isSafe()
	j.fit = j.fit[:0]
	j.collect(to.Host, true, safe, path, now)
	if !isAddress(to.Host) {
		for parent := parentOf(to.Host); parent != ""; parent = parentOf(parent) {
			j.collect(parent, false, safe, path, now)
		}
	}
	slices.SortFunc(j.fit, func(a, b *cookie) int {
		return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(a.made, b.made))
	})
	for i, c := range j.fit {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = append(append(append(b, c.name...), '='), c.value...)
	}
	return b
}

// collect adds the cookies of a domain that fit a request.
func (j *Jar) collect(domain string, isHost, safe bool, path string, now time.Time) {
	all := j.domains[domain]
	for i := range all {
		c := &all[i]
		if (isHost || !c.hostOnly) && (safe || !c.secure) && matchPath(path, c.path) && !c.expired(now) {
			j.fit = append(j.fit, c)
		}
	}
}
