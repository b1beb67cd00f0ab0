package http1

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAppendRequest(t *testing.T) {
	tests := map[string]struct {
		request Request
		want    string
	}{
		"the least": {
			Request{Method: "GET", Target: "/", Host: "example.net", ContentLength: -1},
			"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n",
		},
		"fields in their order, trimmed": {
			Request{Method: "GET", Target: "/a?b=c", Host: "h:8080", ContentLength: -1, Fields: []Field{
				{"User-Agent", " shoal/1 "}, {"Accept", "a\tb"}, {"accept", ""}, {"X", "\xe4"},
			}},
			"GET /a?b=c HTTP/1.1\r\nHost: h:8080\r\nUser-Agent: shoal/1\r\nAccept: a\tb\r\naccept: \r\nX: \xe4\r\n\r\n",
		},
		"a body": {
			Request{Method: "POST", Target: "/", Host: "h", ContentLength: math.MaxInt64},
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n",
		},
		"an empty body": {
			Request{Method: "PUT", Target: "/", Host: "h"},
			"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
		},
		"to a proxy": {
			Request{Method: "GET", Target: "http://h/p", Host: "h", ContentLength: -1},
			"GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n",
		},
		"a tunnel": {
			Request{Method: "CONNECT", Target: "[::1]:443", Host: "[::1]:443", ContentLength: -1},
			"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n",
		},
		"HTTP/1.0": {
			Request{Method: "GET", Target: "*", Host: "h", ContentLength: -1, HTTP10: true},
			"GET * HTTP/1.0\r\nHost: h\r\n\r\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := AppendRequest([]byte("before"), &test.request)
			require.NoError(t, err)
			require.Equal(t, "before"+test.want, string(got))
		})
	}
}

func TestAppendRequestRefuses(t *testing.T) {
	good := Request{Method: "GET", Target: "/", Host: "h", ContentLength: -1}
	with := func(change func(*Request)) Request {
		r := good
		change(&r)
		return r
	}
	tests := map[string][]Request{
		"method": {
			with(func(r *Request) { r.Method = "" }),
			with(func(r *Request) { r.Method = "GET /x HTTP/1.1\r\nA:" }),
			with(func(r *Request) { r.Method = "GÉT" }),
		},
		"target": {
			with(func(r *Request) { r.Target = "" }),
			with(func(r *Request) { r.Target = "/a b" }),
			with(func(r *Request) { r.Target = "/\r\nA: b" }),
			with(func(r *Request) { r.Target = "/\x7f" }),
			with(func(r *Request) { r.Target = "/ä" }),
		},
		"host": {
			with(func(r *Request) { r.Host = "" }),
			with(func(r *Request) { r.Host = "h\r\nA: b" }),
			with(func(r *Request) { r.Host = "h/x" }),
			with(func(r *Request) { r.Host = "user@h" }),
			with(func(r *Request) { r.Host = "bücher" }),
		},
		"field name": {
			with(func(r *Request) { r.Fields = []Field{{"", "x"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A ", "x"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A:", "x"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A\r\nB", "x"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A", ""}, {"hOST", "x"}} }),
			with(func(r *Request) { r.Fields = []Field{{"Content-length", "1"}} }),
			with(func(r *Request) { r.Fields = []Field{{"transfer-encoding", "chunked"}} }),
		},
		"field value": {
			with(func(r *Request) { r.Fields = []Field{{"A", "x\ny"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A", "x\r"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A", "x\x00"}} }),
			with(func(r *Request) { r.Fields = []Field{{"A", "\x1b[0m"}} }),
		},
	}
	for part, requests := range tests {
		for i, request := range requests {
			got, err := AppendRequest([]byte("before"), &request)
			var refused *RequestError
			require.ErrorAs(t, err, &refused, "%s %d", part, i)
			require.Equal(t, part, refused.Part)
			require.Equal(t, "before", string(got), "nothing is appended")
		}
	}
}

func TestRequestErrorText(t *testing.T) {
	_, err := AppendRequest(nil, &Request{Method: "GET", Target: strings.Repeat(" ", 1000), Host: "h"})
	require.ErrorContains(t, err, "invalid request: target: empty, or has whitespace")
	require.Less(t, len(err.Error()), 200)
}
