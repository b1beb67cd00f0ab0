package sim

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

func TestNumbersAreReusedLowestFirst(t *testing.T) {
	k := New(1, Chaos{})
	dir, _ := k.OpenDir("out")
	a, _ := k.Socket(syscall.AF_INET)
	file, _ := k.Create(dir, "f")
	b, _ := k.Socket(syscall.AF_INET)
	require.Equal(t, []int{5, 6, 7, 8}, []int{dir, a, file, b})
	k.CloseFile(file)
	k.CloseSocket(a)
	a, _ = k.Socket(syscall.AF_INET)
	file, _ = k.Create(dir, "g")
	c, _ := k.Socket(syscall.AF_INET)
	require.Equal(t, []int{6, 7, 9}, []int{a, file, c})
	require.Equal(t, []string{"5 folder out", "6 socket number 3, fresh", "7 file g",
		"8 socket number 2, fresh", "9 socket number 4, fresh"}, k.Open())
}

func TestDescriptorLimit(t *testing.T) {
	k := New(1, Chaos{})
	k.Limit = 7
	limit, err := k.DescriptorLimit()
	require.NoError(t, err)
	require.Equal(t, 7, limit)
	dir, _ := k.OpenDir("out")
	a, _ := k.Socket(syscall.AF_INET)
	_, err = k.Socket(syscall.AF_INET)
	require.Equal(t, syscall.EMFILE, err)
	_, err = k.Create(dir, "f")
	require.Equal(t, syscall.EMFILE, err)
	require.Empty(t, k.Names("out"))
	k.CloseSocket(a)
	_, err = k.Create(dir, "f")
	require.NoError(t, err)
}

// outcome connects to anAddress and waits for what comes of it.
func outcome(t *testing.T, k *Kernel) (fd int, err error) {
	fd, err = k.Socket(syscall.AF_INET)
	require.NoError(t, err)
	if err = k.Connect(fd, anAddress); err != syscall.EINPROGRESS {
		return fd, err
	}
	require.False(t, k.Connected(fd))
	require.NoError(t, k.SocketError(fd))
	k.Add(fd, 1, poller.Writable)
	if len(wait(t, k, time.Minute)) == 0 {
		err = errTimeout
	} else {
		err = k.SocketError(fd)
	}
	k.Remove(fd)
	return fd, err
}

func TestConnectOutcomes(t *testing.T) {
	serve := func(k *Kernel) { k.Serve(anAddress, library) }
	for _, test := range []struct {
		name  string
		chaos Chaos
		world func(k *Kernel)
		want  error
	}{
		{"Served", Chaos{}, serve, nil},
		{"NothingThere", Chaos{}, func(*Kernel) {}, syscall.ECONNREFUSED},
		{"NothingThereAnyMore", Chaos{}, func(k *Kernel) { serve(k); k.Refuse(anAddress) }, syscall.ECONNREFUSED},
		{"Refuse", Chaos{Refuse: 1}, serve, syscall.ECONNREFUSED},
		{"BlackHole", Chaos{BlackHole: 1}, serve, errTimeout},
		{"BlackHoleAddress", Chaos{}, func(k *Kernel) { serve(k); k.BlackHole(anAddress) }, errTimeout},
		{"Unreachable", Chaos{}, func(k *Kernel) { k.Unreachable(anAddress, syscall.ENETUNREACH) }, syscall.ENETUNREACH},
		{"NoAddress", Chaos{NoAddress: 1}, serve, syscall.EADDRNOTAVAIL},
		{"ConnectNow", Chaos{ConnectNow: 1}, serve, nil},
		{"ConnectNowRefused", Chaos{ConnectNow: 1, Refuse: 1}, serve, syscall.ECONNREFUSED},
		{"SlowConnect", Chaos{SlowConnect: 1}, serve, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := New(1, test.chaos)
			test.world(k)
			fd, err := outcome(t, k)
			require.Equal(t, test.want, err)
			require.Equal(t, err == nil, k.Connected(fd))
			require.NoError(t, k.CloseSocket(fd))
			require.Empty(t, k.Open())
		})
	}
	k := New(1, Chaos{ConnectFails: 1})
	serve(k)
	_, err := outcome(t, k)
	require.Contains(t, []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ETIMEDOUT}, err)
}

func TestRefusedSocketTellsOnce(t *testing.T) {
	k := New(1, Chaos{})
	fd, _ := k.Socket(syscall.AF_INET)
	k.Connect(fd, anAddress)
	k.advance(time.Second)
	p := make([]byte, 1)
	_, err := k.Recv(fd, p)
	require.Equal(t, syscall.ECONNREFUSED, err, "the pending error")
	require.NoError(t, k.SocketError(fd))
	_, err = k.Recv(fd, p)
	require.Equal(t, syscall.ENOTCONN, err)
	_, err = k.Send(fd, p)
	require.Equal(t, syscall.EPIPE, err)
}

// TestResetKeepsWhatArrived is tcp_recvmsg's order: data, the error once, then
// what looks like an end.
func TestResetKeepsWhatArrived(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd := dial(t, k, anAddress)
	p := make([]byte, 10)
	k.Send(fd, []byte("abc"))
	k.Send(fd, []byte("rst"))
	k.advance(time.Second)
	require.False(t, k.Connected(fd))
	n, err := k.Recv(fd, p)
	require.NoError(t, err)
	require.Equal(t, "abc", string(p[:n]))
	_, err = k.Recv(fd, p)
	require.Equal(t, syscall.ECONNRESET, err)
	n, err = k.Recv(fd, p)
	require.Zero(t, n)
	require.NoError(t, err)
}

