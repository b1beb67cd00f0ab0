// Package kernel is everything the engine asks of the operating system, as one
// interface: clock, random numbers, sockets, readiness, files, and moving
// bytes between the two.
//
// [New] gives the real one. internal/sim gives a simulated one with a seed and
// a virtual clock. [Counted] and [Faulty] wrap either.
//
// Errors are the kernel's own errno values (syscall.Errno), unwrapped, so that
// a caller can compare them with ==; nothing here retries or interprets, but
// for EINTR, which is retried at once (but not by a close or a connect).
//
// A Kernel belongs to one goroutine. From others, and at any time, may be called
// Wake, Now, and the file calls with which a file is made, filled and named:
// Create, Write, Rename, Replace, Unlink and CloseFile. So a disk that takes its
// time need not hold up the loop.
package kernel

import (
	"net/netip"
	"time"

	"github.com/shoalfetch/shoal/poller"
)

// Kernel is the operating system as the engine sees it.
type Kernel interface {
	Clock
	Sockets
	Poll
	Files

	// DescriptorLimit is how many file descriptors this process may have open
	// at once (getrlimit(2) RLIMIT_NOFILE; on macOS also the smaller
	// kern.maxfilesperproc).
	DescriptorLimit() (int, error)

	// Close releases what the Kernel itself holds (the poller, a pipe). The
	// caller's descriptors are the caller's to close, before.
	Close() error
}

// Clock is time and chance.
type Clock interface {
	// Now is monotonic time since some moment before the Kernel was made.
	// It never goes back and does not jump when the wall clock is set.
	Now() time.Duration

	// Wall is the time of day, as certificates and dates in header fields mean
	// it. It jumps when somebody sets the clock.
	Wall() time.Time

	// Random is 64 random bits, good enough for names and jitter; not for keys.
	Random() uint64
}

// Sockets are the non-blocking calls for TCP, and for stream sockets of the Unix
// domain.
type Sockets interface {
	// Socket makes a non-blocking, close-on-exec stream socket for an address
	// family: syscall.AF_INET, AF_INET6 or AF_UNIX (socket(2)).
	Socket(family int) (fd int, err error)

	// SetRecvBuffer asks for a receive buffer of so many bytes (SO_RCVBUF): the
	// kernel may round, and Linux doubles it. To bound the window it must come
	// before Connect (tcp(7)).
	SetRecvBuffer(fd, bytes int) error

	// Bind makes an address of this machine the one that a socket connects from
	// (bind(2)), before Connect; the port is the kernel's choice. EADDRNOTAVAIL: it
	// is no address of this machine.
	Bind(fd int, from netip.Addr) error

	// Connect starts to connect (connect(2)). Nil: connected already.
	// EINPROGRESS: the socket becomes writable when the outcome is known.
	Connect(fd int, to netip.AddrPort) error

	// ConnectUnix connects a socket of the Unix domain to a path (unix(7)). EAGAIN:
	// the server has a full queue, nothing has begun. A path that is too long for
	// the system is EINVAL.
	ConnectUnix(fd int, path string) error

	// SocketError takes the pending error off a socket (SO_ERROR). Nil means
	// only that none is pending: a connect may still be under way, see
	// Connected.
	SocketError(fd int) error

	// Connected tells whether the socket has a peer (getpeername(2)).
	Connected(fd int) bool

	// Send hands bytes to the socket's send buffer and says how many it took,
	// which may be fewer than len(p) (send(2) with MSG_NOSIGNAL). EAGAIN: the
	// buffer is full.
	Send(fd int, p []byte) (n int, err error)

	// Recv takes what has arrived, at most len(p) bytes (recv(2)). 0 and nil:
	// the peer has sent its last byte. EAGAIN: nothing waits.
	Recv(fd int, p []byte) (n int, err error)

	// CloseSocket closes a socket. The descriptor is gone whatever the error
	// says (close(2)), and its number may be given out again at once.
	CloseSocket(fd int) error
}

