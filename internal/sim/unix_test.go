package sim

import (
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnixOutcomes: a connect to a path ends at once.
func TestUnixOutcomes(t *testing.T) {
	for want, chaos := range map[syscall.Errno]Chaos{0: {}, syscall.ECONNREFUSED: {Refuse: 1}, syscall.EAGAIN: {NoAddress: 1}} {
		k := New(1, chaos)
		k.ServeUnix("/run/s", library)
		fd, err := k.Socket(syscall.AF_UNIX)
		require.NoError(t, err)
		err = k.ConnectUnix(fd, "/run/s")
		if want != 0 {
			require.Equal(t, want, err)
		}
		require.Equal(t, want == 0, k.Connected(fd))
		require.NoError(t, k.CloseSocket(fd))
		require.Empty(t, k.Open())
	}
	k := New(1, Chaos{})
	fd, _ := k.Socket(syscall.AF_UNIX)
	require.Equal(t, syscall.ENOENT, k.ConnectUnix(fd, "/run/s"))
}

// TestBound: servers see what a socket was bound to, and only addresses of this
// machine can be.
func TestBound(t *testing.T) {
	k := New(1, Chaos{})
	own := netip.MustParseAddr("10.0.0.9")
	k.Own(own)
	k.Serve(anAddress, func(*Request, *rand.Rand) Response { return Reply(200, "", nil) })
	fd, _ := k.Socket(syscall.AF_INET)
	require.Equal(t, syscall.EADDRNOTAVAIL, k.Bind(fd, netip.MustParseAddr("10.0.0.8")))
	require.NoError(t, k.Bind(fd, own))
	require.Equal(t, syscall.EINPROGRESS, k.Connect(fd, anAddress))
	k.advance(time.Second)
	_, err := k.Send(fd, []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
	require.NoError(t, err)
	k.advance(2 * time.Second)
	require.Equal(t, own, k.Served()[0].Request.From)
	require.NoError(t, k.CloseSocket(fd))
}
