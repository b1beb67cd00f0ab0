//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package poller

import (
	"bytes"
	"crypto/sha256"
	"math"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The contract in poller.go, item by item; every backend runs the same table.
var contract = []struct {
	item string
	test func(*testing.T, *Poller)
}{
	{"1 readable, again and again", isLevelTriggered},
	{"1 writable", reportsWritable},
	{"1 both directions", reportsBothDirections},
	{"1 only the direction asked for", honoursInterest},
	{"1 a batch shorter than what is ready", fillsNoMoreThanItsRoom},
	{"2 hang-up", reportsHangUp},
	{"2 hang-up with data pending", reportsHangUpWithDataPending},
	{"2 a reset by the peer", reportsReset},
	{"2 a reset while only writing", reportsResetToWriter},
	{"2 a refused connect", reportsRefusedConnect},
	{"3 empty interest panics", refusesEmptyInterest},
	{"3 pause and resume", resumesWhatWaits},
	{"3 pause, then 32 MB and the end", losesNothingWhilePaused},
	{"3 no spin on what is paused", waitsWhilePaused},
	{"4 every bit of a token", returnsTokens},
	{"4 the reserved token panics", refusesReservedToken},
	{"5 close within a batch, number reused", survivesCloseWithinBatch},
	{"5 number reused without a Wait between", watchesReusedNumber},
	{"5 descriptors above 1024", watchesHighNumbers},
	{"6 watched descriptors stay open", leavesDescriptorsOpen},
	{"6 add, modify and remove out of turn", answersOutOfTurn},
	{"7 a timeout is over when Wait returns", roundsTimeoutsUp},
	{"7 no timeout", onlyLooks},
	{"7 a signal", survivesSignals},
	{"7 other goroutines run meanwhile", letsOthersRun},
	{"8 wake before Wait", wakesNextWait},
	{"8 wake during Wait", wakesWaitUnderWay},
	{"8 many wakes are one", coalescesWakes},
	{"8 wake beside events", wakesBesideEvents},
	{"8 no wake is lost", losesNoWake},
	{"8 wakes without a pause", staysWakeable},
	{"8 wake after Close", toleratesLateWake},
	{"no room panics", refusesNoRoom},
	{"no call allocates", allocatesNothing},
}

func TestContract(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.NumCPU()))) // Hold needs one to spare
	for _, c := range contract {
		t.Run(c.item, func(t *testing.T) {
			for _, holds := range []bool{false, true} {
				p := open(t)
				p.Hold(holds)
				c.test(t, p)
				require.NoError(t, p.Close())
			}
		})
	}
}

func isLevelTriggered(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	require.NoError(t, p.Add(a, 7, Readable))
	require.Empty(t, look(t, p))
	write(t, b, "x")
	for range 3 {
		require.Equal(t, []Event{{Token: 7, Readable: true}}, look(t, p))
	}
	read(t, a, "x")
	require.Empty(t, look(t, p))
}

func reportsWritable(t *testing.T, p *Poller) {
	_, in := pipe(t)
	require.NoError(t, p.Add(in, 7, Writable))
	require.Equal(t, []Event{{Token: 7, Writable: true}}, look(t, p))

	block := make([]byte, 1<<16)
	for err := error(nil); err != unix.EAGAIN; _, err = unix.Write(in, block) {
		require.NoError(t, err)
	}
	require.Empty(t, look(t, p))
}

func reportsBothDirections(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	write(t, b, "x")
	require.NoError(t, p.Add(a, 7, Readable|Writable))
	require.Equal(t, []Event{{Token: 7, Readable: true, Writable: true}}, look(t, p))
}

func honoursInterest(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	write(t, b, "x")
	require.NoError(t, p.Add(a, 7, Writable))
	require.Equal(t, []Event{{Token: 7, Writable: true}}, look(t, p))
	require.NoError(t, p.Modify(a, 8, Readable))
	require.Equal(t, []Event{{Token: 8, Readable: true}}, look(t, p))
	require.NoError(t, p.Modify(a, 9, Readable|Writable))
	require.Equal(t, []Event{{Token: 9, Readable: true, Writable: true}}, look(t, p))
	read(t, a, "x")
	require.Equal(t, []Event{{Token: 9, Writable: true}}, look(t, p))
}

func fillsNoMoreThanItsRoom(t *testing.T, p *Poller) {
	for i := range 5 {
		a, _ := socketPair(t)
		require.NoError(t, p.Add(a, Token(i), Writable))
	}
	seen := map[Token]bool{}
	events := make([]Event, 2)
	for range 100 {
		n, err := p.Wait(events, 0)
		require.NoError(t, err)
		require.Positive(t, n)
		for _, e := range events[:n] {
			seen[e.Token] = true
		}
	}
	require.Len(t, seen, 5, "some descriptors starve the others")
}

