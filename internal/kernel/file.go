//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"errors"
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

// bare takes the errno out of an error of package os.
func bare(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