// Poll is package poller's operations; its contract holds here.
type Poll interface {
	Add(fd int, token poller.Token, interest poller.Interest) error
	Modify(fd int, token poller.Token, interest poller.Interest) error
	Remove(fd int) error
	Wait(events []poller.Event, timeout time.Duration) (n int, err error)
	Wake() error
}

// Files are the calls the folder sink makes. A name is one path component,
// never "", ".", "..", or anything with a slash or NUL: passing such a name is
// a programmer's error and panics. No call but OpenDir follows a symbolic link in
// the last component.
type Files interface {
	// OpenDir opens a folder, makes it and its parents first where they are
	// missing, and returns a descriptor for the calls below. Close it with
	// CloseFile.
	OpenDir(path string) (dir int, err error)

	// ReadDir lists the names in a folder, in no order, without . and ...
	ReadDir(dir int) ([]string, error)

	// Create makes a new file for writing; EEXIST if the name is taken
	// (openat(2) with O_CREAT|O_EXCL|O_NOFOLLOW, mode 0666 less the umask).
	Create(dir int, name string) (fd int, err error)

	// Reopen opens a file that is there, to write behind its first size bytes:
	// what follows them is cut off. io.ErrUnexpectedEOF if it has fewer, EINVAL if
	// it is not a regular file (openat(2) with O_NOFOLLOW, ftruncate(2)).
	Reopen(dir int, name string, size int64) (fd int, err error)

	// Write writes at the file's position; it may take fewer bytes than given
	// (write(2)).
	Write(fd int, p []byte) (n int, err error)

	// Splice moves at most max bytes from a socket to a file's position without
	// bringing them into this process (splice(2)). 0 and nil: the peer has sent
	// its last byte. EAGAIN: nothing waits. ENOTSUP: this kernel or file system
	// cannot; nothing was moved, use Recv and Write. With a *SpliceFileError
	// the bytes had left the socket when the file refused them: they are lost.
	Splice(socket, file int, max int) (n int, err error)

	// Rename gives a file its new name; EEXIST if that is taken
	// (renameat2(2) with RENAME_NOREPLACE, or what comes nearest).
	Rename(dir int, from, to string) error

	// Replace is Rename that takes the place of a file of that name
	// (renameat(2)).
	Replace(dir int, from, to string) error

	// Unlink removes a name (unlinkat(2)).
	Unlink(dir int, name string) error

	// Lock locks a file or folder until it is closed, or the process ends;
	// EWOULDBLOCK while it is locked through another descriptor (flock(2)). On
	// file systems without locks it does nothing.
	Lock(fd int) error

	// CloseFile closes a file or folder. An error may be the report of a write
	// that failed late (close(2)); the descriptor is gone all the same.
	CloseFile(fd int) error

	// ExpectWaits tells whether file calls have lately had to wait for the disk:
	// false from the start. While they do not, a system may make them in a way
	// that costs less, and that holds up the rest of the program if one waits
	// after all. No file call may be under way meanwhile.
	ExpectWaits(yes bool)

	// Delayed is how long this thread has waited for a processor since it was
	// asked last: of the time that a slow call took, the part for which no disk
	// is to blame. 0 where the system does not tell, or another thread asked last.
	// It costs some microseconds.
	Delayed() time.Duration
}

// SpliceFileError is the error of a Splice whose bytes had left the socket when
// the file refused them.
type SpliceFileError struct{ Err error }

func (e *SpliceFileError) Error() string { return e.Err.Error() }

// Unwrap gives the errno that write would have given.
func (e *SpliceFileError) Unwrap() error { return e.Err }

// mustBeName panics unless name is one plain path component.
func mustBeName(name string) {
	if name == "" || name == "." || name == ".." {
		panic("kernel: not a file name: " + name)
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			panic("kernel: not a single path component: " + name)
		}
	}
}
