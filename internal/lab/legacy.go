package lab

import (
	"bytes"
	"fmt"
)

// legacyEndpoints answer as servers of long ago.
var legacyEndpoints = []endpoint{
	{path: "http10", about: "HTTP/1.0, the end of the body told by closing", serve: func(x *exchange) { x.legacy(""); x.hangUp() }},
	{path: "http10/length", about: "HTTP/1.0 with a length, then closes",
		serve: func(x *exchange) { x.legacy("Content-Length: " + x.length() + "\r\n"); x.hangUp() }},
	{path: "http10/keep", about: "HTTP/1.0 with a length and keep-alive",
		serve: func(x *exchange) {
			x.legacy("Connection: keep-alive\r\nContent-Length: " + x.length() + "\r\n")
			x.keep = true
		}},
	{path: "http10/reset", about: "HTTP/1.0, the end of the body told by a reset", serve: func(x *exchange) { x.legacy(""); x.drop() }},
	{path: "http09", about: "HTTP/0.9: the body, no head at all", serve: func(x *exchange) { x.body(x.what.body); x.hangUp() }},
	{path: "barelf", about: "a head whose lines end in a bare LF", serve: func(x *exchange) {
		x.send(bytes.ReplaceAll(x.headOf(200, x.whole()), []byte("\r\n"), []byte("\n")))
		x.body(x.what.body)
	}},
	{path: "close", about: "HTTP/1.1, the end of the body told by closing", serve: func(x *exchange) {
		x.last()
		x.head(200, x.about())
		x.body(x.what.body)
	}},
}

func (x *exchange) legacy(more string) {
	x.send(fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nServer: shoal-lab\r\nContent-Type: %s\r\n%s\r\n", x.what.kind, more))
	x.body(x.what.body)
}
