package save

import (
	"errors"
	"io"
	"syscall"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// file is one body on its way to its name.
type file struct {
	folder *Folder
	early  *[]byte // pieces that came while no descriptor was free; else nil
	name   string  // the final one
	temp   string  // the one it has meanwhile
	fd     int     // -1: not opened yet
}

// createTries is how many temporary names may be taken by somebody else before
// that is an error.
const createTries = 8

// open makes the temporary file, at the first piece.
func (f *file) open() (err error) {
	d := f.folder
	for range createTries {
		temp := d.temp()
		f.fd, err = d.files.Create(d.dir, temp)
		switch err {
		case nil:
			f.temp = temp
			return nil
		case syscall.EEXIST:
			continue // not ours: neither to be written nor to be removed
		}
		d.temps = append(d.temps, temp)
		f.fd = -1
		return err
	}
	f.fd = -1
	return err
}

// Write implements fetch.Body.
func (f *file) Write(piece []byte) error {
	if f.fd >= 0 {
		return f.writeAll(piece)
	}
	if err := f.open(); err != nil {
		if isShortage(err) {
			f.keep(piece)
		}
		return err
	}
	if f.early != nil {
		early := *f.early
		f.early = nil
		if err := f.writeAll(early); err != nil {
			return err
		}
	}
	return f.writeAll(piece)
}

// keep holds a piece until there is a file to write it to.
func (f *file) keep(piece []byte) {
	if f.early == nil {
		f.early = new([]byte)
	}
	*f.early = append(*f.early, piece...)
}

// writeAll writes a piece; the kernel may take less than it is offered.
func (f *file) writeAll(piece []byte) error {
	for len(piece) > 0 {
		n, err := f.folder.files.Write(f.fd, piece)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		piece = piece[n:]
	}
	return nil
}

// Splice takes bytes straight from a socket.
func (f *file) Splice(socket, most int) (int, error) {
	if f.fd < 0 {
		if err := f.open(); isShortage(err) {
			return 0, syscall.ENOTSUP // Write will say so, and be asked again
		} else if err != nil {
			return 0, &kernel.SpliceFileError{Err: err}
		}
	}
	return f.folder.files.Splice(socket, f.fd, most)
}

// Commit implements fetch.Body: the file gets its name.
func (f *file) Commit() error {
	if f.fd < 0 {
		if err := f.open(); isShortage(err) {
			return err
		} else if err != nil {
			f.free()
			return err
		}
	}
	d := f.folder
	err := d.files.CloseFile(f.fd)
	f.fd = -1
	if err == nil {
		err = f.rename()
	}
	if err != nil {
		f.Discard()
		return err
	}
	d.temps = append(d.temps, f.temp)
	f.free()
	return nil
}

func (f *file) rename() error {
	d := f.folder
	if d.only != "" {
		return d.files.Replace(d.dir, f.temp, f.name)
	}
	return d.files.Rename(d.dir, f.temp, f.name)
}

// Discard implements fetch.Body: the temporary file goes. If that fails there
// is nobody to tell who could do better; its name is not used again.
func (f *file) Discard() {
	d := f.folder
	if f.fd >= 0 {
		_ = d.files.CloseFile(f.fd)
	}
	if f.temp != "" && d.files.Unlink(d.dir, f.temp) == nil {
		d.temps = append(d.temps, f.temp)
	}
	f.free()
}

// free gives the body back to its folder.
func (f *file) free() {
	*f = file{folder: f.folder, fd: -1}
	f.folder.spare = append(f.folder.spare, f)
}

// isShortage tells the errors after which a file may be opened a little later
// (open(2)).
func isShortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
