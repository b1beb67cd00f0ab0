package lab

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fetched asks as an ordinary client does, with fields by name, value, ….
func fetched(t *testing.T, s *Server, target string, f ...string) (*http.Response, []byte, error) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	r, err := http.NewRequest("GET", s.URL()+target, nil)
	require.NoError(t, err)
	for i := 0; i < len(f); i += 2 {
		r.Header.Set(f[i], f[i+1])
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// An ordinary client gets the whole content from every endpoint that is only
// unusual, not wrong.
func TestOrdinaryClient(t *testing.T) {
	s := started(t, Options{})
	content := contentOf(t, s, small)
	for _, e := range []string{
		"ok", "slow", "drip", "slowhead", "bytewise", "length/twice", "chunked", "chunked/extensions", "chunked/trailer",
		"redirect", "redirect/absolute", "redirect/relative", "redirect/network", "redirect/host", "redirect/fragment", "redirect/body",
		"http10", "http10/length", "http10/keep", "barelf", "close", "gzip", "gzip/chunked", "gzip/asked", "gzip/members",
		"range", "range/cut", "range/ignored", "keep", "keep/silent", "keep/reset", "keep/idle", "interim", "interim/length",
		"head/huge", "head/many", "head/fold", "head/latin1", "head/utf8", "head/tabs", "head/noreason", "head/reason", "disposition",
	} {
		t.Run(e, func(t *testing.T) {
			t.Parallel()
			query := map[string]string{"slow": "?pause=5", "drip": "?bytes=900&pause=1", "slowhead": "?pause=0", "redirect": "?hops=7&status=308", "range/cut": "?at=100"}
			answer, body, err := fetched(t, s, "/"+e+"/"+small+query[e])
			require.NoError(t, err)
			require.Equal(t, 200, answer.StatusCode)
			require.Equal(t, content, body)
		})
	}
}

func TestTrailerFields(t *testing.T) {
	s := started(t, Options{})
	answer, _, err := fetched(t, s, "/chunked/trailer/"+small)
	require.NoError(t, err)
	require.Equal(t, "cheerful", answer.Trailer.Get("X-Mood"))
}

func TestRedirectLoopsAndChains(t *testing.T) {
	s := started(t, Options{})
	for _, target := range []string{"/redirect/loop", "/redirect/ping", "/redirect?hops=11"} {
		_, _, err := fetched(t, s, target)
		require.ErrorContains(t, err, "stopped after 10 redirects", target)
	}
	for code := range 9 {
		got := look(s, get(fmt.Sprintf("/redirect/%s?status=%d", small, 300+code)))
		require.Contains(t, got.head, fmt.Sprintf("HTTP/1.1 %d ", 300+code))
		require.Contains(t, got.head, "Location: /"+small+"\r\n")
	}
}

// Busy endpoints count by client and URL, so that a token starts anew.
func TestBusy(t *testing.T) {
	s := started(t, Options{})
	for _, token := range []string{"", "&token=a", "&token=b"} {
		for try := 1; try <= 4; try++ {
			answer, body, err := fetched(t, s, "/busy/"+small+"?tries=3&code=429&after=2"+token)
			require.NoError(t, err)
			if try < 3 {
				require.Equal(t, 429, answer.StatusCode)
				require.Equal(t, "2", answer.Header.Get("Retry-After"))
				require.Equal(t, fmt.Sprintf("busy: this was try %d of 3\n", try), string(body))
			} else {
				require.Equal(t, 200, answer.StatusCode)
			}
		}
	}
}

func TestVisitsAreBounded(t *testing.T) {
	v := newVisits()
	x := &exchange{conn: &conn{server: &Server{visits: v}, tcp: dialled(t)}, request: &request{path: "a"}}
	for i := range maxVisited + 10 {
		x.path = fmt.Sprint(i)
		x.visit()
	}
	require.LessOrEqual(t, len(v.by), maxVisited)
}

// The dying die by URL and seed, about as many as was asked for, and in all
// ways; the same ones in the next lab with that seed.
func TestDying(t *testing.T) {
	fates := func(seed uint64) (all []string) {
		s := started(t, Options{Seed: seed})
		for i := range 120 {
			got := look(s, get(fmt.Sprintf("/dying/%s?of=3&token=%d", small, i)))
			all = append(all, fmt.Sprintf("%t %t %d", got.reset(), got.headEnded, len(got.body)))
		}
		return all
	}
	first := fates(1)
	require.Equal(t, first, fates(1))
	require.NotEqual(t, first, fates(2))
	count := make(map[string]int)
	for _, f := range first {
		count[f]++
	}
	require.Len(t, count, 5, "%v", count)
	alive := count[fmt.Sprintf("false true %d", len(contentOf(t, started(t, Options{Seed: 1}), small)))]
	require.InDelta(t, 80, alive, 20)
}

func TestDyingFirst(t *testing.T) {
	s := started(t, Options{})
	target := "/dying/first/" + small + "?times=2"
	for try := range 4 {
		got := look(s, get(target))
		require.Equal(t, try < 2, got.reset(), "try %d", try)
	}
}

func TestRange(t *testing.T) {
	s := started(t, Options{})
	c, err := s.shelf.get("bytes/1000.bin")
	require.NoError(t, err)
	const path = "/range/bytes/1000.bin"
	for _, r := range []struct {
		fields   []string
		code     int
		part     []byte
		contents string
	}{
		{[]string{"Range", "bytes=10-19"}, 206, c.body[10:20], "bytes 10-19/1000"},
		{[]string{"Range", "bytes=990-"}, 206, c.body[990:], "bytes 990-999/1000"},
		{[]string{"Range", "bytes=-5"}, 206, c.body[995:], "bytes 995-999/1000"},
		{[]string{"Range", "bytes=-5000"}, 206, c.body, "bytes 0-999/1000"},
		{[]string{"Range", "bytes=500-5000"}, 206, c.body[500:], "bytes 500-999/1000"},
		{[]string{"Range", "bytes=1000-"}, 416, []byte{}, "bytes */1000"},
		{[]string{"Range", "bytes=-0"}, 416, []byte{}, "bytes */1000"},
		{[]string{"Range", "bytes=1-2,5-6"}, 200, c.body, ""},
		{[]string{"Range", "bytes=5-2"}, 200, c.body, ""},
		{[]string{"Range", "lines=1-2"}, 200, c.body, ""},
		{[]string{"Range", "bytes=10-19", "If-Range", c.tag}, 206, c.body[10:20], "bytes 10-19/1000"},
		{[]string{"Range", "bytes=10-19", "If-Range", modified}, 206, c.body[10:20], "bytes 10-19/1000"},
		{[]string{"Range", "bytes=10-19", "If-Range", `"other"`}, 200, c.body, ""},
		{[]string{"If-None-Match", `"a", W/` + c.tag}, 304, []byte{}, ""},
		{[]string{"If-None-Match", "*"}, 304, []byte{}, ""},
		{[]string{"If-None-Match", `"other"`, "If-Modified-Since", modified}, 200, c.body, ""},
		{[]string{"If-Modified-Since", modified}, 304, []byte{}, ""},
		{[]string{"If-Modified-Since", "Sun, 01 Mar 2026 11:59:59 GMT"}, 200, c.body, ""},
	} {
		answer, body, err := fetched(t, s, path, r.fields...)
		require.NoError(t, err, "%v", r.fields)
		require.Equal(t, r.code, answer.StatusCode, "%v", r.fields)
		require.Equal(t, r.part, body, "%v", r.fields)
		require.Equal(t, r.contents, answer.Header.Get("Content-Range"), "%v", r.fields)
		require.Equal(t, c.tag, answer.Header.Get("ETag"))
	}
}

func TestRangeGoneWrong(t *testing.T) {
	s := started(t, Options{})
	ask := func(endpoint string, f ...string) (*http.Response, []byte) {
		answer, body, err := fetched(t, s, "/"+endpoint+"/bytes/1000.bin", append(f, "Range", "bytes=10-19")...)
		require.NoError(t, err)
		return answer, body
	}
	whole := contentOf(t, s, "bytes/1000.bin")
	answer, body := ask("range/ignored")
	require.Equal(t, 200, answer.StatusCode)
	require.Equal(t, whole, body)
	answer, body = ask("range/shifted")
	require.Equal(t, "bytes 11-19/1000", answer.Header.Get("Content-Range"))
	require.Equal(t, whole[11:20], body)
	answer, body = ask("range/none")
	require.Equal(t, 206, answer.StatusCode)
	require.Empty(t, answer.Header.Get("Content-Range"))
	require.Equal(t, whole[10:20], body)
	answer, _ = ask("range/refused")
	require.Equal(t, 416, answer.StatusCode)
	answer, _ = ask("range/weak")
	answer, _ = ask("range/weak", "If-Range", answer.Header.Get("ETag"))
	require.Equal(t, 200, answer.StatusCode)
	first, _ := ask("range/changed")
	second, _ := ask("range/changed", "If-Range", first.Header.Get("ETag"))
	require.NotEqual(t, first.Header.Get("ETag"), second.Header.Get("ETag"))
	require.Equal(t, 200, second.StatusCode)
}

// What range/cut cuts can be put together by asking on.
func TestResume(t *testing.T) {
	s := started(t, Options{})
	whole := contentOf(t, s, "bytes/1000.bin")
	var have []byte
	tries := 0
	for ; len(have) < len(whole); tries++ {
		require.Less(t, tries, 20)
		_, piece, err := fetched(t, s, "/range/cut/bytes/1000.bin", "Range", fmt.Sprintf("bytes=%d-", len(have)))
		if len(have)+len(piece) < len(whole) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
		have = append(have, piece...)
	}
	require.Equal(t, whole, have)
	require.Greater(t, tries, 5)
}

func TestIndex(t *testing.T) {
	s := started(t, Options{})
	answer, page, err := fetched(t, s, "/")
	require.NoError(t, err)
	require.Equal(t, "text/html; charset=utf-8", answer.Header.Get("Content-Type"))
	_, list, err := fetched(t, s, "/index.json")
	require.NoError(t, err)
	paths := make(map[string]bool)
	for _, subject := range s.subjects {
		require.Contains(t, string(page), "<h2>"+subject.title+"</h2>")
		for _, e := range subject.endpoints {
			require.Contains(t, string(page), `<a href="/`+e.path+`">`)
			require.Contains(t, string(list), `"path": "/`+e.path+`"`)
			require.False(t, paths[e.path], "two endpoints at %s", e.path)
			paths[e.path] = true
			require.NotEmpty(t, e.about)
			require.NotContains(t, e.about, "\n")
			for _, p := range e.params {
				require.True(t, p.least <= p.usual && p.usual <= p.atMost, "%s of %s", p.name, e.path)
			}
		}
	}
	// Every picture on the page is there.
	for _, part := range strings.Split(string(page), `src="`)[1:] {
		src, _, _ := strings.Cut(part, `"`)
		if src == "/mosaic.jpg" {
			continue // see TestMosaic
		}
		answer, _, err := fetched(t, s, src)
		require.NoError(t, err)
		require.Equal(t, 200, answer.StatusCode, src)
	}
}
