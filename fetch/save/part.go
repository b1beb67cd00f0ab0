package save

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
)

// With Folder.Resume, a file on its way to NAME is .NAME.part, and .NAME.origin
// says what it is part of. The origin is whole before the part has a byte, and a
// part without an origin is nothing: so whenever a run ends, be it by SIGKILL, what
// the two say together is true, and how much of the file is there is the size of
// the part. Both begin with a dot, as no name derived from a URL does: another
// URL's file may well be called NAME.part.

// origin is what a part is of.
type origin struct {
	V         int    `json:"v"`     // version of this format
	Asked     string `json:"asked"` // the URL of the request
	URL       string `json:"url"`   // where it came from, after redirects, without its query
	Validator string `json:"validator"`
	Length    int64  `json:"length"` // in bytes, or -1
}

const (
	partSuffix   = ".part"
	originSuffix = ".origin"

	// originMost is more than any origin has; a head is smaller.
	originMost = 1 << 20

	// partTemp stands for the number of a temporary name where a part is.
	partTemp = -1
)

func partName(name string) string   { return "." + name + partSuffix }
func originName(name string) string { return "." + name + originSuffix }

func withoutQuery(url string) string {
	url, _, _ = strings.Cut(url, "?")
	return url
}

// mayHavePart says whether there is room for what a part's names add.
func mayHavePart(name string) bool { return len(originName(name)) <= maxComponent }

// originOf is the origin of a response; nil when nothing could be gone on with.
func (d *Folder) originOf(info *fetch.OpenInfo) *origin {
	if !d.Resume || !mayHavePart(info.Name) {
		return nil
	}
	validator := info.Validator()
	if validator == "" {
		return nil
	}
	return &origin{1, fetch.WithoutUserinfo(info.Request.URL), withoutQuery(info.URL), validator, info.Length}
}

// Continue implements [fetch.Continuer].
func (d *Folder) Continue(info fetch.OpenInfo) *fetch.Part {
	if !d.Resume || !mayHavePart(info.Name) {
		return nil
	}
	o := d.readOrigin(info.Name)
	if o == nil || o.Asked != fetch.WithoutUserinfo(info.Request.URL) {
		return nil
	}
	part, err := os.Lstat(d.Path(partName(info.Name)))
	if err != nil || !part.Mode().IsRegular() || part.Size() < 2 || o.Length >= 0 && part.Size() > o.Length {
		return nil
	}
	f := d.body()
	f.take(&info)
	f.origin, f.temp = o, partTemp
	f.size = part.Size()
	if o.Length < 0 || f.size == o.Length {
		// The run may have been killed between the last byte and the rename. The
		// last byte is asked for again, so that there is a rest to ask for.
		f.size--
	}
	return &fetch.Part{Body: f, Bytes: f.size, Length: o.Length, URL: o.URL, Validator: o.Validator}
}

// readOrigin reads what a name's part is of; nil when there is none to be
// understood.
func (d *Folder) readOrigin(name string) *origin {
	path := d.Path(originName(name))
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > originMost {
		return nil
	}
	text, err := os.ReadFile(path)
	o := new(origin)
	if err != nil || json.Unmarshal(text, o) != nil || o.V != 1 || o.Validator == "" {
		return nil
	}
	return o
}

// create makes the two files of a name, and opens the part. What an earlier run
// has left of them is not gone on with.
func (o *origin) create(files kernel.Files, dir int, name string) (fd int, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // it has nothing that JSON cannot say
	}
	fd, err = files.Create(dir, originName(name))
	if err == syscall.EEXIST {
		if err := removePart(files, dir, name); err != nil {
			return -1, err
		}
		fd, err = files.Create(dir, originName(name))
	}
	if err != nil {
		return -1, err
	}
	_, err = writeAll(files, fd, append(text, '\n'))
	if err := errors.Join(err, files.CloseFile(fd)); err != nil {
		return -1, err
	}
	fd, err = files.Create(dir, partName(name))
	if err == syscall.EEXIST {
		if err := files.Unlink(dir, partName(name)); err != nil {
			return -1, err
		}
		return files.Create(dir, partName(name))
	}
	return fd, err
}

// removePart removes the two files of a name, the part first.
func removePart(files kernel.Files, dir int, name string) error {
	if err := files.Unlink(dir, partName(name)); err != nil && err != syscall.ENOENT {
		return err
	}
	if err := files.Unlink(dir, originName(name)); err != nil && err != syscall.ENOENT {
		return err
	}
	return nil
}

// Leave implements [fetch.Leaver]: what has been written stays, if it can be
// gone on with.
func (f *file) Leave() {
	switch {
	case f.origin == nil || f.size == unknown:
		f.Discard()
	case f.besides():
		f.leaveLater()
	default:
		d := f.folder
		defer d.timed(d.clock.Now())
		if f.fd >= 0 {
			_ = d.files.CloseFile(int(f.fd))
		}
		f.end()
	}
}
