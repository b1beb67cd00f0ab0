package lab

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequestForms(t *testing.T) {
	s := started(t, Options{})
	body := string(contentOf(t, s, "bytes/100.bin"))
	for name, request := range map[string]string{
		"origin":       "GET /bytes/100.bin HTTP/1.0\r\n\r\n",
		"absolute":     "GET http://lab.example/bytes/100.bin HTTP/1.0\r\n\r\n",
		"bare LF":      "GET http://lab.example/bytes/100.bin HTTP/1.0\n\n",
		"blank before": "\r\n\r\nGET /bytes/100.bin HTTP/1.0\r\n\r\n",
		"escaped":      "GET /%62ytes/100.bin HTTP/1.0\r\n\r\n",
	} {
		got := look(s, request)
		require.NoError(t, got.err, name)
		require.True(t, strings.HasPrefix(got.all, "HTTP/1.1 200 OK\r\n"), name)
		require.Contains(t, got.head, "Connection: close", name)
		require.True(t, got.body == body, name)
	}
	require.True(t, look(s, "GET /bytes/100.bin\r\n").all == body, "HTTP/0.9 knows no head")
}

func contentOf(t *testing.T, s *Server, path string) []byte {
	t.Helper()
	c, err := s.shelf.get(path)
	require.NoError(t, err)
	return c.body
}

func TestRequestRefused(t *testing.T) {
	s := started(t, Options{})
	for request, code := range map[string]int{
		"HELLO\r\n\r\n":                  400,
		"GET / FTP/1.0\r\n\r\n":          400,
		"GET / HTTP/1.1 more\r\n\r\n":    400,
		"GET relative HTTP/1.1\r\n\r\n":  400,
		"GET /?%zz=1 HTTP/1.1\r\n\r\n":   400,
		"GET /" + "nothing HTTP/1.0\n\n": 404,
		"GET /" + strings.Repeat("a", maxHeadBytes) + " HTTP/1.0\r\n\r\n":  431,
		"POST /echo HTTP/1.0\r\nContent-Length: 1048577\r\n\r\n":           413,
		"POST /echo HTTP/1.0\r\nContent-Length: -1\r\n\r\n":                413,
		"GET / HTTP/1.0\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n": 431,
	} {
		got := look(s, request)
		require.True(t, strings.HasPrefix(got.all, fmt.Sprintf("HTTP/1.1 %d ", code)), "%.60q: %.60q", request, got.all)
		require.NoError(t, got.err)
	}
}

func TestEcho(t *testing.T) {
	s := started(t, Options{})
	request := "POST /echo HTTP/1.1\nHost: lab\r\nX-Odd:   spaces \r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
	got := look(s, request)
	require.True(t, strings.HasPrefix(got.body, "connection 1, request 1 on it, from 127.0.0.1:"))
	require.True(t, strings.HasSuffix(got.body, "\n\n"+request))
}

// An answer to HEAD has no body, whatever the endpoint does to bodies, but
// for those whose point is what nobody asked for.
func TestHead(t *testing.T) {
	s := started(t, Options{})
	contentOf(t, s, small)
	all := lookAll(s, "HEAD")
	for _, path := range []string{"surplus", "surplus/answer", "endless/head", "endless/line", "endless/interim"} {
		delete(all, path)
	}
	for path, got := range all {
		t.Run(path, func(t *testing.T) {
			text := strings.ReplaceAll(strings.TrimLeft(got.all, "\r\n"), "\r\n", "\n")
			for strings.HasPrefix(text, "HTTP/1.1 1") {
				_, text, _ = strings.Cut(text, "\n\n")
			}
			_, body, _ := strings.Cut(text, "\n\n")
			require.Empty(t, body)
			require.Less(t, len(got.all), 2000)
		})
	}
}

func TestPipelined(t *testing.T) {
	s := started(t, Options{})
	one := "GET /bytes/10.bin HTTP/1.1\r\nHost: lab\r\n\r\n"
	got := look(s, one+one+get("/bytes/10.bin"))
	require.Equal(t, 3, strings.Count(got.all, "HTTP/1.1 200 OK\r\n"))
	require.NoError(t, got.err)
}

// asked sends requests on one connection until it ends, and says how many
// were answered.
func asked(t *testing.T, s *Server, request string, most int) (answered int) {
	t.Helper()
	c, err := net.Dial("tcp", s.address())
	require.NoError(t, err)
	defer c.Close()
	for in := bufio.NewReader(c); answered < most; answered++ {
		if _, err := c.Write([]byte(request)); err != nil {
			return answered
		}
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return answered
		}
		_, err = in.Discard(int(r.ContentLength))
		require.NoError(t, err)
		if r.Close {
			return answered + 1
		}
	}
	return answered
}

func TestKeep(t *testing.T) {
	s := started(t, Options{})
	ask := func(target, version, field string) string {
		return "GET " + target + " " + version + "\r\nHost: lab\r\n" + field + "\r\n"
	}
	require.Equal(t, 7, asked(t, s, ask("/bytes/10.bin", "HTTP/1.1", ""), 7))
	require.Equal(t, 1, asked(t, s, ask("/bytes/10.bin", "HTTP/1.1", "Connection: close\r\n"), 7))
	require.Equal(t, 1, asked(t, s, ask("/bytes/10.bin", "HTTP/1.0", ""), 7))
	require.Equal(t, 7, asked(t, s, ask("/bytes/10.bin", "HTTP/1.0", "Connection: keep-alive\r\n"), 7))
	require.Equal(t, 7, asked(t, s, ask("/http10/keep/bytes/10.bin", "HTTP/1.0", ""), 7))
	require.Equal(t, 4, asked(t, s, ask("/keep/bytes/10.bin?requests=4", "HTTP/1.1", ""), 7))
	require.Equal(t, 2, asked(t, s, ask("/keep/silent/bytes/10.bin?requests=2", "HTTP/1.1", ""), 7))
	require.Equal(t, 1, asked(t, s, ask("/keep/reset/bytes/10.bin", "HTTP/1.1", ""), 7))
	require.Equal(t, 1, asked(t, s, ask("/keep/idle/bytes/10.bin", "HTTP/1.1", ""), 7))
}
