package sim

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

// parrot sends back what it gets; "bye" makes it close, "rst" reset.
type parrot struct{ c *Conn }

func newParrot(c *Conn) Peer { return parrot{c} }

func (p parrot) Receive(b []byte) {
	switch string(b) {
	case "bye":
		p.c.Send(0, []byte("bye"))
		p.c.Close(0)
	case "rst":
		p.c.Reset(0)
	default:
		p.c.Send(0, b)
	}
}

func (p parrot) Closed() {}

func wait(t testing.TB, k *Kernel, timeout time.Duration) []poller.Event {
	events := make([]poller.Event, 16)
	n, err := k.Wait(events, timeout)
	require.NoError(t, err)
	return events[:n]
}

func TestReadinessIsLevelTriggered(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd := dial(t, k, anAddress)
	const token poller.Token = 1<<63 + 5
	both := poller.Readable | poller.Writable
	readable := []poller.Event{{Token: token, Readable: true}}
	p := make([]byte, 10)

	require.NoError(t, k.Add(fd, token, both))
	require.Equal(t, []poller.Event{{Token: token, Writable: true}}, wait(t, k, -1))
	require.NoError(t, k.Modify(fd, token, poller.Readable))
	require.Empty(t, wait(t, k, 5*time.Millisecond))

	k.Send(fd, []byte("abcdef"))
	before := k.Now()
	require.Equal(t, readable, wait(t, k, -1))
	require.InDelta(t, 2*time.Millisecond, k.Now()-before, float64(10*time.Microsecond), "there and back")
	require.Equal(t, readable, wait(t, k, -1), "nothing was read")
	n, err := k.Recv(fd, p[:4])
	require.NoError(t, err)
	require.Equal(t, "abcd", string(p[:n]))
	require.Equal(t, readable, wait(t, k, -1), "two bytes are left")

	require.NoError(t, k.Remove(fd))
	require.Empty(t, wait(t, k, time.Millisecond), "paused")
	require.NoError(t, k.Add(fd, token+1, poller.Readable))
	require.Equal(t, []poller.Event{{Token: token + 1, Readable: true}}, wait(t, k, -1), "resumed")
	require.NoError(t, k.Modify(fd, token, poller.Readable))
	n, _ = k.Recv(fd, p)
	require.Equal(t, "ef", string(p[:n]))
	require.Empty(t, wait(t, k, time.Millisecond))
	_, err = k.Recv(fd, p)
	require.Equal(t, syscall.EAGAIN, err)

	k.Send(fd, []byte("bye"))
	require.Equal(t, readable, wait(t, k, -1))
	n, _ = k.Recv(fd, p)
	require.Equal(t, "bye", string(p[:n]))
	require.Equal(t, readable, wait(t, k, -1), "the FIN")
	n, err = k.Recv(fd, p)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, readable, wait(t, k, -1), "the FIN stays")
	require.True(t, k.Connected(fd), "half-closed")

	k.Send(fd, []byte("more"))
	k.Remove(fd)
	k.Add(fd, token, poller.Writable)
	wait(t, k, 3*time.Millisecond)
	for k.Connected(fd) {
		k.advance(k.now + time.Millisecond)
	}
	require.Equal(t, []poller.Event{{Token: token, Readable: true, Writable: true}}, wait(t, k, -1), "hung up: both, asked for or not")
	_, err = k.Send(fd, p)
	require.Equal(t, syscall.EPIPE, err)
}

func TestBatchesAreFair(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	for i := range 7 {
		require.NoError(t, k.Add(dial(t, k, anAddress), poller.Token(i), poller.Writable))
	}
	seen := map[poller.Token]int{}
	events := make([]poller.Event, 2)
	for range 7 {
		n, err := k.Wait(events, -1)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		seen[events[0].Token]++
		seen[events[1].Token]++
	}
	for i := range 7 {
		require.Equal(t, 2, seen[poller.Token(i)], "token %d", i)
	}
}

