//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenDir implements [Files]. A symbolic link to a folder will do.
func (r *Real) OpenDir(path string) (dir int, err error) {
	dir, err = openFolder(unix.AT_FDCWD, path)
	if err == unix.ENOENT {
		if err := os.MkdirAll(path, 0o777); err != nil {
			return -1, bare(err)
		}
		dir, err = openFolder(unix.AT_FDCWD, path)
	}
	if err == nil {
		r.system.opened(dir)
	}
	return dir, err
}

func openFolder(dir int, path string) (int, error) {
	for {
		fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// ReadDir implements [Files]. It opens the folder once more, by the name it
// has within itself: a duplicate would share the position in the list with the
// caller's descriptor.
func (r *Real) ReadDir(dir int) ([]string, error) {
	fd, err := openFolder(dir, ".")
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), ".")
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, bare(err)
	}
	return names, nil
}

// Reopen implements [Files].
func (r *Real) Reopen(dir int, name string, size int64) (fd int, err error) {
	mustBeName(name)
	for {
		// With O_NONBLOCK, what is no file keeps nobody waiting.
		fd, err = unix.Openat(dir, name, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return -1, err
	}
	if err := cutTo(fd, size); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// cutTo leaves the first size bytes of a file, and its position behind them.
// O_APPEND would not do: splice(2) refuses it.
func cutTo(fd int, size int64) error {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return err
	}
	switch {
	case s.Mode&unix.S_IFMT != unix.S_IFREG:
		return unix.EINVAL
	case s.Size < size:
		return io.ErrUnexpectedEOF
	case s.Size > size:
		if err := unix.Ftruncate(fd, size); err != nil {
			return err
		}
	}
	_, err := unix.Seek(fd, size, io.SeekStart)
	return err
}

// Lock implements [Files].
func (r *Real) Lock(fd int) error {
	for {
		switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err {
		case unix.EINTR:
		case unix.ENOSYS, unix.EOPNOTSUPP, unix.ENOLCK:
			return nil
		default:
			return err
		}
	}
}

// bare takes the errno out of an error of package os.
func bare(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
