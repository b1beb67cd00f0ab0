package fetch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
)

// A fetch that broke off in its body and is tried again asks for the rest only
// (RFC 9110 section 14). The rest must be of the same content: a strong validator
// says so (If-Range), and the server's word on what it sends (Content-Range) must
// be what was asked for. In any other case it starts over.

// errNoKeeper is why a body that cannot wait is not kept.
var errNoKeeper = errors.New("fetch: the body is no Keeper")

// kept is what a job that is tried again has of its body already.
type kept struct {
	bytes     int64
	total     int64  // of the whole body, or -1
	validator string // for If-Range
	url       string // from where it came
}

// kept is what a job has of its body, or nil when it begins at the beginning.
func (j *job) kept() *kept {
	if j.special == nil {
		return nil
	}
	return j.special.kept
}

// keep prepares a job that is to be tried again after it failed in a phase: what
// its body has taken so far stays if it can be gone on with.
func (l *loop) keep(j *job, phase Phase) {
	if phase == PhaseSave {
		l.startOver(j) // nobody knows how much of the last piece was written
		return
	}
	if k := j.kept(); k != nil && j.received <= k.bytes {
		return // the last try brought no more
	}
	if k := l.keepable(j); k != nil {
		j.becomeSpecial().kept = k
		return
	}
	l.startOver(j)
}

// keepable is what can be kept of a job's body: something, if its sink can wait
// and the server can be asked for the rest.
func (l *loop) keepable(j *job) *kept {
	h := j.tell().Head
	r := j.outgoing()
	validator := validatorOf(&r, h)
	if k := j.kept(); k != nil {
		validator = k.validator // of all parts; a 206 need not repeat it (RFC 9110 section 15.3.7)
	}
	if j.body == nil || j.received == 0 || validator == "" {
		return nil
	}
	total := int64(-1)
	switch h.Status {
	case 200:
		if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 63); err == nil {
			total = n
		}
	case 206:
		total = j.kept().total
	default:
		return nil
	}
	if b, ok := j.body.(Keeper); !ok || b.Keep() != nil {
		return nil
	}
	return &kept{j.received, total, validator, j.url}
}

// validatorOf is what a server can be asked for the rest of a response with, if
// that should break off; empty when it cannot be asked.
func validatorOf(r *Request, h Head) string {
	if h.Get("Accept-Ranges") == "none" || r.Method != "" && r.Method != "GET" || r.asksForPart() {
		return ""
	}
	return strongValidator(h)
}

// Validator is what says that a later response is of the same content, byte for
// byte; empty when nothing does, or the rest cannot be asked for alone.
func (o *OpenInfo) Validator() string {
	if o.Head.Status != 200 || o.Decoded {
		return ""
	}
	return validatorOf(&o.Request, o.Head)
}

// startOver drops what a job has of its body.
func (l *loop) startOver(j *job) {
	l.discard(j)
	j.body, j.received = nil, 0
	if j.special != nil {
		j.special.kept, j.special.resumed = nil, 0
	}
}

// strongValidator is what tells a response's content from any other, byte for
// byte: an entity tag that is not weak, or a date of change that was over when
// the response was made (RFC 9110 sections 8.8.1 and 8.8.2.2).
func strongValidator(h Head) string {
	if tag := h.Get("ETag"); tag != "" {
		if !strings.HasPrefix(tag, `"`) {
			return "" // weak, or no tag at all
		}
		return tag
	}
	changed := h.Get("Last-Modified")
	if changed == "" {
		return ""
	}
	at, ok := parseDate(changed)
	made, known := parseDate(h.Get("Date"))
	if !ok || !known || made.Sub(at) < time.Second {
		return ""
	}
	return changed
}

// goesOn judges the answer to a request for the rest, whose body has a length or
// -1: nil, and the body goes on. The job starts over where the answer is the
// whole body, and does not where it is no body at all.
func (l *loop) goesOn(j *job, h Head, length int64) error {
	k := j.kept()
	switch {
	case k == nil && h.Status == 206 && !j.asksForPart():
		return &RangeError{h.Get("Content-Range"), "no range was asked for"}
	case k == nil:
		return nil
	case h.Status == 206 && !sameResource(k.url, j.url):
		return &RangeError{h.Get("Content-Range"), "it is of " + j.url + " and not of " + k.url}
	case h.Status == 206:
		return k.check(h, length)
	case h.Status == 416:
		return &RangeError{h.Get("Content-Range"), "there is no rest"}
	case h.Status >= 200 && h.Status <= 299:
		l.startOver(j) // the content has changed, or the server knows no ranges
	}
	return nil
}

// asksForPart says whether a caller's own request may be for a part only.
func (j *job) asksForPart() bool {
	r := j.outgoing()
	return r.asksForPart()
}

func (r *Request) asksForPart() bool {
	return r.Raw != nil || hasField(r.Fields, "Range")
}

// check says whether a response with status 206 brings the rest, all of it, of
// the same content.
func (k *kept) check(h Head, length int64) error {
	text := h.Get("Content-Range")
	first, last, total, ok := parseContentRange(text)
	if total < 0 {
		total = k.total
	}
	tag, changed := h.Get("ETag"), h.Get("Last-Modified")
	switch {
	case !ok:
		return &RangeError{text, "that is no range"}
	case first != k.bytes:
		return &RangeError{text, fmt.Sprintf("asked for was what begins at %d", k.bytes)}
	case k.total >= 0 && total != k.total:
		return &RangeError{text, fmt.Sprintf("the whole had %d bytes before", k.total)}
	case last+1 != total:
		return &RangeError{text, "that is not all of the rest"}
	case length >= 0 && length != total-first:
		return &RangeError{text, fmt.Sprintf("its body has %d bytes", length)}
	case k.validator[0] == '"' && tag != "" && tag != k.validator,
		k.validator[0] != '"' && changed != "" && changed != k.validator:
		return &RangeError{text, "it is of other content"}
	}
	k.total = total
	return nil
}

// covers says whether a body that went on has become as long as the head of the
// rest said: without a length the rest may end too early, or too late.
func (k *kept) covers(h Head, received int64) error {
	switch {
	case received < k.total:
		return &http1.TruncatedError{Part: http1.PartBody, Got: received, Want: k.total}
	case received > k.total:
		return &RangeError{h.Get("Content-Range"), fmt.Sprintf("its body has more, %d bytes with what was there", received)}
	}
	return nil
}

// parseContentRange reads "bytes 5-9/10". total is -1 when it is not said.
func parseContentRange(s string) (first, last, total int64, ok bool) {
	s, isBytes := strings.CutPrefix(s, "bytes ")
	span, whole, complete := strings.Cut(s, "/")
	from, to, isSpan := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 63)
	last, err2 := strconv.ParseInt(to, 10, 63)
	total, err3 := strconv.ParseInt(whole, 10, 63)
	if whole == "*" {
		total, err3 = -1, nil
	}
	return first, last, total, isBytes && complete && isSpan && errors.Join(err1, err2, err3) == nil && first <= last
}