func reportsHangUp(t *testing.T, p *Poller) {
	out, in := pipe(t)
	require.NoError(t, p.Add(out, 7, Readable))
	shut(t, in)
	require.Equal(t, []Event{{Token: 7, Readable: true, Writable: true}}, look(t, p))
	read(t, out, "")
}

func reportsHangUpWithDataPending(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	require.NoError(t, p.Add(a, 7, Readable))
	write(t, b, "last words")
	shut(t, b)
	for _, word := range []string{"last", " ", "words", ""} {
		events := look(t, p)
		require.Len(t, events, 1)
		require.True(t, events[0].Readable)
		p := make([]byte, max(len(word), 1))
		n, err := unix.Read(a, p)
		require.NoError(t, err)
		require.Equal(t, word, string(p[:n]))
	}
}

func reportsReset(t *testing.T, p *Poller) {
	fd, peer := tcpPair(t)
	require.NoError(t, p.Add(fd, 7, Readable))
	reset(t, peer)
	require.Equal(t, []Event{{Token: 7, Readable: true, Writable: true}}, wait(t, p))
	_, err := unix.Read(fd, make([]byte, 1))
	require.Equal(t, unix.ECONNRESET, err)
}

func reportsResetToWriter(t *testing.T, p *Poller) {
	fd, peer := tcpPair(t)
	block := make([]byte, 1<<20)
	for err := error(nil); err != unix.EAGAIN; _, err = unix.Write(fd, block) {
		require.NoError(t, err)
	}
	require.NoError(t, p.Add(fd, 7, Writable))
	reset(t, peer)
	events := wait(t, p)
	require.Len(t, events, 1)
	require.True(t, events[0].Writable)
	_, err := unix.Write(fd, block)
	require.Contains(t, []error{unix.ECONNRESET, unix.EPIPE}, err)
}

func reportsRefusedConnect(t *testing.T, p *Poller) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())

	fd := socket(t)
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
	if err == unix.ECONNREFUSED {
		return // told at once, as loopback may
	}
	require.Equal(t, unix.EINPROGRESS, err)
	require.NoError(t, p.Add(fd, 7, Writable))
	events := wait(t, p)
	require.Len(t, events, 1)
	require.True(t, events[0].Writable)
	pending, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	require.NoError(t, err)
	require.Equal(t, int(unix.ECONNREFUSED), pending)
}

func refusesEmptyInterest(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	require.Panics(t, func() { p.Add(a, 7, 0) })
	require.Panics(t, func() { p.Add(a, 7, 1<<2) })
	require.NoError(t, p.Add(a, 7, Readable))
	require.Panics(t, func() { p.Modify(a, 7, 0) })
	require.Panics(t, func() { p.Modify(a, 7, Readable|1<<7) })
}

func resumesWhatWaits(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	require.NoError(t, p.Add(a, 7, Readable))
	write(t, b, "x")
	require.Len(t, look(t, p), 1)
	for round := range Token(3) {
		require.NoError(t, p.Remove(a))
		require.Empty(t, look(t, p))
		require.NoError(t, p.Add(a, round, Readable))
		require.Equal(t, []Event{{Token: round, Readable: true}}, look(t, p))
	}
	require.NoError(t, p.Remove(a)) // and back before the kernel may have heard of it
	require.NoError(t, p.Add(a, 9, Writable))
	require.Equal(t, []Event{{Token: 9, Writable: true}}, look(t, p))
}

// The thread is netty#17290: kqueue's end of file comes with data pending, and
// who closed at its sight lost the tail.
func losesNothingWhilePaused(t *testing.T, p *Poller) {
	const size = 32 << 20
	block := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
	fd, peer := tcpPair(t)
	want := sha256.New()
	for range size / len(block) {
		want.Write(block)
	}
	go func() {
		defer peer.Close()
		for range size / len(block) {
			if _, err := peer.Write(block); err != nil {
				return
			}
		}
	}()

	got := sha256.New()
	buffer := make([]byte, 1<<20)
	require.NoError(t, p.Add(fd, 7, Readable))
	for total, paused := 0, 0; ; {
		require.NotEmpty(t, wait(t, p))
		n, err := unix.Read(fd, buffer)
		if err == unix.EAGAIN {
			continue
		}
		require.NoError(t, err)
		if n == 0 {
			require.Equal(t, size, total)
			break
		}
		got.Write(buffer[:n])
		total += n
		if total > (paused+1)*(size/4) {
			paused++
			require.NoError(t, p.Remove(fd))
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, p.Add(fd, 7, Readable))
		}
	}
	require.Equal(t, want.Sum(nil), got.Sum(nil))
}

