package fetch

import (
	"slices"
	"strings"
)

// redirect reads a head: where the job should go instead, nil when the head is
// not a redirect, or why it may not go there.
func (l *loop) redirect(j *job, h Head) (*target, error) {
	location := h.Get("Location")
	if !isRedirect(int(h.Status)) || location == "" || l.options.MaxRedirects < 0 {
		return nil, nil
	}
	t, err := resolveReference(j.url, location)
	if err == nil {
		err = l.lead(&t)
	}
	if err != nil {
		return nil, notFollowed(location, err.Error())
	}
	if j.origin.route.secure && !t.route.secure && !l.options.AllowDowngrade {
		return nil, notFollowed(location, "it leads from https to http")
	}
	if circle := l.circle(j, methodAfter(int(h.Status), j.outgoing().Method), &t); circle != nil {
		return nil, notFollowed(location, "it leads in a circle: "+strings.Join(circle, " -> "))
	}
	if j.special != nil && len(j.special.visits) >= l.options.MaxRedirects {
		return nil, &LimitError{"redirects", int64(l.options.MaxRedirects)}
	}
	if l.options.CheckRedirect != nil {
		given := j.given()
		if err := l.options.CheckRedirect(&given, t.url); err != nil {
			return nil, &RedirectError{WithoutUserinfo(location), err.Error(), err}
		}
	}
	return &t, nil
}

func notFollowed(location, reason string) *RedirectError {
	return &RedirectError{Location: WithoutUserinfo(location), Reason: reason}
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
	base, err := readURL(from)
	if err != nil {
		return target{}, err
	}
	to, err := readURL(location)
	if err != nil {
		return target{}, err
	}
	return targetOf(base.ResolveReference(to), "")
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

// follow sends a job to where its response, of a status, pointed.
func (l *loop) follow(j *job, status int, t target) {
	s := j.becomeSpecial()
	r := &s.request
	j.lap(stageQueue, l.now)
	s.visits = append(s.visits, j.visit(status, j.sinceVisit()))
	s.cookies = ""
	method := methodAfter(status, r.Method)
	if method != r.Method {
		r.Method, r.Body = method, nil
		r.Fields = without(r.Fields, "Content-Type", "Content-Encoding", "Content-Language")
	}
	if !t.route.isSameOrigin(j.origin.route) {
		r.Fields = without(r.Fields, "Authorization", "Cookie", "Host")
	}
	if t.route.proxy != j.origin.route.proxy {
		r.Fields = without(r.Fields, "Proxy-Authorization")
	}
	if t.authorization != "" {
		r.Fields = with(without(r.Fields, "Authorization"), Field{Name: "Authorization", Value: t.authorization})
	}
	old := j.origin
	l.unlink(j)
	j.fresh = false
	l.aim(j, t)
	l.requeue(j)
	l.leave(old)
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

// with is a copy of the fields that has one more.
func with(fields []Field, f Field) []Field { return append(slices.Clip(fields), f) }
