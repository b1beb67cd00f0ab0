package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// seeds are whole responses that between them pass through every stage.
var seeds = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nConnection: close\r\n\r\nhello",
	"HTTP/1.0 200 OK\r\nA: b\r\n c\r\n\r\nuntil the end",
	"HTTP/1.0 200\nConnection: keep-alive\nContent-Length: 1\n\nx",
	"HTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\\\"\"\r\nhello\r\nA \r\n0123456789\r\n0\r\nA: b\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	"HTTP/2 200\r\n\r\n",
	"\r\n",
}

var (
	fuzzMethods = []string{"GET", "HEAD", "CONNECT"}
	fuzzLimits  = []*Limits{nil, {LineBytes: 24, HeadBytes: 64, Fields: 3, Interims: 1, ChunkOverhead: 20}}
)

// FuzzSplit cuts a response anywhere: what is made of it is the same.
func FuzzSplit(f *testing.F) {
	for i, seed := range seeds {
		f.Add(seed, []byte{1, 2, 3}, uint8(i), i%2 == 0)
		f.Add(seed, []byte{40, 1}, uint8(i+1), i%2 == 1)
	}
	f.Fuzz(func(t *testing.T, input string, cuts []byte, choice uint8, closes bool) {
		x := exchange{
			method: fuzzMethods[int(choice)%len(fuzzMethods)],
			limits: fuzzLimits[int(choice/8)%len(fuzzLimits)],
			input:  input,
			closes: closes,
		}
		want := x.read(whole)
		for _, cut := range []func(int) int{oneByOne, inPieces(cuts)} {
			got := x.read(cut)
			require.Equal(t, want.String(), got.String())
			require.Equal(t, want.raw, got.raw)
			require.Equal(t, want.body, got.body)
		}
	})
}

// inPieces cuts pieces of the given lengths, again and again. A length of 0 is
// a read that brought nothing; there are not two of them in a row.
func inPieces(lengths []byte) func(n int) int {
	at, last := 0, 0
	return func(n int) int {
		if len(lengths) == 0 {
			return n
		}
		length := int(lengths[at%len(lengths)])
		at++
		if length == 0 && last == 0 {
			length = 1
		}
		last = length
		return min(length, n)
	}
}

// FuzzDifferential compares with net/http wherever both accept a response.
//
// The known differences are in what is accepted, never in what it means: the
// table in the package documentation is stricter than net/http about status
// lines, control characters, transfer codings from HTTP/1.0 and extensions of
// chunks. Besides, net/http gives an interim response as the response, and
// leaves fields out that it has acted on; neither is compared.
func FuzzDifferential(f *testing.F) {
	for i, seed := range seeds {
		f.Add(seed, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, input string, head bool) {
		method := map[bool]string{true: "HEAD", false: "GET"}[head]
		theirs, body, err := netHTTP(method, input)
		if err != nil || theirs.StatusCode < 200 {
			return
		}
		ours, p := readAll(t, method, input)
		if ours.err != nil {
			return
		}
		require.Equal(t, Done, ours.kind, "all was read and the server has closed")
		require.Equal(t, theirs.StatusCode, int(p.Head().Status))
		require.Equal(t, theirs.ProtoMinor, int(p.Head().Minor))
		require.Equal(t, string(body), string(ours.body))
		require.Equal(t, compared(theirs.Header), compared(header(p.Head().Section())))
		require.Equal(t, compared(theirs.Trailer), compared(header(p.Trailer())))
		if p.Framing() == Length {
			require.Equal(t, theirs.ContentLength, p.Length())
		}
		if theirs.Close {
			require.False(t, p.KeepAlive())
		}
		requireAllFound(t, p.Head())
	})
}

func netHTTP(method, input string) (*http.Response, []byte, error) {
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(input)), &http.Request{Method: method})
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func readAll(t *testing.T, method, input string) (*transcript, *Parser) {
	var p Parser
	got := &transcript{}
	p.Reset(method, nil)
	p.Feed([]byte(input))
	p.EOF()
	got.drain(&p)
	return got, &p
}

func header(s Section) http.Header {
	h := http.Header{}
	for name, value := range s.Fields() {
		h.Add(name, value)
	}
	return h
}

// compared leaves out the fields that net/http adds, or takes out when it has
// acted on them.
func compared(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Cache-Control"} {
		h.Del(name)
	}
	if len(h) == 0 {
		return nil
	}
	return h
}

// FuzzRequest reads back with net/http what AppendRequest writes.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/a?b=c", "example.net:80", "Accept", "*/*", int64(-1), false)
	f.Add("POST", "http://h/", "h", "X-A", " b\t", int64(3), true)
	f.Add("CONNECT", "h:1", "[::1]", "A", "\xff", int64(0), false)
	f.Add("OPTIONS", "*", "h", "A", "b\r\nC: d", int64(-1), false)
	f.Fuzz(func(t *testing.T, method, target, host, name, value string, length int64, old bool) {
		r := Request{Method: method, Target: target, Host: host, Fields: []Field{{name, value}, {"Z", "last"}}, ContentLength: length, HTTP10: old}
		written, err := AppendRequest(nil, &r)
		if err != nil {
			require.Empty(t, written)
			return
		}
		requireOneRequest(t, &r, written)
		read, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(written)))
		if err != nil {
			require.True(t, beyondNetHTTP(&r), "%v: %q", err, written)
			return
		}
		require.Equal(t, method, read.Method)
		require.Equal(t, target, read.RequestURI)
		require.Equal(t, max(length, 0), read.ContentLength)
		if read.URL.Host == "" {
			require.Equal(t, host, read.Host)
		}
		if key := textproto.CanonicalMIMEHeaderKey(name); key != "Trailer" && key != "Z" {
			require.Equal(t, []string{trimSpace(value)}, read.Header[key])
		}
		require.Equal(t, "last", read.Header["Z"][len(read.Header["Z"])-1])
	})
}

// requireOneRequest looks at the bytes themselves: a line for each thing said,
// and one end.
func requireOneRequest(t *testing.T, r *Request, written []byte) {
	lines := 1 + 1 + len(r.Fields) + 1
	if r.ContentLength >= 0 {
		lines++
	}
	require.Equal(t, lines, bytes.Count(written, []byte("\r\n")))
	require.Equal(t, lines, bytes.Count(written, []byte("\n")))
	require.Equal(t, lines, bytes.Count(written, []byte("\r")))
	require.Equal(t, len(written)-4, bytes.Index(written, []byte("\r\n\r\n")))
	require.Equal(t, 2, strings.Count(strings.SplitN(string(written), "\r\n", 2)[0], " "))
}

// beyondNetHTTP reports whether net/http does not read a request for a reason
// that is no matter of writing: it parses the target as a URL, and it checks
// what some fields say.
func beyondNetHTTP(r *Request) bool {
	target := r.Target
	if r.Method == "CONNECT" && !strings.HasPrefix(target, "/") {
		target = "http://" + target
	}
	_, err := url.ParseRequestURI(target)
	return err != nil || equalFold(r.Fields[0].Name, "Trailer")
}
