package lab

import (
	"fmt"
	"strings"
)

// headEndpoints send heads that try a parser. Where a field is strange, it
// stands between the status line and honest fields.
var headEndpoints = []endpoint{
	{path: "head/huge", about: "a head with one field of so many bytes", params: []param{{"bytes", 60_000, 1, 16 << 20}},
		serve: func(x *exchange) { x.strange("X-Huge: " + strings.Repeat("h", x.size("bytes"))) }},
	{path: "head/many", about: "a head of so many fields", params: []param{{"fields", 1000, 1, 1_000_000}}, serve: serveManyFields},
	{path: "head/nocolon", about: "a field line without a colon", serve: func(x *exchange) { x.strange("no colon here") }},
	{path: "head/space", about: "a space between a field's name and its colon", serve: func(x *exchange) { x.strange("X-Space : here") }},
	{path: "head/fold", about: "a field folded over two lines", serve: func(x *exchange) { x.strange("X-Fold: begun\r\n and ended") }},
	{path: "head/first-fold", about: "a folded line right after the status line", serve: func(x *exchange) { x.strange(" X-Fold: at once") }},
	{path: "head/noname", about: "a field without a name", serve: func(x *exchange) { x.strange(": nameless") }},
	{path: "head/nul", about: "a NUL in a field", serve: func(x *exchange) { x.strange("X-Nul: a\x00b") }},
	{path: "head/cr", about: "a bare CR in a field", serve: func(x *exchange) { x.strange("X-CR: a\rSet-Cookie: forged=1") }},
	{path: "head/latin1", about: "a field in Latin-1, beyond ASCII", serve: func(x *exchange) { x.strange("X-Fish: br\xe8me") }},
	{path: "head/utf8", about: "a field in UTF-8", serve: func(x *exchange) { x.strange("X-Fish: brème 魚") }},
	{path: "head/tabs", about: "tabs and spaces around values", serve: func(x *exchange) { x.strange("X-Tabs:\t \tvalue\t \t") }},
	{path: "head/noreason", about: "a status line that ends after the code", serve: func(x *exchange) { x.opened("HTTP/1.1 200") }},
	{path: "head/reason", about: "a status line with a strange reason", serve: func(x *exchange) { x.opened("HTTP/1.1 200 \tAll is w\xe8ll: 404") }},
	{path: "head/version", about: "a status line of HTTP/3.7", serve: func(x *exchange) { x.opened("HTTP/3.7 200 OK") }},
	{path: "head/code", about: "a status of two digits", serve: func(x *exchange) { x.opened("HTTP/1.1 20 OK") }},
	{path: "head/protocol", about: "a status line of another protocol", serve: func(x *exchange) { x.opened("220 smtp.example ESMTP") }},
	{path: "head/nothing", about: "empty lines before the status line", serve: func(x *exchange) { x.opened("\r\n\r\nHTTP/1.1 200 OK") }},
	{path: "head/tls", about: "a TLS alert instead of a head", serve: func(x *exchange) {
		x.send([]byte{21, 3, 1, 0, 2, 2, 70}) // fatal, protocol_version (RFC 8446, section 6)
		x.hangUp()
	}},
}

// strange sends an honest answer with a line put in.
func (x *exchange) strange(line string) {
	head := string(x.headOf(200, x.whole()))
	status, fields, _ := strings.Cut(head, "\r\n")
	x.send([]byte(status + "\r\n" + line + "\r\n" + fields))
	x.body(x.what.body)
}

// opened sends an honest answer with another first line, and closes.
func (x *exchange) opened(line string) {
	x.last()
	_, fields, _ := strings.Cut(string(x.headOf(200, x.whole())), "\r\n")
	x.send([]byte(line + "\r\n" + fields))
	x.body(x.what.body)
}

func serveManyFields(x *exchange) {
	var b strings.Builder
	b.WriteString("X-Field-0: of many")
	for i := 1; i < x.size("fields"); i++ {
		fmt.Fprintf(&b, "\r\nX-Field-%d: of many", i)
	}
	x.strange(b.String())
}
