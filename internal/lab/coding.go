package lab

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
)

// codingEndpoints compress, whether the client accepts it or not.
var codingEndpoints = []endpoint{
	{path: "gzip", about: "Content-Encoding: gzip", serve: func(x *exchange) { x.coded("gzip", gzipped(x.what.body)) }},
	{path: "gzip/chunked", about: "gzip in chunks", serve: func(x *exchange) {
		x.head(200, append(x.about(), "Content-Encoding", "gzip", "Transfer-Encoding", "chunked"))
		x.body(chunked(gzipped(x.what.body), 1000))
	}},
	{path: "gzip/asked", about: "gzip if Accept-Encoding asks for it, else as it is", serve: serveGzipAsked},
	{path: "gzip/members", about: "gzip in two members, one after the other", serve: func(x *exchange) {
		half := len(x.what.body) / 2
		x.coded("gzip", append(gzipped(x.what.body[:half]), gzipped(x.what.body[half:])...))
	}},
	{path: "gzip/cut", about: "gzip that lacks its second half, its length told as it comes", serve: func(x *exchange) {
		p := gzipped(x.what.body)
		x.coded("gzip", p[:len(p)/2])
	}},
	{path: "gzip/sum", about: "gzip whose checksum is wrong", serve: func(x *exchange) {
		p := gzipped(x.what.body)
		p[len(p)-8] ^= 0xff // CRC-32 stands eight bytes before the end (RFC 1952, section 2.3)
		x.coded("gzip", p)
	}},
	{path: "gzip/lie", about: "says gzip and is not", serve: func(x *exchange) { x.coded("gzip", x.what.body) }},
	{path: "gzip/bomb", about: "so many megabytes of nothing, in a thousandth of the space", serve: serveBomb,
		params: []param{{"megabytes", 64, 1, 1024}}},
	{path: "deflate", about: "Content-Encoding: deflate, with the zlib frame that it should have",
		serve: func(x *exchange) { x.coded("deflate", zlibbed(x.what.body)) }},
	{path: "deflate/raw", about: "deflate without the frame, as some send it",
		serve: func(x *exchange) { x.coded("deflate", deflated(x.what.body)) }},
	{path: "coding/two", about: "deflate, and gzip upon it",
		serve: func(x *exchange) { x.coded("deflate, gzip", gzipped(zlibbed(x.what.body))) }},
	{path: "coding/identity", about: "Content-Encoding: identity, which says nothing", serve: func(x *exchange) { x.coded("identity", x.what.body) }},
	{path: "coding/unknown", about: "a coding that nobody knows", serve: func(x *exchange) { x.coded("seaweed", x.what.body) }},
	{path: "coding/transfer", about: "Transfer-Encoding: gzip, chunked", serve: func(x *exchange) {
		x.head(200, append(x.about(), "Transfer-Encoding", "gzip, chunked"))
		x.body(chunked(gzipped(x.what.body), 1000))
	}},
}

func (x *exchange) coded(coding string, p []byte) {
	x.respond(200, append(x.about(), "Content-Encoding", coding, "Vary", "Accept-Encoding"), p)
}

func serveGzipAsked(x *exchange) {
	if x.lists("accept-encoding", "gzip") {
		x.coded("gzip", gzipped(x.what.body))
		return
	}
	x.respond(200, append(x.about(), "Vary", "Accept-Encoding"), x.what.body)
}

func serveBomb(x *exchange) {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	nothing := make([]byte, 1<<20)
	for range x.size("megabytes") {
		w.Write(nothing)
	}
	w.Close()
	x.coded("gzip", b.Bytes())
}

func gzipped(p []byte) []byte {
	return compressed(p, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zlibbed(p []byte) []byte {
	return compressed(p, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

func deflated(p []byte) []byte {
	return compressed(p, func(w io.Writer) io.WriteCloser {
		f, _ := flate.NewWriter(w, flate.DefaultCompression) // its only error is a level there is not
		return f
	})
}

func compressed(p []byte, over func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := over(&b)
	w.Write(p)
	w.Close()
	return b.Bytes()
}
