// Package porttest gives tests ports that stay as they are: other tests, in
// other processes, are given ports at the same time, thousands of them.
package porttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Closed gives an address of 127.0.0.1 where nobody listens, nor can before the
// test ends; nor at this port of the other addresses of 127.0.0.0/8. A socket has
// the port and does not listen there, so that connect(2) fails with ECONNREFUSED.
func Closed(t testing.TB) (address string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	unix.CloseOnExec(fd)
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{}))
	own, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", own.(*unix.SockaddrInet4).Port)
}

// Ports below those that Linux gives out unasked (ip_local_port_range in ip(7)), and
// above those of most services.
const (
	lowest   = 10_000
	ports    = 20_000
	attempts = 100
)

// Free gives an address of 127.0.0.1 at which a program may listen that is going
// to be started. In the meantime the system gives the port to nobody who has not
// asked for it by its number; another call of Free may, once in twenty thousand.
func Free(t testing.TB) (address string) {
	t.Helper()
	var err error
	for range attempts {
		address = fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(ports))
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	require.NoError(t, err)
	return ""
}