func TestTimeoutsRoundUp(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0:                        0,
		1:                        time.Millisecond,
		time.Millisecond:         time.Millisecond,
		time.Millisecond + 1:     2 * time.Millisecond,
		90 * time.Second:         90 * time.Second,
		time.Duration(1<<63 - 1): (1<<31 - 1) * time.Millisecond,
	} {
		k := New(1, Chaos{})
		require.Empty(t, wait(t, k, asked))
		require.Equal(t, want+tick, k.Now(), "asked for %v", asked)
	}
}

func TestWakeCoalescesAndEndsWait(t *testing.T) {
	k := New(1, Chaos{})
	k.Wake()
	k.Wake()
	require.Empty(t, wait(t, k, time.Hour))
	require.Less(t, k.Now(), time.Millisecond)
	require.Empty(t, wait(t, k, time.Second))
	require.Greater(t, k.Now(), time.Second, "two wake-ups are one")

	k.At(time.Minute, func() { k.Wake() })
	require.Empty(t, wait(t, k, -1))
	require.Equal(t, time.Minute, k.Now())
	require.EqualValues(t, 2, k.Counts().Wakes)
}

func TestAtRunsInWaitOnly(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd := dial(t, k, anAddress)
	ran := false
	k.At(k.Now(), func() { ran = true })
	for range 10 {
		k.SocketError(fd)
	}
	require.False(t, ran)
	wait(t, k, 0)
	require.True(t, ran)
}

func TestAtExpectWake(t *testing.T) {
	k := New(1, Chaos{})
	k.AtExpectWake(time.Second, func() {
		go func() {
			time.Sleep(10 * time.Millisecond)
			k.Wake()
		}()
	})
	require.Empty(t, wait(t, k, -1))
	require.Equal(t, time.Second, k.Now(), "the clock stood still")
}

func TestLostWakeUpIsAViolation(t *testing.T) {
	k := New(1, Chaos{})
	k.patience = time.Millisecond
	k.AtExpectWake(time.Second, func() {})
	require.Panics(t, func() { wait(t, k, -1) })
	require.Contains(t, k.Violations()[0], "no Wake came")
}

func TestArrivalsComeBetweenCalls(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd := dial(t, k, anAddress)
	k.Send(fd, []byte("a"))
	p := make([]byte, 1)
	for range 10_000 {
		if n, _ := k.Recv(fd, p); n == 1 {
			return
		}
	}
	t.Fatal("nothing arrived while the program was busy")
}

// chaosBatch has a connection that only hears of events chaos makes or changes.
func chaosBatch(t *testing.T, chaos Chaos, look func(k *Kernel, fd int, events []poller.Event) bool) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	fd := dial(t, k, anAddress)
	k.Add(fd, 6, poller.Readable)
	k.Remove(fd)
	k.Add(fd, 7, poller.Readable|poller.Writable)
	k.Add(dial(t, k, anAddress), 8, poller.Writable)
	k.Send(fd, []byte("x"))
	k.advance(k.now + 10*time.Millisecond)
	k.chaos = chaos.bounded()
	for range 100 {
		if look(k, fd, wait(t, k, time.Second)) {
			return
		}
	}
	t.Fatalf("%+v changed nothing in 100 batches", chaos)
}

