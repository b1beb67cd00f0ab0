package lab

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// holds is a claim about what was seen; all joins several.
type holds = func(*testing.T, seen, string)

func all(h ...holds) holds {
	return func(t *testing.T, s seen, content string) {
		t.Helper()
		for _, claim := range h {
			claim(t, s, content)
		}
	}
}

func ended(t *testing.T, s seen, _ string)   { t.Helper(); require.NoError(t, s.err) }
func reset(t *testing.T, s seen, _ string)   { t.Helper(); require.True(t, s.reset(), "%v", s.err) }
func silent(t *testing.T, s seen, _ string)  { t.Helper(); require.True(t, s.silent(), "%v", s.err) }
func without(t *testing.T, s seen, _ string) { t.Helper(); require.Equal(t, errEnough, s.err) }
func nothing(t *testing.T, s seen, _ string) { t.Helper(); require.Empty(t, s.all) }
func noBody(t *testing.T, s seen, _ string)  { t.Helper(); require.False(t, s.headEnded) }

func whole(t *testing.T, s seen, content string) {
	t.Helper()
	require.NoError(t, s.err)
	require.True(t, strings.HasPrefix(s.head, "HTTP/1.1 200 OK\r\n"), s.head)
	require.Contains(t, s.head+"\r\n", fmt.Sprintf("\r\nContent-Length: %d\r\n", len(content)))
	require.True(t, s.body == content)
}

func dead(t *testing.T, s seen, content string) {
	t.Helper()
	require.True(t, s.reset() || s.err == nil && len(s.body) < len(content), "%v", s.err)
}

func cutHead(t *testing.T, s seen, _ string) {
	t.Helper()
	require.False(t, s.headEnded)
	require.True(t, strings.HasPrefix(s.all, "HTTP/1.1 200 OK\r\nServer: "), s.all)
}

func sentPercent(percent int) holds {
	return func(t *testing.T, s seen, content string) {
		t.Helper()
		require.True(t, s.headEnded)
		require.True(t, content[:len(content)*percent/100] == s.body, "%d of %d bytes", len(s.body), len(content))
	}
}

func told(times int) holds {
	return func(t *testing.T, s seen, _ string) {
		t.Helper()
		require.Equal(t, times, strings.Count(s.all, "\r\nContent-Length: "))
	}
}

var untold = told(0)

func toldAs(length func(int) string) holds {
	return func(t *testing.T, s seen, content string) {
		t.Helper()
		headHas("\r\nContent-Length: "+length(len(content))+"\r\n")(t, s, content)
	}
}

func status(code int) holds { return begins(fmt.Sprintf("HTTP/1.1 %d ", code)) }

func begins(with string) holds {
	return func(t *testing.T, s seen, _ string) {
		t.Helper()
		require.True(t, strings.HasPrefix(s.all, with), "%.80q", s.all)
	}
}

func headHas(text string) holds {
	return func(t *testing.T, s seen, _ string) { t.Helper(); require.Contains(t, s.head+"\r\n", text) }
}

func headLacks(text string) holds {
	return func(t *testing.T, s seen, _ string) { t.Helper(); require.NotContains(t, s.head, text) }
}

func bodyHas(text string) holds {
	return func(t *testing.T, s seen, _ string) { t.Helper(); require.True(t, strings.Contains(s.body, text)) }
}

func bodyEnds(from, to string) holds {
	return func(t *testing.T, s seen, _ string) {
		t.Helper()
		at := strings.LastIndex(s.body, from)
		require.Positive(t, at)
		require.True(t, strings.HasSuffix(s.body[at:], to), "%q", s.body[at:])
	}
}

func bodyEndsInContent(t *testing.T, s seen, content string) {
	t.Helper()
	require.True(t, strings.HasSuffix(s.body, "\r\n\r\n"+content))
}

func bodyIs(made func([]byte) []byte) holds {
	return func(t *testing.T, s seen, content string) {
		t.Helper()
		require.True(t, bytes.Equal(made([]byte(content)), []byte(s.body)))
	}
}

func to(code int, location string) holds {
	return all(status(code), headHas("\r\nLocation: "+location+"\r\n"))
}

func coded(coding string) holds { return headHas("\r\nContent-Encoding: " + coding + "\r\n") }

func unchunk(t *testing.T, body string) string {
	t.Helper()
	p, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(body)))
	require.NoError(t, err)
	return string(p)
}

func dechunked(t *testing.T, s seen, content string) {
	t.Helper()
	require.True(t, content == unchunk(t, s.body))
}

func undechunked(t *testing.T, s seen, _ string) {
	t.Helper()
	_, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(s.body)))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// badSecondChunk is one good chunk of a thousand bytes and then a bad one.
func badSecondChunk(size string) holds {
	return func(t *testing.T, s seen, content string) {
		t.Helper()
		good := goodChunk([]byte(content[:1000])) + size + content[1000:2000]
		require.True(t, strings.HasPrefix(s.body, good))
		_, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(s.body)))
		require.Error(t, err)
	}
}

func gunzipped(t *testing.T, s seen, content string) {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(s.body))
	require.NoError(t, err)
	p, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, content == string(p))
}

func ungunzipped(want error) holds {
	return func(t *testing.T, s seen, _ string) {
		t.Helper()
		r, err := gzip.NewReader(strings.NewReader(s.body))
		require.NoError(t, err)
		_, err = io.ReadAll(r)
		require.ErrorIs(t, err, want)
	}
}
