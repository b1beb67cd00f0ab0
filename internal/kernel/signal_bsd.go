//go:build freebsd || netbsd || openbsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

// noSignal has nothing to do here: each send asks for no SIGPIPE.
func noSignal(int) error { return nil }

func send(fd int, p []byte) (int, error) {
	return unix.SendmsgN(fd, p, nil, nil, unix.MSG_NOSIGNAL)
}
