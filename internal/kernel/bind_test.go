//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

// TestBind: the server sees the address that the socket was bound to, with a
// port of the kernel's choice.
func TestBind(t *testing.T) {
	k := open(t)
	for network, local := range map[string]string{"tcp4": "127.0.0.1", "tcp6": "::1"} {
		t.Run(network, func(t *testing.T) {
			l, to := listen(t, network, net.JoinHostPort(local, "0"))
			family := syscall.AF_INET
			if network == "tcp6" {
				family = syscall.AF_INET6
			}
			for range 2 {
				fd, err := k.Socket(family)
				require.NoError(t, err)
				require.NoError(t, k.Bind(fd, netip.MustParseAddr(local)))
				if err := k.Connect(fd, to); err != nil {
					require.Equal(t, syscall.EINPROGRESS, err)
					ready(t, k, fd, poller.Writable)
				}
				require.NoError(t, k.SocketError(fd))
				peer, err := l.AcceptTCP()
				require.NoError(t, err)
				require.Equal(t, local, peer.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String())
				peer.Close()
				require.NoError(t, k.CloseSocket(fd))
			}
		})
	}
}

// TestBindCounted: a bind is one, and so is a connect to a path.
func TestBindCounted(t *testing.T) {
	k := Count(Inject(open(t), Faults{Nth: 2, Call: CallConnect, Errno: syscall.EIO}))
	require.Equal(t, syscall.EBADF, k.Bind(-1, netip.MustParseAddr("127.0.0.1")))
	require.Equal(t, syscall.EBADF, k.ConnectUnix(-1, "/x"))
	require.Equal(t, syscall.EIO, k.ConnectUnix(-1, "/x"))
	got := k.Snapshot()
	require.Equal(t, []uint64{1, 2}, []uint64{got.Failed[CallBind], got.Failed[CallConnect]})
	require.Equal(t, got.Failed, got.Calls)
}

// TestBindElsewhere: an address of another machine (RFC 5737) is refused.
func TestBindElsewhere(t *testing.T) {
	k := open(t)
	fd, err := k.Socket(syscall.AF_INET)
	require.NoError(t, err)
	require.Equal(t, syscall.EADDRNOTAVAIL, k.Bind(fd, netip.MustParseAddr("192.0.2.1")))
	require.NoError(t, k.CloseSocket(fd))
}

// socketFolder is a folder with a short path: a socket's may have 103 bytes on
// some systems.
func socketFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "k")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// TestUnix: a connection of the Unix domain carries bytes both ways.
func TestUnix(t *testing.T) {
	k := open(t)
	path := filepath.Join(socketFolder(t), "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer l.Close()
	fd, err := k.Socket(syscall.AF_UNIX)
	require.NoError(t, err)
	require.False(t, k.Connected(fd))
	require.NoError(t, k.ConnectUnix(fd, path))
	require.NoError(t, k.SocketError(fd))
	require.True(t, k.Connected(fd))
	peer, err := l.Accept()
	require.NoError(t, err)
	defer peer.Close()

	n, err := k.Send(fd, []byte("to"))
	require.NoError(t, err)
	p := make([]byte, 8)
	n, err = peer.Read(p[:n])
	require.NoError(t, err)
	require.Equal(t, "to", string(p[:n]))
	_, err = k.Recv(fd, p)
	require.Equal(t, syscall.EAGAIN, err)
	_, err = peer.Write([]byte("fro"))
	require.NoError(t, err)
	ready(t, k, fd, poller.Readable)
	n, err = k.Recv(fd, p)
	require.NoError(t, err)
	require.Equal(t, "fro", string(p[:n]))
	require.NoError(t, k.CloseSocket(fd))
}

// TestUnixRefused: nothing at the path, nobody who listens there, a path that
// no socket can have.
func TestUnixRefused(t *testing.T) {
	k := open(t)
	dir := socketFolder(t)
	dead := filepath.Join(dir, "dead")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	for path, want := range map[string]syscall.Errno{
		filepath.Join(dir, "none"):      syscall.ENOENT,
		dead:                            syscall.ECONNREFUSED,
		dir + strings.Repeat("/x", 200): syscall.EINVAL,
	} {
		fd, err := k.Socket(syscall.AF_UNIX)
		require.NoError(t, err)
		require.Equal(t, want, k.ConnectUnix(fd, path), path)
		require.NoError(t, k.CloseSocket(fd))
	}
}
