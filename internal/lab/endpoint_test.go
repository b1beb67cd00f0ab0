package lab

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

const small = "image/64x48.png"

// Every endpoint does what is claimed of it, and none is without a claim.
func TestEndpoints(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Options{})
	require.NoError(t, s.Listen("127.0.0.1:0"))
	go s.Serve()
	content := string(contentOf(t, s, small))
	all := lookAll(s, "GET")
	s.Close()
	leaktest.Settled(t, before)
	require.Len(t, claims, len(all), "a claim of what is not there")
	for path, got := range all {
		t.Run(path, func(t *testing.T) {
			c, ok := claims[path]
			require.True(t, ok, "nothing is claimed of %s", path)
			c.holds(t, got, content)
		})
	}
}

func TestNumbers(t *testing.T) {
	s := started(t, Options{})
	for target, want := range map[string]string{
		"/drip?pause=-1":       "pause is a whole number from 0 to 600000, as in pause=20\n",
		"/drip?pause=600001":   "pause is a whole number from 0 to 600000, as in pause=20\n",
		"/drip?bytes=few":      "bytes is a whole number from 1 to 1048576, as in bytes=256\n",
		"/drip?bite=1":         "/drip has no number called \"bite\"\n",
		"/ok?pause=1":          "/ok has no number called \"pause\"\n",
		"/redirect?status=200": "status is a whole number from 300 to 399, as in status=302\n",
	} {
		got := look(s, get(target))
		require.True(t, strings.HasPrefix(got.all, "HTTP/1.1 400 "), target)
		require.Equal(t, want, got.body, target)
	}
	require.True(t, strings.HasPrefix(look(s, get("/ok/"+small+"?token=7")).all, "HTTP/1.1 200 "))
}

// How many reads a client needs depends on the machine; the writes do not.
func TestWrites(t *testing.T) {
	var d diary
	s := started(t, Options{Log: d.add})
	for target, writes := range map[string]func(head, body int) int{
		"/ok/bytes/50.bin":                    func(int, int) int { return 2 },
		"/drip/bytes/50.bin?bytes=7&pause=1":  func(int, int) int { return 1 + 8 },
		"/bytewise/bytes/50.bin":              func(head, body int) int { return head + body },
		"/slowhead/bytes/50.bin?pause=0":      func(head, _ int) int { return head + 1 },
		"/chunked/bytes/50.bin?bytes=20":      func(int, int) int { return 1 + 3 + 1 },
		"/reset/body/bytes/50.bin?at=10":      func(int, int) int { return 2 },
		"/interim/bytes/50.bin?times=5":       func(int, int) int { return 5 + 2 },
		"/slowhead/bytes/50.bin?bytes=100000": func(int, int) int { return 2 },
	} {
		before := len(d.all(Sent))
		got := look(s, get(target))
		sent := d.all(Sent)
		for end := time.Now().Add(patient); len(sent) == before; sent = d.all(Sent) {
			require.True(t, time.Now().Before(end), "nothing logged for %s", target) // a reset is seen before it is logged
			time.Sleep(time.Millisecond)
		}
		want := writes(len(got.head)+len("\r\n\r\n"), len(got.body))
		require.Equal(t, fmt.Sprintf("sent %d bytes in %d writes", len(got.all), want), sent[len(sent)-1].Text, target)
	}
}

func TestSlowWaits(t *testing.T) {
	s := started(t, Options{})
	began := time.Now()
	look(s, get("/slow/"+small+"?pause=120"))
	require.GreaterOrEqual(t, time.Since(began), 120*time.Millisecond)
	began = time.Now()
	look(s, get("/drip/bytes/1000.bin?bytes=100&pause=15"))
	require.GreaterOrEqual(t, time.Since(began), 9*15*time.Millisecond)
}
