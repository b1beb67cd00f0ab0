package kernel

import "golang.org/x/sys/unix"

// renameExclusive is a rename that does not replace. ENOTSUP is how a file
// system says that it does not know RENAME_EXCL (renameatx_np(2)).
func renameExclusive(dir int, from, to string) error {
	err := unix.RenameatxNp(dir, from, dir, to, unix.RENAME_EXCL)
	if err == unix.ENOTSUP {
		return renameByLink(dir, from, to)
	}
	return err
}