// TestWholeBodyArrivesAfterPause sends 1 MB and closes while the client pauses
// (netty#17290, varnish PR 4138): the window holds it back, nothing is lost.
func TestWholeBodyArrivesAfterPause(t *testing.T) {
	k := New(1, Chaos{ShortRead: 0.5})
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	k.Listen(anAddress, func(c *Conn) Peer {
		c.Send(0, body)
		c.Close(0)
		return nil
	})
	fd := dial(t, k, anAddress)
	k.advance(time.Minute)
	require.Equal(t, bufferBytes, k.fds[fd].socket.in.size, "no more than the window")
	k.Add(fd, 1, poller.Readable)
	var got []byte
	p := make([]byte, 100_000)
	for {
		n, err := k.Recv(fd, p)
		if err == syscall.EAGAIN {
			require.Len(t, wait(t, k, -1), 1)
			continue
		}
		require.NoError(t, err)
		if n == 0 {
			break
		}
		got = append(got, p[:n]...)
	}
	require.True(t, bytes.Equal(body, got))
}

// TestSmallSendBuffer sends 100 KB through a small send buffer (evio#72).
func TestSmallSendBuffer(t *testing.T) {
	k := New(1, Chaos{SmallBuffer: 1, ShortWrite: 0.5, Again: 0.3, Jitter: time.Millisecond})
	sink := &memory{}
	k.Listen(anAddress, func(*Conn) Peer { return sink })
	c := newClient(k, anAddress)
	require.NoError(t, c.connect())
	sent := bytes.Repeat([]byte("0123456789"), 10_000)
	require.NoError(t, c.send(sent))
	c.hangUp()
	k.advance(k.now + time.Second)
	require.True(t, bytes.Equal(sent, sink.got))
	require.True(t, sink.closed)
	require.EqualValues(t, len(sent), k.Counts().Sent)
}

// memory keeps what it gets.
type memory struct {
	got    []byte
	closed bool
}

func (m *memory) Receive(p []byte) { m.got = append(m.got, p...) }
func (m *memory) Closed()          { m.closed = true }

func TestSocketChaos(t *testing.T) {
	k := New(1, Chaos{NoDescriptors: 1, SpellMax: time.Hour})
	_, err := k.Socket(syscall.AF_INET)
	require.Contains(t, []error{syscall.EMFILE, syscall.ENFILE}, err)
	k.chaos.NoDescriptors = 0
	_, err = k.Socket(syscall.AF_INET)
	require.Contains(t, []error{syscall.EMFILE, syscall.ENFILE}, err, "the spell goes on")
	k.advance(k.now + time.Hour)
	fd, err := k.Socket(syscall.AF_INET)
	require.NoError(t, err, "the spell is over")
	k.chaos.CloseFails = 1
	require.Equal(t, syscall.EIO, k.CloseSocket(fd))
	require.Empty(t, k.Open(), "gone all the same")

	k = New(1, Chaos{ResetAtOnce: 1})
	k.Serve(anAddress, library)
	fd = dial(t, k, anAddress)
	k.advance(time.Second)
	require.False(t, k.Connected(fd))
	require.Equal(t, syscall.ECONNRESET, k.SocketError(fd))

	k = New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd = dial(t, k, anAddress)
	k.SetChaos(Chaos{Again: 1})
	again := 0
	for range 1000 {
		if _, err := k.Send(fd, []byte("a")); err == syscall.EAGAIN {
			again++
		}
	}
	require.InDelta(t, 900, again, 50)
}

// TestStaleSegmentsOfClosedSocketVanish closes a socket while data is on its way
// and opens another with the same number: nothing crosses over.
func TestStaleSegmentsOfClosedSocketVanish(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd := dial(t, k, anAddress)
	k.Send(fd, []byte("for the first"))
	k.CloseSocket(fd)
	again := dial(t, k, anAddress)
	require.Equal(t, fd, again)
	k.advance(k.now + time.Second)
	_, err := k.Recv(again, make([]byte, 9))
	require.Equal(t, syscall.EAGAIN, err)
	require.True(t, k.Connected(again))
}

// frames is the server of a made-up protocol that runs several streams over one
// connection: a request is a byte, the answer three frames of it, interleaved.
type frames struct{ c *Conn }

func (f frames) Receive(p []byte) {
	for _, id := range p {
		f.c.After(f.c.within(time.Millisecond)+time.Duration(id)*time.Microsecond, func() { f.reply(id, 3) })
	}
}

func (f frames) reply(id byte, left int) {
	f.c.Send(0, []byte{id})
	if left > 1 {
		f.c.After(time.Millisecond, func() { f.reply(id, left-1) })
	}
}

func (f frames) Closed() {}

func TestOtherProtocols(t *testing.T) {
	k := New(1, Mild())
	k.Listen(anotherAddress, func(c *Conn) Peer {
		require.Equal(t, anotherAddress, c.Address())
		require.Equal(t, 1, c.Number())
		require.Equal(t, k.Now(), c.Now())
		require.NotNil(t, c.Rand())
		return frames{c}
	})
	c := newClient(k, anotherAddress)
	require.NoError(t, c.connect())
	require.NoError(t, c.send([]byte("abc")))
	for len(c.in) < 9 {
		require.NoError(t, c.receive())
	}
	for _, id := range []byte("abc") {
		require.Equal(t, 3, bytes.Count(c.in, []byte{id}))
	}
	require.NotEqual(t, "aaabbbccc", string(c.in))
}