// The threads are bun#37076 and mosquitto#2807: 100 % of a processor spent on
// sockets that are idle, half closed or reset.
func waitsWhilePaused(t *testing.T, p *Poller) {
	for i := range 100 {
		fd, peer := tcpPair(t)
		require.NoError(t, p.Add(fd, Token(i), Readable|Writable))
		switch i % 4 {
		case 0: // idle
		case 1:
			require.NoError(t, peer.CloseWrite())
		case 2:
			reset(t, peer)
		case 3:
			require.NoError(t, unix.Shutdown(fd, unix.SHUT_RDWR))
		}
		if i%2 == 0 {
			look(t, p) // some removals the kernel has to hear of, some it has not
		}
		require.NoError(t, p.Remove(fd))
	}
	sleeps(t, p, 50*time.Millisecond)
}

func returnsTokens(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	tokens := []Token{0, math.MaxUint64 - 1, 0x0123456789abcdef}
	for bit := range 64 {
		tokens = append(tokens, 1<<bit, ^Token(1<<bit))
	}
	require.NoError(t, p.Add(a, 7, Writable))
	for _, token := range tokens {
		require.NoError(t, p.Modify(a, token, Writable))
		require.Equal(t, []Event{{Token: token, Writable: true}}, look(t, p))
	}
}

func refusesReservedToken(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	require.Panics(t, func() { p.Add(a, Reserved, Readable) })
	require.NoError(t, p.Add(a, 7, Readable))
	require.Panics(t, func() { p.Modify(a, Reserved, Readable) })
}

// The thread is joyent/libuv#968: events for a descriptor that was closed, and
// its number reused, within the batch that brought them.
func survivesCloseWithinBatch(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	b, _ := socketPair(t)
	require.NoError(t, p.Add(a, 1, Writable))
	require.NoError(t, p.Add(b, 2, Writable))
	require.Len(t, look(t, p), 2)

	require.NoError(t, p.Remove(b))
	out, in := pipe(t)
	closeInto(t, b, out)
	require.NoError(t, p.Add(b, 3, Readable))
	require.Equal(t, []Event{{Token: 1, Writable: true}}, look(t, p))
	write(t, in, "x")
	require.ElementsMatch(t, []Event{{Token: 1, Writable: true}, {Token: 3, Readable: true}}, look(t, p))
}

func watchesReusedNumber(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	b, _ := socketPair(t)
	require.NoError(t, p.Add(a, 1, Readable|Writable))
	require.Len(t, look(t, p), 1)
	for token := range Token(3) {
		require.NoError(t, p.Remove(a))
		closeInto(t, a, b)
		require.NoError(t, p.Add(a, token, Writable))
		require.NoError(t, p.Modify(a, token, Readable|Writable))
		require.Equal(t, []Event{{Token: token, Writable: true}}, look(t, p))
	}
	require.NoError(t, p.Remove(a))
	closeInto(t, a, b) // closed, and not watched again
	sleeps(t, p, 10*time.Millisecond)
}

// The thread is curl#15080: descriptors above FD_SETSIZE.
func watchesHighNumbers(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	high, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_CLOEXEC, 2000)
	if err == unix.EINVAL {
		t.Skip("this process may not have 2000 descriptors")
	}
	require.NoError(t, err)
	defer unix.Close(high)
	require.NoError(t, p.Add(high, 7, Readable))
	write(t, b, "x")
	require.Equal(t, []Event{{Token: 7, Readable: true}}, look(t, p))
	require.NoError(t, p.Remove(high))
}

func leavesDescriptorsOpen(t *testing.T, _ *Poller) {
	p := open(t)
	a, b := socketPair(t)
	require.NoError(t, p.Add(a, 7, Readable))
	require.NoError(t, p.Close())
	write(t, b, "x")
	read(t, a, "x")
}

func answersOutOfTurn(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	require.Equal(t, unix.ENOENT, p.Modify(a, 7, Readable))
	require.Equal(t, unix.ENOENT, p.Remove(a))
	require.NoError(t, p.Add(a, 7, Readable))
	require.Equal(t, unix.EEXIST, p.Add(a, 7, Readable))
	require.NoError(t, p.Remove(a))
	require.Equal(t, unix.ENOENT, p.Remove(a))
	require.Equal(t, unix.EBADF, p.Add(-1, 7, Readable))
}

func roundsTimeoutsUp(t *testing.T, p *Poller) {
	for _, timeout := range []time.Duration{1, 999, 300 * time.Microsecond, time.Millisecond,
		1500 * time.Microsecond, 2*time.Millisecond + 1, 7 * time.Millisecond} {
		sleeps(t, p, timeout)
	}
}

