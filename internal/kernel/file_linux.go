package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Create implements [Files].
func (r *Real) Create(dir int, name string) (fd int, err error) {
	names := r.names.take()
	defer r.names.give(names)
	if err := names[0].set(name); err != nil {
		return -1, err
	}
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_LARGEFILE
	n, errno := r.disk.call(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&names[0])), flags, 0o666, 0)
	if errno != 0 {
		return -1, errno
	}
	return n, nil
}

// Write implements [Files].
func (r *Real) Write(fd int, p []byte) (n int, err error) {
	n, errno := r.disk.call(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// CloseFile implements [Files].
func (r *Real) CloseFile(fd int) error { return r.disk.close(fd) }

// Rename implements [Files]. EINVAL is how a file system says that it does not
// know RENAME_NOREPLACE, ENOSYS how a sandbox does (renameat2(2)).
func (r *Real) Rename(dir int, from, to string) error {
	err := r.rename(dir, from, to, unix.RENAME_NOREPLACE)
	if err == unix.EINVAL || err == unix.ENOSYS {
		return renameByLink(dir, from, to)
	}
	return err
}

// Replace implements [Files].
func (r *Real) Replace(dir int, from, to string) error {
	return r.rename(dir, from, to, 0)
}

// rename is renameat2(2), the one rename that every architecture has.
func (r *Real) rename(dir int, from, to string, flags uintptr) error {
	names := r.names.take()
	defer r.names.give(names)
	if err := names[0].set(from); err != nil {
		return err
	}
	if err := names[1].set(to); err != nil {
		return err
	}
	_, errno := r.disk.call(unix.SYS_RENAMEAT2,
		uintptr(dir), uintptr(unsafe.Pointer(&names[0])),
		uintptr(dir), uintptr(unsafe.Pointer(&names[1])), flags)
	return failure(errno)
}

// Unlink implements [Files].
func (r *Real) Unlink(dir int, name string) error {
	names := r.names.take()
	defer r.names.give(names)
	if err := names[0].set(name); err != nil {
		return err
	}
	_, errno := r.disk.call(unix.SYS_UNLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&names[0])), 0, 0, 0)
	return failure(errno)
}
