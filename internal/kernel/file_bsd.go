//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

// File calls may wait for a disk, so all of them go through Go's scheduler.

// Create implements [Files].
func (r *Real) Create(dir int, name string) (fd int, err error) {
	mustBeName(name)
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := unix.Openat(dir, name, flags, 0o666)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// Write implements [Files].
func (r *Real) Write(fd int, p []byte) (n int, err error) {
	for {
		n, err := unix.Write(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// CloseFile implements [Files].
func (r *Real) CloseFile(fd int) error { return unix.Close(fd) }

// Rename implements [Files].
func (r *Real) Rename(dir int, from, to string) error {
	mustBeName(from)
	mustBeName(to)
	return again(func() error { return renameExclusive(dir, from, to) })
}

// Replace implements [Files].
func (r *Real) Replace(dir int, from, to string) error {
	mustBeName(from)
	mustBeName(to)
	return again(func() error { return unix.Renameat(dir, from, dir, to) })
}

// Unlink implements [Files].
func (r *Real) Unlink(dir int, name string) error {
	mustBeName(name)
	return again(func() error { return unix.Unlinkat(dir, name, 0) })
}

// again makes a call until no signal interrupts it.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// Splice implements [Files]: these systems have no such call.
func (r *Real) Splice(socket, file int, max int) (n int, err error) {
	mustHaveRoom(max)
	return 0, unix.ENOTSUP
}
