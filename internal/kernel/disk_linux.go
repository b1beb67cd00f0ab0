package kernel

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// disk says how file calls are made. A raw one spares Go's scheduler, which a
// fetch of a small file notices; but if it waits, so does the garbage collector
// and with it all else. So calls are raw only while every folder that was opened
// is on a file system that answers from memory as a rule, and the caller does
// not expect waits.
type disk struct {
	near, far bool // folders of either kind have been opened
	waits     bool
	thread    int           // which asked Delayed last
	inLine    time.Duration // how long it had been in line for a processor then
}

func (d *disk) raw() bool { return d.near && !d.far && !d.waits }

// opened is told of a folder that has been opened.
func (s *system) opened(dir int) {
	if isNear(dir) {
		s.disk.near = true
	} else {
		s.disk.far = true
	}
}

// ExpectWaits implements [Files].
func (s *system) ExpectWaits(yes bool) { s.disk.waits = yes }

// Delayed implements [Files], from the second number of the file: nanoseconds
// in line for a processor (Documentation/scheduler/sched-stats.rst of the kernel).
// A goroutine that is not locked to a thread may be on another one than the last
// time, of which nothing is known then.
func (s *system) Delayed() time.Duration {
	thread := unix.Gettid()
	text, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(thread) + "/schedstat")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	inLine, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	since := max(0, time.Duration(inLine)-s.disk.inLine)
	if thread != s.disk.thread {
		since = 0
	}
	s.disk.thread, s.disk.inLine = thread, time.Duration(inLine)
	return since
}

// isNear tells the local file systems that are known to keep what is written in
// memory first (fstatfs(2)). A file server, or a program behind FUSE, may let any
// call wait.
func isNear(dir int) bool {
	var s unix.Statfs_t
	for {
		err := unix.Fstatfs(dir, &s)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false
		}
		switch uint32(s.Type) { // s390x has it unsigned, 32-bit systems signed
		case unix.TMPFS_MAGIC, unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC,
			unix.BTRFS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
			return true
		}
		return false
	}
}

// call makes one file call until no signal interrupts it. What the arguments
// point to is kept where it is meanwhile.
//
//go:uintptrescapes
func (d *disk) call(trap, a, b, c, e, f uintptr) (n int, errno syscall.Errno) {
	for {
		var r uintptr
		if d.raw() {
			r, _, errno = unix.RawSyscall6(trap, a, b, c, e, f, 0)
		} else {
			r, _, errno = unix.Syscall6(trap, a, b, c, e, f, 0)
		}
		if errno != unix.EINTR {
			return int(r), errno
		}
	}
}

// close is not repeated after EINTR, for the reason that CloseSocket gives.
func (d *disk) close(fd int) error {
	if !d.raw() {
		return unix.Close(fd)
	}
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return failure(errno)
}