func onlyLooks(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	require.NoError(t, p.Add(a, 7, Readable))
	took, n := timed(t, p, 0)
	require.Zero(t, n)
	require.Less(t, took, time.Second)
}

func survivesSignals(t *testing.T, p *Poller) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	interrupt, certain := interrupter(t)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				interrupt()
			}
		}
	}()
	timeout := 50 * time.Millisecond
	if certain {
		timeout = 20 * time.Second
	}
	took, n := timed(t, p, timeout)
	require.Zero(t, n)
	if certain {
		require.Less(t, took, timeout)
	}
}

// Where Go has one processor only, a wait that held it for good would never end.
func letsOthersRun(t *testing.T, p *Poller) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 3 {
		go p.Wake()
		_, n := timed(t, p, -1)
		require.Zero(t, n)
	}
}

func wakesNextWait(t *testing.T, p *Poller) {
	require.NoError(t, p.Wake())
	took, n := timed(t, p, 10*time.Second)
	require.Zero(t, n)
	require.Less(t, took, 10*time.Second)
}

func wakesWaitUnderWay(t *testing.T, p *Poller) {
	var called atomic.Bool
	go func() {
		time.Sleep(20 * time.Millisecond)
		called.Store(true)
		p.Wake()
	}()
	for early := 0; !called.Load(); early++ {
		require.Less(t, early, signals)
		_, n := timed(t, p, -1)
		require.Zero(t, n)
	}
}

func coalescesWakes(t *testing.T, p *Poller) {
	for range 1000 {
		require.NoError(t, p.Wake())
	}
	_, n := timed(t, p, -1)
	require.Zero(t, n)
	sleeps(t, p, 20*time.Millisecond)
}

func wakesBesideEvents(t *testing.T, p *Poller) {
	a, _ := socketPair(t)
	require.NoError(t, p.Add(a, 7, Writable))
	require.NoError(t, p.Wake())
	events := make([]Event, 1)
	for range 3 { // with room for one, wake-up and event may take turns
		n, err := p.Wait(events, 0)
		require.NoError(t, err)
		if n == 1 {
			require.Equal(t, Event{Token: 7, Writable: true}, events[0])
			return
		}
	}
	t.Fatal("the wake-up hides the event")
}

// Each of two goroutines announces one thing at a time and goes on only when
// it has been seen: a single wake-up that got lost would leave both waiting.
func losesNoWake(t *testing.T, p *Poller) {
	const rounds = 10000
	var news [2]atomic.Bool
	var seen [2]chan struct{}
	for i := range seen {
		seen[i] = make(chan struct{}, 1)
		go func() {
			for range rounds {
				news[i].Store(true)
				p.Wake()
				<-seen[i]
			}
		}()
	}
	for left := len(news) * rounds; left > 0; {
		took, _ := timed(t, p, 5*time.Second)
		require.Less(t, took, 5*time.Second, "a wake-up was lost")
		for i := range news {
			if news[i].Swap(false) {
				seen[i] <- struct{}{}
				left--
			}
		}
	}
}

// A Wake at every moment of a Wait, also between the steps in which Wait takes
// note of the one before: if the two ever disagreed on whether a wake-up is
// under way, none would come any more.
func staysWakeable(t *testing.T, p *Poller) {
	var enough atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !enough.Load() {
			p.Wake()
		}
	}()
	defer func() { enough.Store(true); <-done }()
	// On one processor the two take turns of 10 ms, so it is the clock that ends it.
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		took, _ := timed(t, p, 5*time.Second)
		require.Less(t, took, 5*time.Second, "no wake-up came any more")
	}
}

func toleratesLateWake(t *testing.T, _ *Poller) {
	p := open(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10000 {
			p.Wake()
		}
	}()
	require.NoError(t, p.Close())
	<-done
	require.NoError(t, p.Wake())
}

func refusesNoRoom(t *testing.T, p *Poller) {
	require.Panics(t, func() { p.Wait(nil, 0) })
}

func allocatesNothing(t *testing.T, p *Poller) {
	a, b := socketPair(t)
	write(t, b, "x")
	require.NoError(t, p.Add(a, 7, Readable))
	events := make([]Event, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		p.Wait(events, 0)
		p.Wait(events, -1)
		p.Wait(events, time.Second)
		p.Modify(a, 8, Readable|Writable)
		p.Wait(events, 0)
		p.Remove(a)
		p.Wait(events[:1], 0)
		p.Add(a, 7, Readable)
		p.Wake()
		p.Wait(events, -1)
	}))
}
