package lab

import (
	"bytes"
	"fmt"
)

// endlessEndpoints go on until the client has had enough.
var endlessEndpoints = []endpoint{
	{path: "endless/body", about: "a body that is to end by closing, and never does", serve: func(x *exchange) {
		x.last()
		x.head(200, x.about())
		x.forEver(x.what.body)
	}},
	{path: "endless/chunked", about: "chunks without end", serve: func(x *exchange) {
		x.openChunked()
		x.forEver([]byte(goodChunk(x.what.body)))
	}},
	{path: "endless/head", about: "header fields without end", serve: func(x *exchange) {
		x.send([]byte("HTTP/1.1 200 OK\r\n"))
		for n := 0; x.send(fmt.Appendf(nil, "X-Field-%d: and another\r\n", n)); n++ {
		}
	}},
	{path: "endless/line", about: "one header field without end", serve: func(x *exchange) {
		x.send([]byte("HTTP/1.1 200 OK\r\nX-Long: "))
		for more := bytes.Repeat([]byte("long "), 1000); x.send(more); {
		}
	}},
	{path: "endless/interim", about: "interim responses without end", serve: func(x *exchange) {
		for x.send([]byte("HTTP/1.1 103 Early Hints\r\nLink: </tile/0.jpg>; rel=preload\r\n\r\n")) {
		}
	}},
	{path: "endless/trailer", about: "a good chunked body with trailer fields without end", serve: func(x *exchange) {
		x.chunks(goodChunk, "0\r\n")
		x.forEver([]byte("X-Trailer: and another\r\n"))
	}},
}

// forEver repeats a piece of the body until the client goes.
func (x *exchange) forEver(p []byte) {
	x.last()
	for len(p) > 0 && x.body(p) {
	}
}
