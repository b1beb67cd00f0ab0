package save

import (
	"errors"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
)

// file is one body on its way to its name. Thousands may be open at once, so it
// holds little.
type file struct {
	folder *Folder
	name   string // the final one
	fd     int32  // -1: not opened yet
	temp   int32  // the number of the temporary name, or partTemp; 0: it has none
	over   bool   // replaces a file of its name
	size   int64  // bytes written; unknown once a write has failed

	origin  *origin // nil: it is nothing for another run
	resumer fetch.Resumer
	late    *backlog // nil while its calls are made on the loop
}

// take takes from what the engine tells of a body what it needs.
func (f *file) take(info *fetch.OpenInfo) {
	d := f.folder
	f.name, f.resumer = info.Name, info.Resumer
	f.over = d.only != "" || d.Overwrite || info.Request.Replace
}

// rename is the call that gives the body its final name.
func (f *file) rename() func(files kernel.Files, dir int, from, to string) error {
	if f.over {
		return kernel.Files.Replace
	}
	return kernel.Files.Rename
}

// createTries is how many temporary names may be taken by somebody else before
// that is an error.
const createTries = 8

// open makes the temporary file, at the first piece. That no descriptor is free
// is a shortage, and the only thing here that passes.
func (f *file) open() error {
	d := f.folder
	if f.origin != nil {
		return f.openPart()
	}
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

// openPart makes the file where another run would look for it.
func (f *file) openPart() error {
	d := f.folder
	fd, err := f.origin.create(d.files, d.dir, f.name)
	if isShortage(err) {
		return fetch.Shortage(err)
	}
	if err == nil {
		f.fd, f.temp = int32(fd), partTemp
	}
	return err
}

// tempName is the name that the file has before it has its final one.
func (f *file) tempName() string {
	if f.origin != nil {
		return partName(f.name)
	}
	return f.folder.tempName(f.temp)
}

// unknown is the size of a file that has bytes nobody has counted, or lacks some.
const unknown = -1

var errUnknown = errors.New("how much of the file is there is not known")

// reopen opens the file again after Keep, behind what has been written.
func (f *file) reopen() error {
	d := f.folder
	fd, err := d.files.Reopen(d.dir, f.tempName(), f.size)
	if isShortage(err) {
		return fetch.Shortage(err)
	}
	f.fd = int32(fd)
	return err
}

// ready sees to it that the file is open.
func (f *file) ready() error {
	switch {
	case f.fd >= 0:
		return nil
	case f.temp != 0:
		return f.reopen()
	}
	return f.open()
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
	if err := f.ready(); err != nil {
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
	n, err := writeAll(f.folder.files, int(f.fd), piece)
	f.count(n, err)
	return err
}

// count takes in what a write has come to. On a disk that is full it wrote as
// much as there was room for.
func (f *file) count(n int, err error) {
	switch {
	case err != nil && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT):
		f.size = unknown
	case f.size != unknown:
		f.size += int64(n)
	}
}

// Splice takes bytes straight from a socket.
func (f *file) Splice(socket, most int) (int, error) {
	if f.fd < 0 || f.besides() {
		return 0, syscall.ENOTSUP // the first piece comes by Write, which opens
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	n, err := d.files.Splice(socket, int(f.fd), most)
	if _, lost := errors.AsType[*kernel.SpliceFileError](err); lost {
		f.size = unknown
	} else {
		f.count(n, nil)
	}
	return n, err
}

// Keep implements fetch.Keeper: the file is closed, and opened again by its name
// when more comes.
func (f *file) Keep() error {
	if f.besides() {
		return f.keepLater()
	}
	if f.fd < 0 || f.size == unknown {
		return errUnknown
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	err := d.files.CloseFile(int(f.fd))
	f.fd = -1
	return err
}

// Commit implements fetch.Body: the file gets its name.
func (f *file) Commit() error {
	if f.besides() {
		return f.commitLater()
	}
	d := f.folder
	defer d.timed(d.clock.Now())
	if err := f.ready(); err != nil {
		return err
	}
	err := d.files.CloseFile(int(f.fd))
	f.fd = -1
	if err != nil {
		return err
	}
	if err := f.rename()(d.files, d.dir, f.tempName(), f.name); err != nil {
		return err
	}
	if f.origin != nil {
		_ = d.files.Unlink(d.dir, originName(f.name)) // without a part it means nothing
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
	switch {
	case f.temp == partTemp:
		_ = removePart(d.files, d.dir, f.name)
	case f.temp != 0 && d.files.Unlink(d.dir, f.tempName()) == nil:
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
