package kernel

import "golang.org/x/sys/unix"

// noSignal keeps a send to a broken connection from raising SIGPIPE. macOS is
// told once for each socket.
func noSignal(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NOSIGPIPE, 1)
}

func send(fd int, p []byte) (int, error) { return unix.Write(fd, p) }
