package sim

import (
	"fmt"
	"syscall"

	"github.com/shoalfetch/shoal/poller"
)

// descriptor is one place in the table. At most one of the pointers is set;
// none: the number is free.
type descriptor struct {
	socket *socket
	file   *file
	folder *folder

	watched  bool
	token    poller.Token
	interest poller.Interest
	place    int // in Kernel.watched
}

func (d *descriptor) free() bool {
	return d.socket == nil && d.file == nil && d.folder == nil
}

func (d *descriptor) String() string {
	switch {
	case d.socket != nil:
		return d.socket.String()
	case d.file != nil:
		return d.file.String()
	case d.folder != nil:
		return "folder " + d.folder.path
	}
	return "free"
}

// open puts d at the lowest free number, as POSIX requires of every call that
// makes a descriptor (open(2)).
func (k *Kernel) open(d descriptor) (int, error) {
	fd := k.firstFree
	for fd < len(k.fds) && !k.fds[fd].free() {
		fd++
	}
	if fd >= k.Limit {
		return -1, syscall.EMFILE
	}
	if fd == len(k.fds) {
		k.fds = append(k.fds, descriptor{})
	}
	k.fds[fd] = d
	k.firstFree = fd + 1
	return fd, nil
}

// drop frees a number. A descriptor still in the poller is a violation
// (package poller's contract, 6).
func (k *Kernel) drop(c call, fd int) {
	if k.fds[fd].watched {
		k.violate("%s of %d, %v, while it is in the poller", c, fd, &k.fds[fd])
		k.unwatch(fd)
	}
	k.fds[fd] = descriptor{}
	k.firstFree = min(k.firstFree, fd)
}

// descriptor finds an open one. Anything else is a violation, and nil.
func (k *Kernel) descriptor(c call, fd int) *descriptor {
	if fd < firstDescriptor || fd >= len(k.fds) || k.fds[fd].free() {
		k.violate("%s with descriptor %d, which is not open", c, fd)
		return nil
	}
	return &k.fds[fd]
}

// socket finds an open socket; else a violation, and nil.
func (k *Kernel) socket(c call, fd int) *socket {
	d := k.descriptor(c, fd)
	if d == nil {
		return nil
	}
	if d.socket == nil {
		k.violate("%s with descriptor %d, which is no socket but %v", c, fd, d)
	}
	return d.socket
}

// folder finds an open folder; else a violation, and nil.
func (k *Kernel) folder(c call, fd int) *folder {
	d := k.descriptor(c, fd)
	if d == nil {
		return nil
	}
	if d.folder == nil {
		k.violate("%s with descriptor %d, which is no folder but %v", c, fd, d)
	}
	return d.folder
}

// file finds an open file; else a violation, and nil.
func (k *Kernel) file(c call, fd int) *file {
	d := k.descriptor(c, fd)
	if d == nil {
		return nil
	}
	if d.file == nil {
		k.violate("%s with descriptor %d, which is no file but %v", c, fd, d)
	}
	return d.file
}

// Open describes each open descriptor, by number: empty when nothing leaked.
func (k *Kernel) Open() []string {
	var open []string
	for fd := firstDescriptor; fd < len(k.fds); fd++ {
		if !k.fds[fd].free() {
			open = append(open, fmt.Sprintf("%d %v", fd, &k.fds[fd]))
		}
	}
	return open
}
