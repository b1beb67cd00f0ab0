package kernel

import (
	"golang.org/x/sys/unix"
)

// pipeSize is what the pipe is enlarged to where the system allows it: the
// highest that an unprivileged process may have (pipe(7),
// /proc/sys/fs/pipe-max-size).
const pipeSize = 1 << 20

// pipe is the detour that splice(2) makes bytes take between a socket and a
// file. It is made at the first use, and empty between two calls of Splice.
type pipe struct {
	made    bool
	out, in int    // its read end and its write end
	buffer  []byte // for files that cannot be spliced to
}

func (p *pipe) open() error {
	if p.made {
		return nil
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	p.out, p.in, p.made = ends[0], ends[1], true
	unix.FcntlInt(uintptr(p.in), unix.F_SETPIPE_SZ, pipeSize)
	return nil
}

func (p *pipe) close() {
	if p.made {
		unix.Close(p.out)
		unix.Close(p.in)
		p.made = false
	}
}

// Splice implements [Files]. Without a pipe to be had it is ENOTSUP too. With
// a *SpliceFileError, n is how many bytes did reach the file.
func (r *Real) Splice(socket, file int, max int) (n int, err error) {
	mustHaveRoom(max)
	if err := r.pipe.open(); err != nil {
		return 0, unix.ENOTSUP
	}
	taken, err := r.pipe.fill(socket, max)
	if err != nil || taken == 0 {
		return 0, err
	}
	n, err = r.pipe.empty(&r.disk, file, taken)
	if err != nil {
		r.pipe.close() // with what is left in it; the next Splice makes another
		return n, &SpliceFileError{err}
	}
	return n, nil
}

// fill is the socket's half. Socket and empty pipe are both ready or say
// EAGAIN, so the call is raw, as in socket_linux.go.
func (p *pipe) fill(socket, max int) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SPLICE, uintptr(socket), 0, uintptr(p.in), 0,
			uintptr(max), unix.SPLICE_F_NONBLOCK)
		switch errno {
		case unix.EINTR:
		case unix.EINVAL, unix.ENOSYS:
			return 0, unix.ENOTSUP
		default:
			return count(n, errno)
		}
	}
}

// empty is the file's half: a file call like others, which may wait for the disk.
// It goes on until all is through. EINVAL is how a file system says that it cannot
// be spliced to; the bytes have left the socket by then, so they are written
// instead. No flag is set: SPLICE_F_MOVE does nothing (splice(2)).
func (p *pipe) empty(d *disk, file, left int) (done int, err error) {
	for left > 0 {
		n, errno := d.call(unix.SYS_SPLICE, uintptr(p.out), 0, uintptr(file), 0, uintptr(left))
		switch {
		case errno == unix.EINVAL:
			n, err := p.copy(file, left)
			return done + n, err
		case errno != 0:
			return done, errno
		case n == 0:
			return done, unix.EIO // a pipe with bytes in it has no end
		}
		done += n
		left -= n
	}
	return done, nil
}

// copy empties the pipe by way of this process.
func (p *pipe) copy(file, left int) (done int, err error) {
	if p.buffer == nil {
		p.buffer = make([]byte, 64<<10)
	}
	for left > 0 {
		n, err := unix.Read(p.out, p.buffer[:min(left, len(p.buffer))])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		written, err := writeAll(file, p.buffer[:n])
		done += written
		if err != nil {
			return done, err
		}
		left -= n
	}
	return done, nil
}

func writeAll(file int, p []byte) (done int, err error) {
	for done < len(p) {
		n, err := unix.Write(file, p[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}
