//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

// renameByLink is a rename that does not replace, for file systems that have
// no such call: link(2) never replaces. Where there are no hard links either
// (FAT), it looks first; between the look and the rename another process
// could still make a file of that name.
func renameByLink(dir int, from, to string) error {
	err := unix.Linkat(dir, from, dir, to, 0)
	if err == unix.EPERM || err == unix.ENOTSUP || err == unix.EOPNOTSUPP || err == unix.ENOSYS {
		return renameByLook(dir, from, to)
	}
	if err != nil {
		return err
	}
	return unix.Unlinkat(dir, from, 0)
}

func renameByLook(dir int, from, to string) error {
	var s unix.Stat_t
	switch err := unix.Fstatat(dir, to, &s, unix.AT_SYMLINK_NOFOLLOW); err {
	case nil:
		return unix.EEXIST
	case unix.ENOENT:
		return unix.Renameat(dir, from, dir, to)
	default:
		return err
	}
}
