package fetch

import (
	"net/url"
	"strings"
)

// trip is where a job has been, once it has been redirected.
type trip struct {
	given Request  // what the caller asked for
	seen  []string // method and URL of every request so far, the last included
}

// redirect reads a head: where the job should go instead, nil when the head is
// not a redirect, or why it may not go there.
func (l *loop) redirect(j *job) (*target, error) {
	location := j.head.Get("Location")
	if !isRedirect(int(j.head.Status)) || location == "" || l.options.MaxRedirects < 0 {
		return nil, nil
	}
	if j.trip != nil && len(j.trip.seen) > l.options.MaxRedirects {
		return nil, &LimitError{"redirects", int64(l.options.MaxRedirects)}
	}
	t, err := resolveReference(j.url, location)
	if err != nil {
		return nil, &RedirectError{location, err.Error()}
	}
	if j.visited(methodAfter(int(j.head.Status), j.outgoing().Method), t.url) {
		return nil, &RedirectError{location, "it leads in a circle"}
	}
	return &t, nil
}

// isRedirect tells the statuses whose Location is followed (RFC 9110 section
// 15.4). 300 and 304 to 306 are answers, or nothing any more.
func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// resolveReference reads a Location, which may be relative to the URL it
// answers (RFC 9110 section 10.2.2).
func resolveReference(from, location string) (target, error) {
	base, err := url.Parse(from)
	if err != nil {
		return target{}, reasonOf(err)
	}
	to, err := base.Parse(location)
	if err != nil {
		return target{}, reasonOf(err)
	}
	to.Fragment, to.RawFragment = "", ""
	return targetOf(to, to.String())
}

// methodAfter is the method a redirect is followed with: 303 asks for a GET,
// and after a POST 301 and 302 have come to mean that too (RFC 9110 sections
// 15.4.2 to 15.4.4).
func methodAfter(status int, method string) string {
	switch {
	case method == "HEAD":
		return method
	case status == 303, method == "POST" && (status == 301 || status == 302):
		return ""
	}
	return method
}

// visited says whether a job has asked this before.
func (j *job) visited(method, url string) bool {
	key := method + " " + url
	if j.trip == nil {
		return key == j.outgoing().Method+" "+j.url
	}
	for _, s := range j.trip.seen {
		if s == key {
			return true
		}
	}
	return false
}

// follow sends a job to where its response pointed.
func (l *loop) follow(j *job, t target) {
	r := j.outgoing()
	if j.trip == nil {
		j.trip = &trip{given: j.given(), seen: []string{r.Method + " " + j.url}}
	}
	method := methodAfter(int(j.head.Status), r.Method)
	if method != r.Method {
		r.Method, r.Body = method, nil
		r.Fields = without(r.Fields, "Content-Type", "Content-Encoding", "Content-Language")
	}
	if t.route != j.origin.route {
		r.Fields = without(r.Fields, "Authorization", "Cookie", "Proxy-Authorization", "Host")
	}
	j.trip.seen = append(j.trip.seen, method+" "+t.url)
	j.request = &r
	old := j.origin
	j.fresh = false
	l.aim(j, t)
	l.requeue(j)
	l.forget(old)
}

// without is a copy of the fields that lacks some: credentials stay with the
// origin they were meant for, and descriptions of a body go with the body.
func without(fields []Field, names ...string) []Field {
	var kept []Field
	for _, f := range fields {
		drop := false
		for _, name := range names {
			drop = drop || strings.EqualFold(f.Name, name)
		}
		if !drop {
			kept = append(kept, f)
		}
	}
	return kept
}
