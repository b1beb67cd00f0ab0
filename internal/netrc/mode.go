//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package netrc

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ModeError is a file that others than its user could read or change.
type ModeError struct {
	Path  string
	Mode  fs.FileMode
	Owner int // the user it belongs to, when that is another one; else -1
}

func (e *ModeError) Error() string {
	if e.Owner >= 0 {
		return fmt.Sprintf("%s belongs to the user with the number %d, not to you, and is not used", e.Path, e.Owner)
	}
	return fmt.Sprintf("%s has passwords, and others may read or change it (mode %04o); it is used after: chmod 600 %s", e.Path, e.Mode.Perm(), e.Path)
}

// checkMode holds that only the user can read and change a file. Root can
// anyway: that a file is root's is no harm, and to root no file is.
func checkMode(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 != 0 {
		return &ModeError{path, info.Mode(), -1}
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		panic("netrc: a file of this system has no owner")
	}
	if owner, user := int(stat.Uid), os.Geteuid(); owner != user && owner != 0 && user != 0 {
		return &ModeError{path, info.Mode(), owner}
	}
	return nil
}
