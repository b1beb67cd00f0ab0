package fetch_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mccutchen/go-httpbin/v2/httpbin"
	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

// httpbinPaths are requests whose answers are the same each time.
var httpbinPaths = []string{
	"GET /", "GET /get?a=b&a=c", "HEAD /head", "POST /post", "PUT /put", "PATCH /patch", "DELETE /delete", "PUT /upload",
	"GET /absolute-redirect/3", "GET /relative-redirect/3", "GET /redirect/3", "GET /redirect/12", "GET /redirect-to?url=/get", "POST /redirect-to?url=/post&status_code=307",
	"GET /anything/at/all", "POST /anything", "OPTIONS /anything", "GET /base64/bWFueSBmaXNo",
	"GET /basic-auth/me/secret", "GET /hidden-basic-auth/me/secret", "GET /bearer",
	"GET /bytes/100000?seed=1", "GET /stream-bytes/100000?seed=1&chunk_size=777", "GET /range/1000", "GET /stream/20",
	"GET /cache", "GET /cache/60", "GET /etag/fish", "GET /status/204", "GET /status/304", "GET /status/418", "GET /status/503",
	"GET /cookies", "GET /cookies/set?a=b", "GET /delay/0.01", "GET /drip?duration=0.1&numbytes=50&code=203", "GET /dump/request",
	"GET /deflate", "GET /encoding/utf8", "GET /headers", "GET /html", "GET /image/jpeg", "GET /image/png", "GET /json", "GET /jsonl",
	"GET /links/5/2", "GET /response-headers?X-A=1&X-A=2", "GET /robots.txt", "GET /trailers?X-A=1&X-B=2", "GET /user-agent", "GET /xml", "GET /brotli", "GET /nowhere",
}

// TestHTTPBin: of an httpbin a client over a Transport gets what one over
// net/http's gets.
func TestHTTPBin(t *testing.T) {
	s := httptest.NewServer(httpbin.New())
	defer s.Close()
	theirs := &http.Transport{DisableCompression: true}
	defer theirs.CloseIdleConnections()
	ours := newTransport(t, fetch.Options{UserAgent: "Go-http-client/1.1"})
	for _, line := range httpbinPaths {
		method, path, _ := strings.Cut(line, " ")
		get := func(over http.RoundTripper) string {
			r := request(method, s.URL+path, nil, "X-Fish", "cod")
			if method != "GET" && method != "HEAD" && method != "OPTIONS" {
				r = request(method, s.URL+path, strings.NewReader("many fish"), "Content-Type", "text/plain")
			}
			return told((&http.Client{Transport: over}).Do(r))
		}
		second := time.Now().Unix()
		want, got := get(theirs), get(ours)
		for tries := 0; tries < 5 && want != got && time.Now().Unix() != second; tries++ {
			second = time.Now().Unix() // some answers have the time of day in them, which went on
			want, got = get(theirs), get(ours)
		}
		require.Equal(t, want, got, line)
	}
}

// TestHTTPBinDecodes: gzip and deflate of an httpbin come off.
func TestHTTPBinDecodes(t *testing.T) {
	s := httptest.NewServer(httpbin.New())
	defer s.Close()
	c := &http.Client{Transport: newTransport(t, fetch.Options{Decode: true})}
	for _, coding := range []string{"gzip", "deflate"} {
		res, err := c.Get(s.URL + "/" + coding)
		require.NoError(t, err)
		require.True(t, res.Uncompressed)
		require.Contains(t, told(res, nil), coding, "its text says so in words")
	}
}
