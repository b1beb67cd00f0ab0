package porttest

import (
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClosed(t *testing.T) {
	var address string
	t.Run("while the test goes on", func(t *testing.T) {
		address = Closed(t)
		_, port, _ := strings.Cut(address, ":")
		_, err := net.Dial("tcp", address)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		for _, taken := range []string{address, "127.0.0.2:" + port, ":" + port} {
			_, err = net.Listen("tcp4", taken)
			require.ErrorIs(t, err, syscall.EADDRINUSE, taken)
		}
	})
	l, err := net.Listen("tcp4", address)
	require.NoError(t, err, "the port is given back")
	require.NoError(t, l.Close())
}

func TestFree(t *testing.T) {
	l, err := net.Listen("tcp", Free(t))
	require.NoError(t, err)
	require.NoError(t, l.Close())
}
