package lab

import (
	"bytes"
	"fmt"
)

// chunkedEndpoints send the body in chunks (RFC 9112, section 7.1), also to
// clients that speak HTTP/1.0 and should not get them.
var chunkedEndpoints = []endpoint{
	{path: "chunked", about: "in chunks, each written as one piece", serve: serveChunked,
		params: []param{{"bytes", 1000, 1, 1 << 20}, {"pause", 0, 0, 600_000}}},
	{path: "chunked/extensions", about: "chunks with extensions, and sizes with zeros before and in capitals", serve: func(x *exchange) {
		x.chunks(func(p []byte) string {
			return fmt.Sprintf("%08X;name=value;said=\"a; \\\"b\\\"\"\r\n%s\r\n", len(p), p)
		}, "0;last\r\n\r\n")
	}},
	{path: "chunked/trailer", about: "chunks and trailer fields", serve: func(x *exchange) {
		x.chunks(goodChunk, "0\r\nX-Digest: "+x.what.tag+"\r\nX-Mood: cheerful\r\n\r\n")
	}},
	{path: "chunked/size", about: "a chunk size that is not hexadecimal", serve: badChunks("xyz\r\n%s\r\n")},
	{path: "chunked/negative", about: "a chunk size below nothing", serve: badChunks("-5\r\n%s\r\n")},
	{path: "chunked/prefix", about: "a chunk size that begins with 0x", serve: badChunks("0x3e8\r\n%s\r\n")},
	{path: "chunked/huge", about: "a chunk size that no 64 bits hold", serve: badChunks("10000000000000000\r\n%s\r\n")},
	{path: "chunked/nosize", about: "a line without a chunk size", serve: badChunks("\r\n%s\r\n")},
	{path: "chunked/short", about: "a chunk longer than its size", serve: badChunks("3e0\r\n%s\r\n")},
	{path: "chunked/long", about: "a chunk shorter than its size", serve: badChunks("3f0\r\n%s\r\n")},
	{path: "chunked/noend", about: "a chunk without a line end after it", serve: badChunks("3e8\r\n%s")},
	{path: "chunked/barelf", about: "chunks whose lines end in a bare LF", serve: func(x *exchange) {
		x.chunks(func(p []byte) string { return fmt.Sprintf("%x\n%s\n", len(p), p) }, "0\n\n")
	}},
	{path: "chunked/endless-size", about: "a chunk extension that goes on and on", serve: func(x *exchange) {
		x.openChunked()
		if x.body([]byte("3e8;")) {
			x.forEver(bytes.Repeat([]byte("x"), 1024))
		}
	}},
	{path: "chunked/cut", about: "closes in the middle of a chunk", serve: func(x *exchange) {
		x.openChunked()
		body := chunked(x.what.body, 1000)
		x.body(body[:len(body)/2])
		x.hangUp()
	}},
	{path: "chunked/nolast", about: "all chunks but the last one, then closes", serve: func(x *exchange) { x.chunks(goodChunk, ""); x.hangUp() }},
	{path: "chunked/notrailer", about: "closes after the last chunk, before the empty line", serve: func(x *exchange) { x.chunks(goodChunk, "0\r\n"); x.hangUp() }},
	{path: "chunked/twice", about: "chunked twice over, as two fields say", serve: func(x *exchange) {
		x.head(200, append(x.about(), "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"))
		x.body(chunked(chunked(x.what.body, 1000), 700))
		x.hangUp()
	}},
}

func serveChunked(x *exchange) {
	size, p := x.size("bytes"), x.what.body
	for x.openChunked(); len(p) > 0; p = p[min(size, len(p)):] {
		if !x.body([]byte(goodChunk(p[:min(size, len(p))]))) || !x.pause(x.wait("pause")) {
			return
		}
	}
	x.body([]byte("0\r\n\r\n"))
}

func (x *exchange) openChunked() { x.head(200, append(x.about(), "Transfer-Encoding", "chunked")) }

// chunks sends the body with every thousand bytes written in a way, and an end.
func (x *exchange) chunks(write func([]byte) string, end string) {
	x.openChunked()
	var b bytes.Buffer
	for p := x.what.body; len(p) > 0; p = p[min(1000, len(p)):] {
		b.WriteString(write(p[:min(1000, len(p))]))
	}
	b.WriteString(end)
	x.body(b.Bytes())
}

func goodChunk(p []byte) string { return fmt.Sprintf("%x\r\n%s\r\n", len(p), p) }

// badChunks sends one good chunk and then bad ones.
func badChunks(format string) func(*exchange) {
	return func(x *exchange) {
		first := true
		x.chunks(func(p []byte) string {
			if first {
				first = false
				return goodChunk(p)
			}
			return fmt.Sprintf(format, p)
		}, "0\r\n\r\n")
		x.hangUp()
	}
}

// chunked is a whole chunked body, without trailer.
func chunked(p []byte, size int) []byte {
	var b bytes.Buffer
	for len(p) > 0 {
		n := min(size, len(p))
		b.WriteString(goodChunk(p[:n]))
		p = p[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}
