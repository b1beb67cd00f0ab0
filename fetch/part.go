package fetch

import "strings"

// What broke off in one run may be gone on with in another, if the sink keeps
// it: then a job begins with part of its body, as if it had been tried before.

// Continuer is a [Sink] that may have part of a body from an earlier run.
type Continuer interface {
	// Continue is called when a request for a whole body has been admitted, and
	// gives what there is of that body, or nil. There is no head in info yet. What
	// is returned is gone on with if the server still has the same content.
	Continue(info OpenInfo) *Part
}

// Part is the beginning of a body, with what an earlier [OpenInfo] said of it.
type Part struct {
	Body      Keeper // as after its Keep
	Bytes     int64  // that are there, at least 1; the rest must be at least 1 too
	Length    int64  // of the whole, or -1
	URL       string // from where it came
	Validator string // not empty
}

// Leaver is a [Keeper] that can outlive its fetch.
type Leaver interface {
	Keeper

	// Leave stands in the place of Discard when the fetch has failed though
	// nothing is wrong with what was written: that may be kept for another run.
	Leave()
}

// takeUp has a new job begin with what its sink has of its body.
func (l *loop) takeUp(j *job) {
	c, ok := l.options.Sink.(Continuer)
	if r := j.outgoing(); !ok || r.Method != "" && r.Method != "GET" || r.Body != nil || j.asksForPart() {
		return
	}
	p := c.Continue(OpenInfo{Request: j.outgoing(), Name: j.name, Length: -1, Attempt: 1, Resumer: Resumer{&l.mail, j.token}})
	if p == nil {
		return
	}
	j.body = p.Body
	s := j.becomeSpecial()
	s.kept = &kept{p.Bytes, p.Length, p.Validator, p.URL}
	s.resumed = p.Bytes
}

// putAside ends the body of a job that has failed.
func (l *loop) putAside(j *job) {
	if b, ok := j.body.(Leaver); ok && !j.committed {
		b.Leave()
		return
	}
	l.discard(j)
}

// sameResource says whether two URLs name one resource. Their queries may
// differ: those that are signed change each time that a redirect leads there.
func sameResource(a, b string) bool {
	a, _, _ = strings.Cut(a, "?")
	b, _, _ = strings.Cut(b, "?")
	return a == b
}
