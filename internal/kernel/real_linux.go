package kernel

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// system is what Real holds on Linux besides the poller.
type system struct {
	names names // of the file calls under way
	disk  disk  // whether file calls are raw
	pipe  pipe  // Splice's
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

// names keeps room for the names of file calls, of which several may be under
// way.
type names struct {
	mu   sync.Mutex
	free []*[2]cname
}

// take gives room for the names of one call; give takes it back.
func (n *names) take() *[2]cname {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := len(n.free) - 1
	if last < 0 {
		return new([2]cname)
	}
	room := n.free[last]
	n.free = n.free[:last]
	return room
}

func (n *names) give(room *[2]cname) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free = append(n.free, room)
}

// set puts a name in. ENAMETOOLONG: it has more than 255 bytes.
func (c *cname) set(name string) error {
	mustBeName(name)
	if len(name) >= len(c) {
		return unix.ENAMETOOLONG
	}
	c[copy(c[:], name)] = 0
	return nil
}
