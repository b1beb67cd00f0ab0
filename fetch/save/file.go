package save

import (
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
)

// file is one body on its way to its name. Thousands may be open at once, so it
// holds little.
type file struct {
	folder *Folder
	name   string // the final one
	fd     int32  // -1: not opened yet
	temp   int32  // the number of the temporary name; 0: it has none

	resumer fetch.Resumer
	late    *backlog // nil while its calls are made on the loop
}

// createTries is how many temporary names may be taken by somebody else before
// that is an error.
const createTries = 8

// open makes the temporary file, at the first piece. That no descriptor is free
// is a shortage, and the only thing here that passes.
func (f *file) open() error {
	d := f.folder
	for try := 1; ; try++ {
		temp := d.takeTemp()
		fd, err := d.files.Create(d.dir, d.tempName(temp))
		switch {
		case err == nil:
			f.fd, f.temp = int32(fd), temp
			return nil
		case err == syscall.EEXIST && try < createTries:
			continue // not ours: neither to be written nor to be removed
		}
		d.freeTemp(temp)
		if isShortage(err) {
			return fetch.Shortage(err)
		}
		return err
	}
}

// Write implements fetch.Body.
func (f *file) Write(piece []byte) error {
	if f.besides() {
		return f.writeLater(piece)
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	if f.fd >= 0 {
		return f.writeAll(piece)
	}
	if err := f.open(); err != nil {
		d.early[f] = append(d.early[f], piece...) // a shortage: it counts as taken
		return err
	}
	if early, ok := d.early[f]; ok {
		delete(d.early, f)
		if err := f.writeAll(early); err != nil {
			return err
		}
	}
	return f.writeAll(piece)
}

func (f *file) writeAll(piece []byte) error {
	_, err := writeAll(f.folder.files, int(f.fd), piece)
	return err
}

// Splice takes bytes straight from a socket.
func (f *file) Splice(socket, most int) (int, error) {
	if f.fd < 0 || f.besides() {
		return 0, syscall.ENOTSUP // the first piece comes by Write, which opens
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	return d.files.Splice(socket, int(f.fd), most)
}

// Commit implements fetch.Body: the file gets its name.
func (f *file) Commit() error {
	if f.besides() {
		return f.commitLater()
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	if f.fd < 0 {
		if err := f.open(); err != nil {
			return err
		}
	}
	err := d.files.CloseFile(int(f.fd))
	f.fd = -1
	if err != nil {
		return err
	}
	if err := d.rename()(d.files, d.dir, d.tempName(f.temp), f.name); err != nil {
		return err
	}
	d.freeTemp(f.temp)
	f.end()
	return nil
}

// Discard implements fetch.Body: the temporary file goes. If that fails there
// is nobody to tell who could do better; its name is not used again.
func (f *file) Discard() {
	if f.besides() {
		f.discardLater()
		return
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	if f.fd >= 0 {
		_ = d.files.CloseFile(int(f.fd))
	}
	if f.temp != 0 && d.files.Unlink(d.dir, d.tempName(f.temp)) == nil {
		d.freeTemp(f.temp)
	}
	f.end()
}

// end gives the body back to its folder.
func (f *file) end() {
	d := f.folder
	delete(d.early, f)
	*f = file{folder: d, fd: -1}
	d.spare = append(d.spare, f)
}
