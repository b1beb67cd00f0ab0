//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package poller

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func open(t testing.TB) *Poller {
	p, err := New()
	require.NoError(t, err)
	return p
}

// socketPair gives two connected, non-blocking sockets, which are closed at
// the end of the test. To close one before that, use shut.
func socketPair(t testing.TB) (a, b int) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	keep(t, fds[0], fds[1])
	return fds[0], fds[1]
}

// pipe gives a pipe's read end and its write end, non-blocking.
func pipe(t testing.TB) (out, in int) {
	var fds [2]int
	require.NoError(t, unix.Pipe(fds[:]))
	keep(t, fds[0], fds[1])
	return fds[0], fds[1]
}

// socket gives a non-blocking TCP socket.
func socket(t testing.TB) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	keep(t, fd)
	return fd
}

func keep(t testing.TB, fds ...int) {
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		require.NoError(t, unix.SetNonblock(fd, true))
		t.Cleanup(func() { unix.Close(fd) })
	}
}

// closeInto closes a descriptor and gives its number to a duplicate of another.
func closeInto(t testing.TB, fd, other int) {
	require.NoError(t, unix.Close(fd))
	got, err := unix.FcntlInt(uintptr(other), unix.F_DUPFD_CLOEXEC, fd)
	require.NoError(t, err)
	require.Equal(t, fd, got)
}

// shut closes a descriptor and keeps its number taken, so that the end of the
// test closes nobody else's.
func shut(t testing.TB, fd int) {
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	closeInto(t, fd, null)
	require.NoError(t, unix.Close(null))
}

// tcpPair gives a non-blocking TCP socket and its peer on loopback.
func tcpPair(t testing.TB) (int, *net.TCPConn) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}))
	keep(t, fd)
	peer, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { peer.Close() })
	return fd, peer.(*net.TCPConn)
}

// reset closes a connection with an RST.
func reset(t testing.TB, peer *net.TCPConn) {
	require.NoError(t, peer.SetLinger(0))
	require.NoError(t, peer.Close())
}

func write(t testing.TB, fd int, text string) {
	n, err := unix.Write(fd, []byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

func read(t testing.TB, fd int, want string) {
	p := make([]byte, 1000)
	n, err := unix.Read(fd, p)
	require.NoError(t, err)
	require.Equal(t, want, string(p[:n]))
}

// look gives what is ready at once, with one event for each token.
func look(t testing.TB, p *Poller) []Event { return gather(t, p, 0) }

// wait is look with patience: it fails the test after five seconds.
func wait(t testing.TB, p *Poller) []Event { return gather(t, p, 5*time.Second) }

func gather(t testing.TB, p *Poller, timeout time.Duration) (merged []Event) {
	events := make([]Event, 64)
	for range signals {
		n, err := p.Wait(events, timeout)
		require.NoError(t, err)
		for _, e := range events[:n] {
			merged = merge(merged, e)
		}
		if timeout == 0 || n > 0 {
			return merged
		}
	}
	require.FailNow(t, "nothing", "within %v", timeout)
	return nil
}

// signals is how many Waits a test begins where one may end early: Go sends
// signals to its own threads, to interrupt what they compute, and one may find
// its thread in a Wait instead (item 7).
const signals = 3

// sleeps has nothing happen in a Wait, which takes its whole time then.
func sleeps(t testing.TB, p *Poller, timeout time.Duration) {
	t.Helper()
	var took time.Duration
	for range signals {
		var n int
		took, n = timed(t, p, timeout)
		require.Zero(t, n)
		if took >= timeout {
			return
		}
	}
	require.GreaterOrEqual(t, took, timeout)
}

func merge(merged []Event, e Event) []Event {
	for i := range merged {
		if merged[i].Token == e.Token {
			merged[i].Readable = merged[i].Readable || e.Readable
			merged[i].Writable = merged[i].Writable || e.Writable
			return merged
		}
	}
	return append(merged, e)
}

// timed is one Wait and how long it took.
func timed(t testing.TB, p *Poller, timeout time.Duration) (took time.Duration, n int) {
	events := make([]Event, 64)
	start := time.Now()
	n, err := p.Wait(events, timeout)
	took = time.Since(start)
	require.NoError(t, err)
	return took, n
}
