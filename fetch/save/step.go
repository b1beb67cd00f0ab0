package save

import (
	"io"
	"time"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// step is some of what a file has waiting, for a worker to carry out. The loop
// does not touch it from beginning to end.
type step struct {
	clock  kernel.Clock
	files  kernel.Files
	dir    int
	fd     int     // -1: there is none, or not yet
	temp   string  // the name to make, or to remove
	origin *origin // of a part; else nil
	made   bool    // it is there, and has
	size   int64   // so many bytes
	piece  []byte  // of the backlog, which leaves it alone
	then   ending
	final  string // the name to end with
	rename func(files kernel.Files, dir int, from, to string) error

	ran     bool
	took    time.Duration
	written int // bytes
	err     error
	unmade  bool // err is why the file could not be made, or opened again
}

// ending is what becomes of a file.
type ending uint8

const (
	goesOn  ending = iota
	closes         // once it is written, to be opened again
	commits        // once it is written
	discards
	leaves // as it is
)

// run carries it out.
func (s *step) run() {
	began := s.clock.Now()
	switch s.then {
	case discards:
		s.err = s.remove()
	case leaves:
		s.err = s.close()
	default:
		s.err = s.advance()
	}
	s.took = s.clock.Now() - began
	s.ran = true
}

func (s *step) advance() (err error) {
	if s.fd < 0 {
		if s.fd, err = s.open(); err != nil {
			s.fd, s.unmade = -1, true
			return err
		}
	}
	if s.written, err = writeAll(s.files, s.fd, s.piece); err != nil || s.then == goesOn {
		return err
	}
	if err := s.close(); err != nil || s.then == closes {
		return err
	}
	err = s.rename(s.files, s.dir, s.temp, s.final)
	if err == nil && s.origin != nil {
		_ = s.files.Unlink(s.dir, originName(s.final))
	}
	return err
}

func (s *step) close() error {
	fd := s.fd
	s.fd = -1
	return s.files.CloseFile(fd)
}

func (s *step) open() (fd int, err error) {
	switch {
	case s.made:
		return s.files.Reopen(s.dir, s.temp, s.size)
	case s.origin != nil:
		return s.origin.create(s.files, s.dir, s.final)
	}
	return s.files.Create(s.dir, s.temp)
}

func (s *step) remove() error {
	if s.fd >= 0 {
		_ = s.close()
	}
	if s.origin != nil {
		return removePart(s.files, s.dir, s.final)
	}
	return s.files.Unlink(s.dir, s.temp)
}

// writeAll writes a piece; the kernel may take less than it is offered.
func writeAll(files kernel.Files, fd int, piece []byte) (written int, err error) {
	for written < len(piece) {
		n, err := files.Write(fd, piece[written:])
		if err != nil {
			return written, err
		}
		if n == 0 {
			return written, io.ErrShortWrite
		}
		written += n
	}
	return written, nil
}
