//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package state

import (
	"errors"
	"os"
	"syscall"
)

// openLocked opens the file of that name, or makes it, and locks it. A run that
// ends, however it ends, unlocks it (flock(2)). Until the lock was ours, another
// run may have put a new file in the place of the one that was opened.
func openLocked(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := lock(file); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		same, err := isNamed(file, path)
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if same {
			return file, nil
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
}

// isNamed says whether the open file is a regular one and still has that name.
func isNamed(file *os.File, path string) (bool, error) {
	open, err := file.Stat()
	if err != nil {
		return false, err
	}
	if !open.Mode().IsRegular() {
		return false, errors.New("not a state file: it is not a regular file")
	}
	named, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(open, named), err
}

// lock locks a file for this process, or returns ErrLocked. Some network file
// systems have no locks: there nothing keeps two runs apart, and one alone does
// as well as anywhere.
func lock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch err {
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return ErrLocked
		case syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOLCK:
			return nil
		default:
			return err
		}
	}
}
