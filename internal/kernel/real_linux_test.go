package kernel

import (
	"net/netip"
	"os"
	"testing"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Close gives back all that Real holds: the poller's two descriptors and the
// pipe's.
func TestCloseGivesBack(t *testing.T) {
	before := descriptors(t)
	k, err := New()
	require.NoError(t, err)
	require.NoError(t, k.pipe.open())
	held := 0
	for fd, file := range descriptors(t) {
		if before[fd] != file {
			held++
		}
	}
	require.GreaterOrEqual(t, held, 4)
	require.NoError(t, k.Close())
	require.Subset(t, before, descriptors(t))
}

// descriptors are those of the process, each with what it is of. Other tests may
// have left some to the collector, which closes them at any time.
func descriptors(t *testing.T) map[string]string {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	of := map[string]string{}
	for _, entry := range entries {
		if file, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil { // that of the folder has gone
			of[entry.Name()] = file
		}
	}
	return of
}

func TestCallsAllocateNothing(t *testing.T) {
	k := Kernel(Inject(Count(open(t)), Faults{Seed: 1, RecvAgain: 1, RecvMax: 4000, ResetAt: 1 << 40}))
	_, dir := folder(t, k)
	l, to := listen(t, "tcp4", "127.0.0.1:0")
	_, to6 := listen(t, "tcp6", "[::1]:0")
	fd := dial(t, k, unix.AF_INET, to)
	defer k.CloseSocket(fd)
	peer, err := l.AcceptTCP()
	require.NoError(t, err)
	defer peer.Close()
	_, err = peer.Write(fill(1000))
	require.NoError(t, err)
	ready(t, k, fd, poller.Readable)

	p := make([]byte, 1)
	require.NoError(t, k.Add(fd, 1, poller.Readable))
	events := make([]poller.Event, 8)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		k.Now()
		k.Send(fd, p)
		k.Recv(fd, p)
		k.SocketError(fd)
		k.Connected(fd)
		k.Wait(events, 0)
		k.Modify(fd, 2, poller.Readable)
		for _, address := range [...]netip.AddrPort{to, to6} {
			family := unix.AF_INET
			if address == to6 {
				family = unix.AF_INET6
			}
			s, _ := k.Socket(family)
			k.Connect(s, address)
			k.Recv(s, p)
			k.CloseSocket(s)
		}
	}), "sockets")

	require.Zero(t, testing.AllocsPerRun(100, func() {
		f, _ := k.Create(dir, "temp")
		k.Write(f, p)
		k.CloseFile(f)
		k.Rename(dir, "temp", "final")
		k.Replace(dir, "final", "other")
		k.Unlink(dir, "other")
	}), "files")

	f, err := k.Create(dir, "spliced")
	require.NoError(t, err)
	defer k.CloseFile(f)
	k.Splice(fd, f, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { k.Splice(fd, f, 1) }), "splice")
}