func TestBatchChaos(t *testing.T) {
	has := func(events []poller.Event, want poller.Event) int {
		n := 0
		for _, e := range events {
			if e == want {
				n++
			}
		}
		return n
	}
	full := poller.Event{Token: 7, Readable: true, Writable: true}
	chaosBatch(t, Chaos{}, func(_ *Kernel, _ int, e []poller.Event) bool {
		require.Equal(t, []poller.Event{full, {Token: 8, Writable: true}}, e)
		return true
	})
	chaosBatch(t, Chaos{Duplicate: 1}, func(_ *Kernel, _ int, e []poller.Event) bool {
		return has(e, full) == 2
	})
	chaosBatch(t, Chaos{Split: 1}, func(_ *Kernel, _ int, e []poller.Event) bool {
		return has(e, poller.Event{Token: 7, Readable: true}) == 1 && has(e, poller.Event{Token: 7, Writable: true}) == 1
	})
	chaosBatch(t, Chaos{Shuffle: 1}, func(_ *Kernel, _ int, e []poller.Event) bool {
		return e[0].Token == 8
	})
	chaosBatch(t, Chaos{Cut: 1}, func(_ *Kernel, _ int, e []poller.Event) bool {
		return len(e) == 1
	})
	chaosBatch(t, Chaos{Stale: 1}, func(_ *Kernel, _ int, e []poller.Event) bool {
		return len(e) == 3 && has(e[2:], poller.Event{Token: 6, Readable: e[2].Readable, Writable: e[2].Writable}) == 1
	})
	chaosBatch(t, Chaos{Interrupt: 1}, func(k *Kernel, fd int, _ []poller.Event) bool {
		before := k.Now()
		k.Remove(fd)
		k.Add(fd, 7, poller.Readable)
		k.Recv(fd, make([]byte, 9))
		k.watched = k.watched[:0] // nothing to report
		require.Empty(t, wait(t, k, time.Second))
		return k.Now()-before < time.Second
	})
	chaosBatch(t, Chaos{Oversleep: 1}, func(k *Kernel, _ int, _ []poller.Event) bool {
		return k.Now() > time.Minute
	})
}

func TestSpuriousEventsLie(t *testing.T) {
	k := New(3, Chaos{Spurious: 0.5})
	k.BlackHole(anAddress)
	fd, _ := k.Socket(syscall.AF_INET)
	k.Connect(fd, anAddress)
	k.Add(fd, 7, poller.Writable)
	lies := 0
	for range 100 {
		if len(wait(t, k, time.Second)) > 0 {
			lies++
			require.False(t, k.Connected(fd))
		}
	}
	require.InDelta(t, 50, lies, 25)
}

func TestDataArrivesWhileOversleeping(t *testing.T) {
	k := New(1, Chaos{Oversleep: 1, OversleepMax: time.Hour})
	k.Listen(anAddress, func(c *Conn) Peer {
		c.Send(time.Minute, []byte("late"))
		return nil
	})
	k.chaos.Oversleep = 0
	fd := dial(t, k, anAddress)
	k.chaos.Oversleep = 1
	k.Add(fd, 1, poller.Readable)
	require.Len(t, wait(t, k, 100*time.Millisecond), 1, "slept %v", k.Now())
	require.Greater(t, k.Now(), time.Minute)
}

// TestTruth compares, in a world without chaos, every batch with what the calls
// that follow say.
func TestTruth(t *testing.T) {
	k := New(9, Chaos{SmallBuffer: 1})
	k.Listen(anAddress, newParrot)
	r := rand.New(rand.NewPCG(1, 1))
	fds := map[poller.Token]int{}
	for i := range poller.Token(5) {
		fds[i] = dial(t, k, anAddress)
		k.Add(fds[i], i, poller.Readable|poller.Writable)
	}
	p := make([]byte, 300)
	for range 2000 {
		ready := map[poller.Token]poller.Event{}
		k.advance(k.now + time.Duration(r.IntN(3))*time.Millisecond)
		for _, e := range wait(t, k, 0) {
			ready[e.Token] = e
		}
		token := poller.Token(r.IntN(5))
		if r.IntN(2) == 0 {
			n, err := k.Recv(fds[token], p[:1+r.IntN(len(p))])
			require.Equal(t, ready[token].Readable, n > 0 && err == nil)
		} else {
			n, err := k.Send(fds[token], p[:1+r.IntN(len(p))])
			require.Equal(t, ready[token].Writable, n > 0 && err == nil)
		}
	}
}
