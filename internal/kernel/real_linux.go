package kernel

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// system is what Real holds on Linux besides the poller.
type system struct {
	names [2]cname // scratch: the names of the file call under way
	disk  disk     // whether file calls are raw
	pipe  pipe     // Splice's
}

func (s *system) close() { s.pipe.close() }

// systemLimit has nothing to add on Linux: getrlimit(2) says it all.
func systemLimit(limit int) int { return limit }

// failure is an errno as an error. Converting one does not allocate: the
// runtime keeps the small integers ready.
func failure(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// count is the outcome of a call that returns a number of bytes.
func count(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// cname is a file name as the kernel takes it: ended by a NUL.
type cname [unix.NAME_MAX + 1]byte

// set puts a name in. ENAMETOOLONG: it has more than 255 bytes.
func (c *cname) set(name string) error {
	mustBeName(name)
	if len(name) >= len(c) {
		return unix.ENAMETOOLONG
	}
	c[copy(c[:], name)] = 0
	return nil
}
