package fetch_test

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
	"github.com/shoalfetch/shoal/poller"
)

// canned is a kernel whose network answers at once: each request with the same
// response, in pieces. It allocates nothing, so that what is counted is the
// engine's.
type canned struct {
	kernel.Kernel // never called
	response      []byte
	piece         int // most that one Recv gives
	now           time.Duration
	socks         []cannedSocket
}

type cannedSocket struct {
	open     bool
	token    poller.Token
	interest poller.Interest
	left     []byte // of the response
}

func (k *canned) Now() time.Duration            { return k.now }
func (k *canned) DescriptorLimit() (int, error) { return 1 << 20, nil }
func (k *canned) Wake() error                   { return nil }
func (k *canned) Close() error                  { return nil }
func (k *canned) SocketError(int) error         { return nil }
func (k *canned) Connected(int) bool            { return true }

func (k *canned) Connect(int, netip.AddrPort) error { return syscall.EINPROGRESS }

func (k *canned) Socket(int) (int, error) {
	for fd := range k.socks {
		if !k.socks[fd].open {
			k.socks[fd] = cannedSocket{open: true}
			return fd, nil
		}
	}
	k.socks = append(k.socks, cannedSocket{open: true})
	return len(k.socks) - 1, nil
}

func (k *canned) Send(fd int, p []byte) (int, error) {
	k.socks[fd].left = k.response
	return len(p), nil
}

func (k *canned) Recv(fd int, p []byte) (int, error) {
	s := &k.socks[fd]
	if len(s.left) == 0 {
		return 0, syscall.EAGAIN
	}
	n := copy(p, s.left[:min(k.piece, len(s.left))])
	s.left = s.left[n:]
	return n, nil
}

func (k *canned) CloseSocket(fd int) error { k.socks[fd] = cannedSocket{}; return nil }

func (k *canned) Add(fd int, token poller.Token, i poller.Interest) error {
	k.socks[fd].token, k.socks[fd].interest = token, i
	return nil
}

func (k *canned) Modify(fd int, token poller.Token, i poller.Interest) error {
	return k.Add(fd, token, i)
}

func (k *canned) Remove(fd int) error { k.socks[fd].interest = 0; return nil }

func (k *canned) Wait(events []poller.Event, timeout time.Duration) (n int, err error) {
	k.now += 10 * time.Microsecond
	for fd := range k.socks {
		s := &k.socks[fd]
		e := poller.Event{Token: s.token, Writable: s.interest&poller.Writable != 0, Readable: s.interest&poller.Readable != 0 && len(s.left) > 0}
		if n < len(events) && (e.Readable || e.Writable) {
			events[n] = e
			n++
		}
	}
	if n == 0 && timeout > 0 {
		k.now += timeout
	}
	return n, nil
}

// nowhere is a sink that drops bodies and allocates nothing.
type nowhere struct{ pieces int }

func (s *nowhere) Open(fetch.OpenInfo) (fetch.Body, error) { return s, nil }
func (s *nowhere) Write([]byte) error                      { s.pieces++; return nil }
func (s *nowhere) Commit() error                           { return nil }
func (s *nowhere) Discard()                                {}

// repeated is a source of so many requests for one URL.
type repeated struct{ left int }

func (r *repeated) Notify(func()) {}
func (r *repeated) Next() (fetch.Request, fetch.Supply) {
	if r.left == 0 {
		return fetch.Request{}, fetch.End
	}
	r.left--
	return fetch.Request{URL: "http://10.1.0.1/images/0001.jpg"}, fetch.More
}

// newCanned is a Fetcher on a canned kernel, used once so that it is warm.
func newCanned(tb testing.TB, response []byte, piece int) (*fetch.Fetcher, *nowhere) {
	k := &canned{response: response, piece: piece}
	sink := &nowhere{}
	f, err := fetch.NewOn(k, sim.New(1, sim.Chaos{}).Runner(), fetch.Options{Sink: sink, MaxConns: 8, MaxPerHost: 8})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, f.Close()) })
	fetchMany(tb, f, max(20, min(2000, 20<<20/len(response))))
	return f, sink
}

func fetchMany(tb testing.TB, f *fetch.Fetcher, n int) {
	for _, err := range f.FetchFrom(context.Background(), &repeated{left: n}) {
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// allocsPerFetch is what a fetch on a kept connection may allocate, one more
// than was measured: its Result and its head's text. A URL that is not like the
// one before it takes one more.
const allocsPerFetch = 3

// TestAllocations holds a fetch to its few allocations, and a piece of a body
// to none: a fetch of 4,000 pieces costs what one of a single piece does.
func TestAllocations(t *testing.T) {
	small, _ := newCanned(t, sim.Reply(200, "", make([]byte, 10_000)).Bytes(), 1<<20)
	const many = 5000
	each := testing.AllocsPerRun(3, func() { fetchMany(t, small, many) }) / many
	require.LessOrEqual(t, each, float64(allocsPerFetch))
	one := testing.AllocsPerRun(3, func() { fetchMany(t, small, 1) })
	for name, response := range map[string]sim.Response{
		"length":  sim.Reply(200, "", make([]byte, 4<<20)),
		"chunked": sim.ReplyChunked(200, "", make([]byte, 4<<20), 1000),
	} {
		large, sink := newCanned(t, response.Bytes(), 1000)
		sink.pieces = 0
		all := testing.AllocsPerRun(3, func() { fetchMany(t, large, 1) })
		require.Greater(t, sink.pieces, 4*4000)
		require.LessOrEqual(t, all, one+1, name) // one more: its head is split
	}
}

// TestMemoryIsFlat: a long run holds no more than a short one. What it fetches
// in less than the shortest timeout is no exception.
func TestMemoryIsFlat(t *testing.T) {
	f, _ := newCanned(t, sim.Reply(200, "", make([]byte, 100)).Bytes(), 1<<20)
	fetchMany(t, f, 10_000)
	before := heapBytes()
	fetchMany(t, f, 400_000)
	after := heapBytes()
	require.Less(t, after, before+256<<10, "%d KB more after 400,000 fetches", (int64(after)-int64(before))>>10)
}

func BenchmarkFetch(b *testing.B) {
	for _, size := range []int{100, 10_000, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			f, _ := newCanned(b, sim.Reply(200, "Content-Type: image/jpeg\r\n", make([]byte, size)).Bytes(), 64<<10)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			fetchMany(b, f, b.N)
		})
	}
}
