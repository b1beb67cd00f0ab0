package fetch_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestNotModified: a 304 is an outcome where it was asked for, and a failure
// where it was not. Either way the connection is good for more.
func TestNotModified(t *testing.T) {
	for _, field := range []string{"If-None-Match", "if-modified-since", "X-Other"} {
		s := newScene(t)
		s.options.Sink = save.Dir("out")
		s.options.MaxPerHost = 1
		s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
			if q.Target == "/new" {
				return ok(q)
			}
			return sim.Raw([]byte("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Length: 500\r\n\r\n"))
		})
		same := fetch.Request{URL: "http://a.test/same", Fields: []fetch.Field{{Name: field, Value: `"1"`}}}
		got := s.run(s.fetcher(), same, fetch.Request{URL: "http://a.test/new"})
		require.Equal(t, []string{"new"}, s.k.Names("out"))
		require.True(t, got[1].Reused)
		if field == "X-Other" {
			require.ErrorContains(t, got[0].err, "304")
			continue
		}
		require.Equal(t, fetch.NotModified, got[0].Outcome)
		require.Equal(t, "not_modified", got[0].Outcome.String())
		require.Zero(t, got[0].Bytes)
		require.EqualValues(t, 304, got[0].Head.Status)
	}
}

// TestSHA256: the sum is of the whole body, be it in memory or in a file, in one
// piece or after it broke off.
func TestSHA256(t *testing.T) {
	content := times("abcdefghij", 100_000)
	for _, sink := range []fetch.Sink{nil, save.Dir("out")} {
		s := retrying(t, func(q *sim.Request, nth int) sim.Response {
			p := ranged(q, content, `"v1"`)
			if nth == 1 {
				return cut(p, bodySize(p), 20_000)
			}
			return p
		})
		s.options.Sink, s.options.SHA256 = sink, true
		got := s.one(fetch.Request{URL: "http://a.test/x"})
		require.NoError(t, got.err)
		require.Equal(t, "bytes=20000-", s.k.Served()[1].Request.Field("Range"))
		want := sha256.Sum256(content)
		require.Equal(t, want[:], got.SHA256)
		if sink == nil {
			require.Equal(t, string(content), string(got.Body))
		} else {
			require.Equal(t, string(content), string(s.k.Files("out")["x"]))
		}
	}
}
