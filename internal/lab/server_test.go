package lab

import (
	"bytes"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

// Close does not wait for clients that stay, nor for pauses, however long.
func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Options{})
	s.linger = time.Hour
	require.NoError(t, s.Listen("127.0.0.1:0"))
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	for _, target := range []string{
		"", // sends nothing
		"/stall/before", "/stall/body", "/stall/end", "/slow?pause=600000", "/drip?pause=600000", "/slowhead?pause=600000",
		"/endless/body", "/endless/head", "/endless/interim", // these wait for room, since nobody reads
		"/ok", // waits for the next request
	} {
		c, err := net.Dial("tcp", s.address())
		require.NoError(t, err)
		defer c.Close()
		if target != "" {
			_, err = c.Write([]byte("GET " + target + " HTTP/1.1\r\n\r\n"))
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return s.stats.requests.Load() == 10 }, 5*time.Second, time.Millisecond)
	s.Close() // which waits for no client
	require.NoError(t, <-served)
	s.Close()
	leaktest.Settled(t, before)
}

func TestCloseBeforeServe(t *testing.T) {
	s := New(Options{})
	s.Close()
	s = New(Options{})
	require.NoError(t, s.Listen("127.0.0.1:0"))
	s.Close()
	require.NoError(t, s.Serve())
}

func TestListenTwiceOnOneAddress(t *testing.T) {
	s := started(t, Options{})
	require.Error(t, New(Options{}).Listen(s.address()))
}

func TestManyAtOnce(t *testing.T) {
	s := started(t, Options{})
	what, err := s.shelf.get(small)
	require.NoError(t, err)
	var clients sync.WaitGroup
	bodies := make([]string, 200)
	for i := range bodies {
		clients.Go(func() {
			c, err := net.Dial("tcp", s.address())
			if err != nil {
				return
			}
			defer c.Close()
			c.Write([]byte(get("/drip/" + small + "?bytes=1000&pause=1")))
			bodies[i] = listen(c, patient, patient).body
		})
	}
	clients.Wait()
	for _, b := range bodies {
		require.True(t, b == string(what.body))
	}
}

func TestLogTellsWhoEnded(t *testing.T) {
	for target, want := range map[string]string{
		"/ok/bytes/10.bin":         "the lab closed after ",
		"/reset/body/bytes/10.bin": "the lab reset after ",
		"/stall/body/bytes/10.bin": "the client closed after ",
	} {
		var d diary
		var now time.Duration
		s := started(t, Options{Log: d.add, Clock: func() time.Duration { now += 1500 * time.Microsecond; return now }})
		got := lookFor(patient, brief, s, get(target))
		require.Eventually(t, func() bool { return len(d.all(Closed)) == 1 }, 5*time.Second, time.Millisecond)
		kinds := []Kind{Accepted, Requested, Sent, Closed}
		require.Len(t, d.entries, len(kinds))
		for i, k := range kinds {
			require.Equal(t, k, d.entries[i].Kind)
			require.Equal(t, time.Duration(i+1)*1500*time.Microsecond, d.entries[i].At)
		}
		last := d.entries[3]
		require.True(t, strings.HasPrefix(last.Text, want), last.Text)
		require.EqualValues(t, len(got.all), last.Bytes)
	}
}

func TestLogLine(t *testing.T) {
	var b bytes.Buffer
	LogTo(&b)(Entry{At: 12_345_678, Conn: 3, Kind: Sent, Bytes: 9, Text: "sent 9 bytes"})
	require.Equal(t, "    12.346 ms  #3    sent 9 bytes\n", b.String())
}

// What a client writes cannot forge a line of the log.
func TestLogEscapes(t *testing.T) {
	var d diary
	s := started(t, Options{Log: d.add})
	look(s, "GET /a\x1b[2Jb HTTP/1.0\r\n\r\n")
	look(s, "GET\x1b /b HTTP/1.0\r\n\r\n")
	for _, e := range d.all(Requested) {
		require.NotContains(t, e.Text, "\x1b")
	}
	require.NotEmpty(t, d.all(Requested))
}
