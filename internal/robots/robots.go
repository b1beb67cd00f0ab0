// Package robots reads what a site asks of programs: robots.txt (RFC 9309) and
// the field X-Robots-Tag.
//
// It is not a library's work because none was found to be kept and right: of
// the two in use, one matches a rule with a wildcard anywhere in a path, gives
// up a file for one line out of place and lets an Allow lose to a Disallow of the
// same length; the other is a port that has not been touched since 2022.
package robots

import (
	"fmt"
	"strings"
	"time"
)

// Bytes is how much of a robots.txt counts, at least and at most (RFC 9309
// section 2.5).
const Bytes = 500 << 10

// Freshness is how long a robots.txt may be gone by before it is fetched again
// (RFC 9309 section 2.4).
const Freshness = 24 * time.Hour

// Redirects is how many are followed to a robots.txt, at least (RFC 9309
// section 2.3.1.2).
const Redirects = 5

// Rules are what one site asks of one agent. They never change.
type Rules struct {
	rules  []rule // the one that counts comes first
	delay  time.Duration
	closed string // why nothing is allowed, if that is so
}

// rule is a line Allow or Disallow.
type rule struct {
	pattern pattern
	allow   bool
	line    int
	text    string // the value as it is in the file
}

// DisallowedError is a fetch that a site does not want.
type DisallowedError struct {
	Line   int    // of robots.txt, from 1; 0 when there is none to read
	Reason string // the rule, or why there is none
}

func (e *DisallowedError) Error() string {
	if e.Line == 0 {
		return "not allowed: " + e.Reason
	}
	return fmt.Sprintf("robots.txt does not allow it: line %d, %s", e.Line, e.Reason)
}

// Check says whether a site allows a path, with its query, as they are on the
// wire: nil or a *DisallowedError. Of the rules that match, the longest counts,
// and of those an Allow (RFC 9309 section 2.2.2).
func (r *Rules) Check(path string) error {
	if path == "/robots.txt" {
		return nil
	}
	if r.closed != "" {
		return &DisallowedError{Reason: r.closed}
	}
	path = normalPath(path)
	for i := range r.rules {
		if rule := &r.rules[i]; rule.pattern.matches(path) {
			if rule.allow {
				return nil
			}
			return &DisallowedError{rule.line, "Disallow: " + rule.text}
		}
	}
	return nil
}

// CrawlDelay is how long the site wants to be left alone between two fetches; 0
// when it does not say. It is no part of RFC 9309.
func (r *Rules) CrawlDelay() time.Duration { return r.delay }

// ForStatus says what a final status in answer to /robots.txt means (RFC 9309
// section 2.3.1). The text is to be parsed when rules is nil. A 4xx, and a
// redirect that was not followed any further, is a site without rules. But 429 is
// a server that asks for less, and is taken as a 5xx: nothing is allowed.
func ForStatus(status int) (rules *Rules) {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 500 && status != 429:
		return new(Rules)
	}
	return Unreachable(fmt.Sprintf("status %d", status))
}

// Unreachable are the rules of a site whose robots.txt could not be fetched for
// that reason: nothing is allowed (RFC 9309 section 2.3.1.4).
func Unreachable(reason string) *Rules {
	return &Rules{closed: "robots.txt could not be read: " + reason}
}

// Token is the part of a User-Agent by which groups of rules name it: shoal, of
// shoal/1.0 (RFC 9309 section 2.2.1).
func Token(userAgent string) string {
	end := strings.IndexFunc(userAgent, func(r rune) bool {
		return r != '-' && r != '_' && (r|0x20 < 'a' || r|0x20 > 'z')
	})
	if end < 0 {
		return userAgent
	}
	return userAgent[:end]
}
