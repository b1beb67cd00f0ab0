package http1

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// typicalHead is what nginx says with a small image.
const typicalHead = "HTTP/1.1 200 OK\r\n" +
	"Server: nginx/1.28.0\r\n" +
	"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n" +
	"Content-Type: image/jpeg\r\n" +
	"Content-Length: 10240\r\n" +
	"Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n" +
	"Connection: keep-alive\r\n" +
	"ETag: \"6955b900-2800\"\r\n" +
	"Accept-Ranges: bytes\r\n\r\n"

var smallResponse = []byte(typicalHead + strings.Repeat("x", 10240))

// chunkedResponse has a body of n chunks of 64 KB.
func chunkedResponse(n int) []byte {
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("x", 64<<10))
	return []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, n) + "0\r\n\r\n")
}

// take reads all events of a response and returns the bytes of its body.
func take(tb testing.TB, p *Parser, pieces ...[]byte) (body int) {
	for _, piece := range pieces {
		p.Feed(piece)
		for {
			kind, err := p.Next()
			if err != nil {
				tb.Fatal(err)
			}
			body += len(p.Data())
			if kind == Done || kind == NeedData {
				break
			}
		}
	}
	return body
}

func TestOneAllocationAResponse(t *testing.T) {
	p := new(Parser)
	require.Equal(t, 1.0, testing.AllocsPerRun(100, func() {
		p.Reset("GET", nil)
		take(t, p, smallResponse)
		if !p.KeepAlive() || p.Head().Get("Content-Type") != "image/jpeg" || !p.Head().Has("etag") {
			t.Fatal("not as expected")
		}
	}))
}

// Neither the number of chunks nor that of the pieces they come in adds to the
// one allocation, which is the head's.
func TestBodiesAllocateNothing(t *testing.T) {
	response := chunkedResponse(20)
	head := bytes.Index(response, []byte("\r\n\r\n")) + 4
	last := len(response) - len("0\r\n\r\n")
	cut := slices.Collect(slices.Chunk(response[head:last], 7))
	tests := map[string][][]byte{
		"whole":        {response},
		"small pieces": slices.Concat([][]byte{response[:head]}, cut, [][]byte{response[last:]}),
	}
	for name, pieces := range tests {
		p := new(Parser)
		require.Equal(t, 1.0, testing.AllocsPerRun(10, func() {
			p.Reset("GET", nil)
			if take(t, p, pieces...) != 20*64<<10 {
				t.Fatal("not the whole body")
			}
		}), name)
	}
}

func TestReadingFieldsAllocatesNothing(t *testing.T) {
	p := new(Parser)
	p.Reset("GET", nil)
	take(t, p, smallResponse)
	h := p.Head()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n := 0
		for name, value := range h.Fields() {
			n += len(name) + len(value)
		}
		for value := range h.Values("server") {
			n += len(value)
		}
		if n == 0 || h.Reason() != "OK" {
			t.Fatal("not as expected")
		}
	}))
}

var typicalRequest = Request{
	Method: "GET", Target: "/images/0001.jpg", Host: "example.net", ContentLength: -1,
	Fields: []Field{{"User-Agent", "shoal/1"}, {"Accept", "*/*"}},
}

func TestWritingAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 512)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := AppendRequest(buf, &typicalRequest); err != nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkSmallResponse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(smallResponse)))
	p := new(Parser)
	for b.Loop() {
		p.Reset("GET", nil)
		take(b, p, smallResponse)
		if !p.KeepAlive() {
			b.Fatal("not as expected")
		}
	}
}

func BenchmarkHeadByteByByte(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(typicalHead)))
	p := new(Parser)
	for b.Loop() {
		p.Reset("HEAD", nil)
		for i := range typicalHead {
			take(b, p, smallResponse[i:i+1])
		}
	}
}

// No byte of the content is looked at, so this is the cost of the head and of
// 16 chunk sizes, whatever the chunks' length.
func BenchmarkChunkedBody(b *testing.B) {
	response := chunkedResponse(16)
	b.ReportAllocs()
	p := new(Parser)
	for b.Loop() {
		p.Reset("GET", nil)
		take(b, p, response)
	}
}

func BenchmarkGetLastField(b *testing.B) {
	b.ReportAllocs()
	p := new(Parser)
	p.Reset("GET", nil)
	take(b, p, smallResponse)
	h := p.Head()
	for b.Loop() {
		if h.Get("Accept-Ranges") != "bytes" {
			b.Fatal("not as expected")
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	b.ReportAllocs()
	buf := make([]byte, 0, 512)
	for b.Loop() {
		if _, err := AppendRequest(buf, &typicalRequest); err != nil {
			b.Fatal(err)
		}
	}
}
