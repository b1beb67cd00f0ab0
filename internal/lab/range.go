package lab

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// rangeEndpoints know validators and parts (RFC 9110, sections 13 and 14).
var rangeEndpoints = []endpoint{
	{path: "range", about: "ETag, Last-Modified, 304, Range and If-Range, all as they should be",
		serve: func(x *exchange) { x.ranged(x.what.tag, x.sendRange) }},
	{path: "range/cut", about: "the same, but closes after a percentage of what was asked for: to be resumed", params: percent,
		serve: func(x *exchange) { x.ranged(x.what.tag, x.cutRange) }},
	{path: "range/weak", about: "the same with a weak ETag, with which nothing may be resumed",
		serve: func(x *exchange) { x.ranged("W/"+x.what.tag, x.sendRange) }},
	{path: "range/changed", about: "the same, but every visit finds another ETag",
		serve: func(x *exchange) { x.ranged(fmt.Sprintf("\"%d-%s", x.visit(), x.what.tag[1:]), x.sendRange) }},
	{path: "range/ignored", about: "promises Accept-Ranges and always sends the whole", serve: func(x *exchange) {
		x.respond(200, x.validated(x.what.tag), x.what.body)
	}},
	{path: "range/shifted", about: "answers a Range with a part that begins elsewhere",
		serve: func(x *exchange) { x.ranged(x.what.tag, x.shiftRange) }},
	{path: "range/none", about: "answers a Range with 206 and no Content-Range", serve: func(x *exchange) {
		x.ranged(x.what.tag, func(f fields, from, to int) { x.respond(206, f, x.what.body[from:to]) })
	}},
	{path: "range/refused", about: "answers every Range with 416", serve: func(x *exchange) {
		x.ranged(x.what.tag, func(f fields, _, _ int) { x.unsatisfied(f) })
	}},
}

func (x *exchange) validated(tag string) fields {
	return append(x.about(), "Accept-Ranges", "bytes", "ETag", tag, "Last-Modified", modified)
}

// ranged answers a conditional request, or one for a part: from byte from up
// to, without, byte to. The whole is a part too, and then cut like one.
func (x *exchange) ranged(tag string, part func(f fields, from, to int)) {
	f, all := x.validated(tag), len(x.what.body)
	from, to, asked := x.asksRange(all)
	switch {
	case x.unmodified(tag):
		x.head(304, f)
	case !asked || !x.ifRange(tag):
		x.whole200(f, part)
	case from >= to:
		x.unsatisfied(f)
	default:
		part(f, from, to)
	}
}

// whole200 lets range/cut cut the whole as well.
func (x *exchange) whole200(f fields, part func(fields, int, int)) {
	if _, cuts := x.args["at"]; cuts {
		part(f, 0, len(x.what.body))
		return
	}
	x.respond(200, f, x.what.body)
}

func (x *exchange) unsatisfied(f fields) {
	x.respond(416, append(f, "Content-Range", fmt.Sprintf("bytes */%d", len(x.what.body))), nil)
}

func (x *exchange) contentRange(from, to int) string {
	return fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(x.what.body))
}

func (x *exchange) sendRange(f fields, from, to int) {
	x.respond(206, append(f, "Content-Range", x.contentRange(from, to)), x.what.body[from:to])
}

func (x *exchange) shiftRange(f fields, from, to int) {
	from = min(from+1, to-1)
	x.sendRange(f, from, to)
}

func (x *exchange) cutRange(f fields, from, to int) {
	status := 200
	if from > 0 || to < len(x.what.body) {
		status, f = 206, append(f, "Content-Range", x.contentRange(from, to))
	}
	x.head(status, append(f, "Content-Length", strconv.Itoa(to-from)))
	if to-from == 1 { // one byte cannot be cut any more
		x.body(x.what.body[from:to])
		return
	}
	if x.method != "HEAD" {
		x.sendPart(x.what.body[from:to], x.number("at"))
	}
	x.hangUp()
}

// asksRange reads a Range of one part: bytes=5-9, bytes=5-, bytes=-5. Several
// parts, and what is not understood, are as if not asked (RFC 9110, section
// 14.2); from >= to is a part that is not there.
func (x *exchange) asksRange(all int) (from, to int, asked bool) {
	text, ok := strings.CutPrefix(x.fields["range"], "bytes=")
	first, last, dash := strings.Cut(text, "-")
	a, errA := strconv.ParseUint(first, 10, 62)
	b, errB := strconv.ParseUint(last, 10, 62)
	switch {
	case !ok || !dash || x.method != "GET":
		return 0, 0, false
	case first == "" && errB == nil:
		return max(0, all-int(b)), all, true
	case errA == nil && last == "":
		return int(a), all, true
	case errA == nil && errB == nil && a <= b:
		return int(a), min(all, int(b)+1), true
	}
	return 0, 0, false
}

// ifRange tells whether If-Range allows a part: it is not there, or names
// strongly what is still so.
func (x *exchange) ifRange(tag string) bool {
	want, ok := x.fields["if-range"]
	return !ok || want == tag && !strings.HasPrefix(tag, "W/") || want == modified
}

// unmodified tells whether the client has what it asks for. If-None-Match
// compares weakly, and goes before If-Modified-Since (RFC 9110, section 13.2.2).
func (x *exchange) unmodified(tag string) bool {
	if x.method != "GET" && x.method != "HEAD" {
		return false
	}
	if _, ok := x.fields["if-none-match"]; ok {
		return x.fields["if-none-match"] == "*" || x.lists("if-none-match", strings.TrimPrefix(tag, "W/"))
	}
	since, err := http.ParseTime(x.fields["if-modified-since"])
	if err != nil {
		return false
	}
	then, _ := http.ParseTime(modified)
	return !then.After(since)
}

// lists tells whether a field that is a list has a member, weak or with
// parameters though it be.
func (x *exchange) lists(name, member string) bool {
	for m := range strings.SplitSeq(x.fields[name], ",") {
		m, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(m), "W/"), ";")
		if m == member {
			return true
		}
	}
	return false
}
