package fetch_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/shoalfetch/shoal/internal/sim"
)

// code puts codings on a text, in their order: "deflate, gzip". "raw" is deflate
// without its frame.
func code(text []byte, codings string) []byte {
	for name := range strings.SplitSeq(codings, ", ") {
		var b bytes.Buffer
		var w io.WriteCloser
		var err error
		switch name {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "deflate":
			w = zlib.NewWriter(&b)
		case "raw":
			w, err = flate.NewWriter(&b, flate.BestSpeed)
		case "br":
			w = brotli.NewWriterLevel(&b, 1)
		case "zstd":
			w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<16), zstd.WithLowerEncoderMem(true))
		}
		if err == nil {
			_, err = w.Write(text)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			panic("a text could not be encoded: " + err.Error())
		}
		text = b.Bytes()
	}
	return text
}

// contentEncoding is the field that names codings.
func contentEncoding(codings string) string {
	return "Content-Encoding: " + strings.ReplaceAll(codings, "raw", "deflate") + "\r\n"
}

// worldCodings are what the world's servers encode with; gzip costs them least.
var worldCodings = []string{"gzip", "gzip", "gzip", "deflate", "raw", "br", "zstd", "deflate, gzip"}

// codingsFor are the codings of a content.
func codingsFor(content []byte) string { return worldCodings[len(content)%len(worldCodings)] }

// replyCoded answers with a body that is encoded, and the same in any of its
// framings, if the client accepts it.
func replyCoded(q *sim.Request, r *rand.Rand) sim.Response {
	content := body(q.Target)
	codings := codingsFor(content)
	fields := "ETag: \"coded\"\r\nVary: Accept-Encoding\r\n"
	if strings.Contains(q.Field("Accept-Encoding"), "zstd") {
		fields += contentEncoding(codings)
		content = code(content, codings)
	}
	switch r.IntN(4) {
	case 0:
		return sim.ReplyChunked(200, fields, content, 1+r.IntN(3000))
	case 1:
		return sim.ReplyUntilClose(200, fields, content)
	}
	return sim.Reply(200, fields, content)
}
