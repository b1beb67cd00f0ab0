package lab

import "strconv"

// lengthEndpoints tell lengths that are not so. All close after the body.
var lengthEndpoints = []endpoint{
	{path: "length/long", about: "tells more bytes than come", params: []param{{"by", 100, 1, 1 << 40}},
		serve: func(x *exchange) { x.lie(strconv.Itoa(len(x.what.body) + x.size("by"))) }},
	{path: "length/short", about: "tells fewer bytes than come", params: []param{{"by", 100, 1, 1 << 40}},
		serve: func(x *exchange) { x.lie(strconv.Itoa(max(0, len(x.what.body)-x.size("by")))) }},
	{path: "length/differ", about: "two lengths that disagree",
		serve: func(x *exchange) { x.lie(x.length(), strconv.Itoa(len(x.what.body)+1)) }},
	{path: "length/twice", about: "the right length in two fields, which is allowed",
		serve: func(x *exchange) { x.lie(x.length(), x.length()) }},
	{path: "length/list", about: "the right length as a list of two, which is allowed",
		serve: func(x *exchange) { x.lie(x.length() + ", " + x.length()) }},
	{path: "length/negative", about: "a length below nothing", serve: func(x *exchange) { x.lie("-1") }},
	{path: "length/plus", about: "a length with a plus sign", serve: func(x *exchange) { x.lie("+" + x.length()) }},
	{path: "length/words", about: "a length that is no number", serve: func(x *exchange) { x.lie("many") }},
	{path: "length/empty", about: "a length with nothing in it", serve: func(x *exchange) { x.lie("") }},
	{path: "length/huge", about: "a length that no 64 bits hold", serve: func(x *exchange) { x.lie("18446744073709551616") }},
	{path: "length/both", about: "a length and chunks", serve: func(x *exchange) {
		x.head(200, append(x.whole(), "Transfer-Encoding", "chunked"))
		x.body(chunked(x.what.body, 1000))
		x.hangUp()
	}},
}

func (x *exchange) length() string { return strconv.Itoa(len(x.what.body)) }

// lie sends the body behind these lengths.
func (x *exchange) lie(lengths ...string) {
	f := x.about()
	for _, l := range lengths {
		f = append(f, "Content-Length", l)
	}
	x.head(200, f)
	x.body(x.what.body)
	x.hangUp()
}
