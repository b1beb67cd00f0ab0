package lab

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// claim is what an endpoint does, as seen by a client of its own.
type claim struct {
	query string
	holds func(t *testing.T, s seen, content string)
}

// claims has one entry for each endpoint.
var claims = map[string]claim{
	"ok":       {"", whole},
	"slow":     {"?pause=30", whole},
	"drip":     {"?bytes=500&pause=2", whole},
	"slowhead": {"?bytes=9&pause=2", whole},
	"bytewise": {"", whole}, // see TestBytewise

	"stall/before": {"", all(silent, nothing)},
	"stall/head":   {"", all(silent, cutHead)},
	"stall/body":   {"?at=25", all(silent, told(1), sentPercent(25))},
	"stall/end":    {"", all(silent, untold, sentPercent(100))},

	"fin/before":   {"", all(ended, nothing)},
	"fin/head":     {"", all(ended, cutHead)},
	"fin/body":     {"?at=75", all(ended, told(1), sentPercent(75))},
	"reset/before": {"", all(reset, nothing)},
	"reset/head":   {"", all(reset, cutHead)},
	"reset/body":   {"", all(reset, told(1), sentPercent(50))},
	"dying":        {"?of=1", dead},
	"dying/first":  {"", all(reset, sentPercent(50))},

	"length/long":     {"", all(ended, sentPercent(100), toldAs(func(n int) string { return fmt.Sprint(n + 100) }))},
	"length/short":    {"?by=7", all(ended, sentPercent(100), toldAs(func(n int) string { return fmt.Sprint(n - 7) }))},
	"length/differ":   {"", all(ended, sentPercent(100), told(2), toldAs(func(n int) string { return fmt.Sprint(n + 1) }))},
	"length/twice":    {"", all(whole, told(2))},
	"length/list":     {"", all(ended, sentPercent(100), toldAs(func(n int) string { return fmt.Sprintf("%d, %d", n, n) }))},
	"length/negative": {"", all(ended, sentPercent(100), toldAs(func(int) string { return "-1" }))},
	"length/plus":     {"", all(ended, sentPercent(100), toldAs(func(n int) string { return fmt.Sprintf("+%d", n) }))},
	"length/words":    {"", all(ended, sentPercent(100), toldAs(func(int) string { return "many" }))},
	"length/empty":    {"", all(ended, sentPercent(100), headHas("Content-Length: \r\n"))},
	"length/huge":     {"", all(ended, sentPercent(100), toldAs(func(int) string { return "18446744073709551616" }))},
	"length/both":     {"", all(ended, told(1), dechunked)},

	"chunked":              {"?bytes=700&pause=1", all(ended, untold, dechunked)},
	"chunked/extensions":   {"", all(ended, dechunked, bodyHas("000003E8;name=value;said=\"a; \\\"b\\\"\"\r\n"))},
	"chunked/trailer":      {"", all(ended, dechunked, bodyEnds("0\r\nX-Digest: ", "\r\nX-Mood: cheerful\r\n\r\n"))},
	"chunked/size":         {"", all(ended, badSecondChunk("xyz\r\n"))},
	"chunked/negative":     {"", all(ended, badSecondChunk("-5\r\n"))},
	"chunked/prefix":       {"", all(ended, badSecondChunk("0x3e8\r\n"))},
	"chunked/huge":         {"", all(ended, badSecondChunk("10000000000000000\r\n"))},
	"chunked/nosize":       {"", all(ended, badSecondChunk("\r\n"))},
	"chunked/short":        {"", all(ended, badSecondChunk("3e0\r\n"))},
	"chunked/long":         {"", all(ended, badSecondChunk("3f0\r\n"))},
	"chunked/noend":        {"", all(ended, badSecondChunk("3e8\r\n"))},
	"chunked/barelf":       {"", all(ended, func(t *testing.T, s seen, c string) { require.Equal(t, "3e8\n"+c[:1000]+"\n", s.body[:1005]) })},
	"chunked/endless-size": {"", all(without, func(t *testing.T, s seen, _ string) { require.NotContains(t, s.body, "\n") })},
	"chunked/cut": {"", all(ended, func(t *testing.T, s seen, c string) {
		require.Equal(t, string(chunked([]byte(c), 1000))[:len(s.body)], s.body)
	}, undechunked)},
	"chunked/nolast":    {"", all(ended, undechunked)},
	"chunked/notrailer": {"", all(ended, bodyEnds("0\r\n", ""))},
	"chunked/twice": {"", all(ended, func(t *testing.T, s seen, c string) {
		once, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(s.body)))
		require.NoError(t, err)
		dechunked(t, seen{body: string(once)}, c)
	})},

	"redirect":          {"?status=307&hops=3", to(307, "/redirect/"+small+"?hops=2&status=307")},
	"redirect/absolute": {"", to(302, "http://127.0.0.1:PORT/"+small)},
	"redirect/relative": {"", to(302, "../../../"+small)},
	"redirect/network":  {"", to(302, "//127.0.0.1:PORT/"+small)},
	"redirect/host":     {"", to(302, "http://localhost:PORT/"+small)},
	"redirect/fragment": {"", to(302, "/"+small+"#middle")},
	"redirect/spaces":   {"", to(302, "  /"+small+" \t")},
	"redirect/loop":     {"", to(302, "/redirect/loop/"+small)},
	"redirect/ping":     {"", to(302, "/redirect/pong/"+small)},
	"redirect/pong":     {"", to(302, "/redirect/ping/"+small)},
	"redirect/nowhere":  {"", all(ended, status(302), headLacks("Location"))},
	"redirect/two":      {"", all(to(302, "/"+small), to(302, "/tile/0.jpg"))},
	"redirect/broken":   {"", to(302, "http://[::1/%zz")},
	"redirect/scheme":   {"", to(302, "file:///etc/hostname")},
	"redirect/missing":  {"", to(302, "/status?code=404")},
	"redirect/body":     {"", all(to(302, "/"+small), func(t *testing.T, s seen, _ string) { require.Greater(t, len(s.body), enough) })},

	"status":       {"?code=410", all(ended, status(410), bodyHas("410 Gone\n"))},
	"busy":         {"?code=429&after=7", all(ended, status(429), headHas("Retry-After: 7\r\n"))},
	"busy/date":    {"", all(ended, status(503), headHas("Retry-After: Sun, 01 Mar 2026 12:00:00 GMT\r\n"))},
	"busy/forever": {"", all(ended, status(503), headHas("Retry-After: 3600\r\n"))},

	"endless/body":    {"", all(without, untold, func(t *testing.T, s seen, c string) { require.Equal(t, c+c, s.body[:2*len(c)]) })},
	"endless/chunked": {"", all(without, headHas("Transfer-Encoding: chunked"))},
	"endless/head":    {"", all(without, noBody, headHas("X-Field-1000: and another\r\n"))},
	"endless/line":    {"", all(without, noBody, headHas(strings.Repeat("long ", 50_000)))},
	"endless/interim": {"", all(without, status(103), bodyHas(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </tile/0.jpg>; rel=preload\r\n\r\n", 1000)))},
	"endless/trailer": {"", all(without, bodyHas("\r\n0\r\nX-Trailer: and another\r\nX-Trailer: and another\r\n"))},

	"http10":        {"", all(ended, headHas("HTTP/1.0 200 OK\r\n"), untold, sentPercent(100))},
	"http10/length": {"", all(ended, headHas("HTTP/1.0 200 OK\r\n"), told(1), sentPercent(100))},
	"http10/keep":   {"", all(silent, headHas("Connection: keep-alive\r\n"), told(1), sentPercent(100))},
	"http10/reset":  {"", all(reset, headHas("HTTP/1.0 200 OK\r\n"), untold, sentPercent(100))},
	"http09":        {"", all(ended, func(t *testing.T, s seen, c string) { require.Equal(t, c, s.all) })},
	"barelf": {"", all(ended, func(t *testing.T, s seen, c string) {
		head, body, _ := strings.Cut(s.all, "\n\n")
		require.NotContains(t, head, "\r")
		require.Equal(t, c, body)
	})},
	"close": {"", all(ended, untold, headHas("Connection: close\r\n"), sentPercent(100))},

	"gzip":         {"", all(ended, coded("gzip"), gunzipped)},
	"gzip/chunked": {"", all(ended, coded("gzip"), func(t *testing.T, s seen, c string) { gunzipped(t, seen{body: unchunk(t, s.body)}, c) })},
	"gzip/asked":   {"", all(whole, headHas("Vary: Accept-Encoding\r\n"), headLacks("Content-Encoding"))},
	"gzip/members": {"", all(ended, coded("gzip"), gunzipped)},
	"gzip/cut":     {"", all(ended, coded("gzip"), ungunzipped(io.ErrUnexpectedEOF))},
	"gzip/sum":     {"", all(ended, coded("gzip"), ungunzipped(gzip.ErrChecksum))},
	"gzip/lie":     {"", all(ended, coded("gzip"), sentPercent(100))},
	"gzip/bomb": {"?megabytes=3", all(ended, coded("gzip"), func(t *testing.T, s seen, _ string) {
		require.Less(t, len(s.body), 64<<10)
		gunzipped(t, s, string(make([]byte, 3<<20)))
	})},
	"deflate":         {"", all(ended, coded("deflate"), bodyIs(zlibbed))},
	"deflate/raw":     {"", all(ended, coded("deflate"), bodyIs(deflated))},
	"coding/two":      {"", all(ended, coded("deflate, gzip"), bodyIs(func(p []byte) []byte { return gzipped(zlibbed(p)) }))},
	"coding/identity": {"", all(whole, coded("identity"))},
	"coding/unknown":  {"", all(whole, coded("seaweed"))},
	"coding/transfer": {"", all(ended, untold, headHas("Transfer-Encoding: gzip, chunked\r\n"), func(t *testing.T, s seen, c string) {
		gunzipped(t, seen{body: unchunk(t, s.body)}, c)
	})},

	"range":         {"", all(whole, headHas("ETag: \""), headHas("Last-Modified: "), headHas("Accept-Ranges: bytes\r\n"))},
	"range/cut":     {"?at=10", all(ended, told(1), headHas("ETag: \""), sentPercent(10))},
	"range/weak":    {"", all(whole, headHas("ETag: W/\""))},
	"range/changed": {"", all(whole, headHas("ETag: \"1-"))},
	"range/ignored": {"", all(whole, headHas("Accept-Ranges: bytes\r\n"))},
	"range/shifted": {"", whole},
	"range/none":    {"", whole},
	"range/refused": {"", whole},

	"keep":           {"?requests=1", whole},
	"keep/silent":    {"?requests=1", whole},
	"keep/reset":     {"", all(reset, told(1), sentPercent(100))},
	"keep/idle":      {"", whole},
	"surplus":        {"?bytes=5", all(ended, told(1), func(t *testing.T, s seen, c string) { require.Equal(t, c+".....", s.body) })},
	"surplus/answer": {"", all(ended, told(2), bodyEnds("HTTP/1.1 200 OK\r\n", "forged\n"))},

	"interim":        {"?code=102&times=2", all(ended, status(102), func(t *testing.T, s seen, c string) { require.Equal(t, 3, strings.Count(s.all, "HTTP/1.1 ")) }, bodyEndsInContent)},
	"interim/length": {"", all(ended, status(103), headHas("Content-Length: 100"), bodyEndsInContent)},
	"interim/only":   {"", all(ended, status(100), sentPercent(0))},
	"interim/switch": {"", all(ended, status(101), sentPercent(100))},

	"head/huge":       {"?bytes=300", all(whole, headHas("\r\nX-Huge: "+strings.Repeat("h", 300)+"\r\n"))},
	"head/many":       {"?fields=12", all(whole, headHas("\r\nX-Field-11: of many\r\n"), headLacks("X-Field-12"))},
	"head/nocolon":    {"", all(whole, headHas("\r\nno colon here\r\n"))},
	"head/space":      {"", all(whole, headHas("\r\nX-Space : here\r\n"))},
	"head/fold":       {"", all(whole, headHas("\r\nX-Fold: begun\r\n and ended\r\n"))},
	"head/first-fold": {"", all(whole, headHas("OK\r\n X-Fold: at once\r\n"))},
	"head/noname":     {"", all(whole, headHas("\r\n: nameless\r\n"))},
	"head/nul":        {"", all(whole, headHas("\r\nX-Nul: a\x00b\r\n"))},
	"head/cr":         {"", all(whole, headHas("\r\nX-CR: a\rSet-Cookie: forged=1\r\n"))},
	"head/latin1":     {"", all(whole, headHas("\r\nX-Fish: br\xe8me\r\n"))},
	"head/utf8":       {"", all(whole, headHas("\r\nX-Fish: brème 魚\r\n"))},
	"head/tabs":       {"", all(whole, headHas("\r\nX-Tabs:\t \tvalue\t \t\r\n"))},
	"head/noreason":   {"", all(ended, begins("HTTP/1.1 200\r\n"), told(1), sentPercent(100))},
	"head/reason":     {"", all(ended, begins("HTTP/1.1 200 \tAll is w\xe8ll: 404\r\n"), sentPercent(100))},
	"head/version":    {"", all(ended, begins("HTTP/3.7 200 OK\r\n"), sentPercent(100))},
	"head/code":       {"", all(ended, begins("HTTP/1.1 20 OK\r\n"), sentPercent(100))},
	"head/protocol":   {"", all(ended, begins("220 smtp.example ESMTP\r\n"))},
	"head/nothing":    {"", all(ended, begins("\r\n\r\nHTTP/1.1 200 OK\r\n"))},
	"head/tls":        {"", all(ended, func(t *testing.T, s seen, _ string) { require.Equal(t, "\x15\x03\x01\x00\x02\x02\x46", s.all) })},

	"type/html":  {"", all(ended, status(200), headHas("Content-Type: image/jpeg\r\n"), bodyHas("<!doctype html>"))},
	"type/text":  {"", all(whole, headHas("Content-Type: text/plain\r\n"))},
	"type/other": {"", all(whole, headHas("Content-Type: image/webp\r\n"))},
	"type/none":  {"", all(whole, headLacks("Content-Type"))},
	"type/empty": {"", all(ended, status(200), headHas("Content-Length: 0\r\n"), sentPercent(0))},
	"type/half": {"", all(ended, told(1), sentPercent(50), func(t *testing.T, s seen, _ string) {
		toldAs(func(int) string { return fmt.Sprint(len(s.body)) })(t, s, "")
	})},
	"disposition":      {"", all(whole, headHas("Content-Disposition: attachment; filename=\"a fish.jpg\"\r\n"))},
	"disposition/utf8": {"", all(whole, headHas("; filename*=UTF-8''br%C3%A8me%20%E9%AD%9A.jpg\r\n"))},
	"disposition/evil": {"", all(whole, headHas("filename=\"../../../../tmp/evil.jpg\""))},

	"tls":         {"", all(ended, status(200), bodyHas("not encrypted"))},
	"tls/cut":     {"", all(ended, untold, headHas("Connection: close\r\n"), sentPercent(100))},
	"tls/mute":    {"", all(ended, told(1), sentPercent(100))},
	"tls/garbage": {"?at=30", all(ended, told(1), sentPercent(30))},

	"echo":       {"", all(ended, status(200), bodyHas("\n\nGET /echo/"+small+" HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"))},
	"stats":      {"", all(ended, status(200), bodyHas("requests  "))},
	"index.json": {"", all(ended, status(200), bodyHas("\"path\": \"/dying/first\""))},
}
