package sim

import (
	"bytes"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

func TestRequestsInAnyPieces(t *testing.T) {
	const stream = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" +
		"POST http://h/b HTTP/1.0\nhost:  x \ncontent-length: 13\n\n" + "GET /\r\n\r\nab\r\n" +
		"DELETE /c HTTP/1.1\r\n\r\n"
	for piece := 1; piece <= len(stream); piece++ {
		k := New(1, Chaos{})
		k.Serve(anAddress, library)
		fd := dial(t, k, anAddress)
		for rest := []byte(stream); len(rest) > 0; {
			n := min(piece, len(rest))
			k.Send(fd, rest[:n])
			rest = rest[n:]
		}
		k.advance(k.now + time.Second)
		var got []Request
		for _, s := range k.Served() {
			got = append(got, *s.Request)
		}
		require.Len(t, got, 3, "pieces of %d", piece)
		require.Equal(t, "GET /a HTTP/1.1", got[0].Method+" "+got[0].Target+" "+got[0].Version)
		require.Equal(t, "POST http://h/b HTTP/1.0", got[1].Method+" "+got[1].Target+" "+got[1].Version)
		require.Equal(t, "GET /\r\n\r\nab\r\n", string(got[1].Body))
		require.Equal(t, "x", got[1].Field("Host"))
		require.Equal(t, "DELETE /c HTTP/1.1\r\n\r\n", string(got[2].Head))
		require.Equal(t, "", got[2].Field("Host"))
		require.Equal(t, []int{1, 2, 3}, []int{got[0].Nth, got[1].Nth, got[2].Nth})
		require.Equal(t, 1, got[2].Conn)
		require.Equal(t, anAddress, got[2].Address)
	}
}

func TestReplies(t *testing.T) {
	body := []byte("hello, world")
	require.Equal(t, "HTTP/1.1 200 \r\nX: y\r\nContent-Length: 12\r\n\r\nhello, world",
		string(Reply(200, "X: y\r\n", body).Bytes()))
	require.Equal(t, "HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\n, wor\r\n2\r\nld\r\n0\r\n\r\n",
		string(ReplyChunked(404, "", body, 5).Bytes()))
	untilClose := ReplyUntilClose(200, "", body)
	require.Equal(t, "HTTP/1.1 200 \r\nConnection: close\r\n\r\nhello, world", string(untilClose.Bytes()))
	require.Equal(t, FIN, untilClose.Then)
}

// exchange sends one request and gathers all there is to receive in a minute;
// nil means FIN, EAGAIN that nothing more came.
func exchange(t *testing.T, k *Kernel, fd int) (got []byte, err error) {
	_, err = k.Send(fd, []byte("GET /x HTTP/1.1\r\n\r\n"))
	if err != nil {
		return nil, err
	}
	k.Add(fd, 1, poller.Readable)
	defer k.Remove(fd)
	p := make([]byte, 10_000)
	for end := k.Now() + time.Minute; ; {
		n, err := k.Recv(fd, p)
		got = append(got, p[:n]...)
		if err == syscall.EAGAIN && k.Now() < end {
			wait(t, k, end-k.Now())
		} else if err != nil || n == 0 {
			return got, err
		}
	}
}

func TestScriptedResponses(t *testing.T) {
	pieces := []Piece{{Bytes: []byte("one ")}, {time.Second, []byte("two")}}
	for _, test := range []struct {
		then End
		want error
	}{{Keep, syscall.EAGAIN}, {FIN, nil}, {RST, syscall.ECONNRESET}, {Stall, syscall.EAGAIN}} {
		k := New(1, Chaos{})
		k.Delay(anAddress, 100*time.Millisecond)
		k.Serve(anAddress, func(q *Request, r *rand.Rand) Response {
			return Response{Pieces: pieces, Then: test.then, Delay: time.Second}
		})
		fd := dial(t, k, anAddress)
		require.InDelta(t, 200*time.Millisecond, k.Now(), float64(time.Millisecond))
		start := k.Now()
		got, err := exchange(t, k, fd)
		require.Equal(t, "one two", string(got))
		require.Equal(t, test.want, err)
		if err != syscall.EAGAIN {
			require.InDelta(t, 2200*time.Millisecond, k.Now()-start, float64(time.Millisecond))
		}
		s := k.Served()[0]
		require.Equal(t, "one two", string(s.Response))
		require.True(t, s.Whole())
		require.Equal(t, test.then, s.Then)

		got, _ = exchange(t, k, fd)
		if test.then == Keep {
			require.Equal(t, "one two", string(got), "the connection is kept")
		} else {
			require.Empty(t, got)
			require.Len(t, k.Served(), 1)
		}
	}
}

func TestResponseChaos(t *testing.T) {
	whole := Reply(200, "", bodyOf("/x")).Bytes()
	for _, test := range []struct {
		name  string
		chaos Chaos
		sent  string // none, part, all
		then  End
		want  error
	}{
		{"Nothing", Chaos{}, "all", Keep, syscall.EAGAIN},
		{"Drip", Chaos{Drip: 1}, "all", Keep, syscall.EAGAIN},
		{"ResetBefore", Chaos{ResetBefore: 1}, "none", RST, syscall.ECONNRESET},
		{"ResetWithin", Chaos{ResetWithin: 1}, "part", RST, syscall.ECONNRESET},
		{"ResetAfter", Chaos{ResetAfter: 1}, "all", RST, syscall.ECONNRESET},
		{"FinBefore", Chaos{FinBefore: 1}, "none", FIN, nil},
		{"FinWithin", Chaos{FinWithin: 1}, "part", FIN, nil},
		{"Stall", Chaos{Stall: 1}, "part", Stall, syscall.EAGAIN},
		{"Surplus", Chaos{Surplus: 1}, "all", Keep, syscall.EAGAIN},
		{"SurplusDrip", Chaos{Surplus: 1, Drip: 1}, "all", Keep, syscall.EAGAIN},
		{"IdleClose", Chaos{IdleClose: 1}, "all", Keep, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(20) {
				k := New(seed, test.chaos)
				k.Serve(anAddress, library)
				got, err := exchange(t, k, dial(t, k, anAddress))
				require.Equal(t, test.want, err)
				s := k.Served()[0]
				require.Equal(t, whole, s.Response)
				require.Equal(t, test.then, s.Then)
				switch test.sent {
				case "none":
					require.Zero(t, s.Sent)
				case "part":
					require.Less(t, s.Sent, len(whole))
				default:
					require.True(t, s.Whole())
				}
				want := whole[:s.Sent]
				if test.chaos.Surplus > 0 {
					want = append(bytes.Clone(want), surplus...)
					require.Equal(t, len(surplus), s.Surplus)
				}
				require.Equal(t, string(want), string(got))
			}
		})
	}
}

func TestCloseOnReuse(t *testing.T) {
	k := New(1, Chaos{CloseOnReuse: 1})
	k.Serve(anAddress, library)
	fd := dial(t, k, anAddress)
	got, err := exchange(t, k, fd)
	require.Equal(t, syscall.EAGAIN, err)
	require.NotEmpty(t, got)
	got, err = exchange(t, k, fd)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Zero(t, k.Served()[1].Sent)
}

// TestIdleCloseMeetsRequest looks for the race that every client of kept
// connections meets: the request is on its way while the FIN is.
func TestIdleCloseMeetsRequest(t *testing.T) {
	met := 0
	for seed := range uint64(300) {
		k := New(seed, Chaos{IdleClose: 1})
		k.Serve(anAddress, library)
		c := newClient(k, anAddress)
		_, err := c.try("/x")
		require.NoError(t, err)
		if _, err := k.Recv(c.fd, make([]byte, 1)); err != syscall.EAGAIN {
			continue // closed, and to be seen
		}
		if _, err := c.try("/y"); err != nil {
			met++
		}
	}
	require.NotZero(t, met)
}
