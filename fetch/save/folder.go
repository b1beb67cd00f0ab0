// Package save keeps what is fetched as files in a folder.
//
// A file appears under its final name only when it is complete: until then it
// has a temporary name in the same folder, and the rename that ends it replaces
// nothing that came there meanwhile. Names are derived from URLs (see name.go
// for the rules), given out in the order of the input, and never lead out of
// the folder. A name that was there before the run is skipped, not overwritten.
package save

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
)

// Folder is a fetch.Sink that writes one file per fetch. It belongs to one
// Fetcher, which opens the folder in New and closes it in Close. For more
// Fetchers that save into the same folder, see [Branch].
type Folder struct {
	// Overwrite replaces a file that was there before the run, once its new
	// content is complete, where otherwise the fetch would be skipped. It is set
	// before the Fetcher is made.
	Overwrite bool

	// IsOther says whether a file that was there before the run is known to be
	// another URL's: then the request's name gets a number. Nil: none is. It is
	// called by Reserve, and set before the Fetcher is made.
	IsOther func(r *fetch.Request, name string) bool

	// Resume keeps what has come of a file that was not finished, whatever ended
	// the run, and goes on with it when its URL is fetched again with Resume: see
	// part.go for where it is. One run at a time may have it in a folder. It is set
	// before the Fetcher is made.
	Resume bool

	path    string
	only    string // File: the one name there is, which replaces; else empty
	given   bool   // File: and it has been given out
	clock   kernel.Clock
	files   kernel.Files
	disk    disk
	queue   queue
	dir     int
	taken   *taken
	tempTag string           // what temporary names of this run begin with
	temps   []string         // temporary names, by number
	free    []int32          // numbers of those that are free again
	spare   []*file          // bodies that have ended
	early   map[*file][]byte // what came for bodies whose file could not be opened yet
}

// Dir saves into a folder, under names derived from the URLs. The folder and
// its parents are made where they are missing.
func Dir(path string) *Folder {
	return &Folder{path: path}
}

// File saves the one fetch of a run as one file, and replaces a regular file
// of that name.
func File(path string) *Folder {
	return &Folder{path: filepath.Dir(path), only: filepath.Base(path)}
}

// Path is where a name that a Result carries stands, as given to Dir or File.
func (d *Folder) Path(name string) string { return filepath.Join(d.path, name) }

// Attach opens the folder, through the kernel of the Fetcher. It reads once
// which names are there, so that no fetch has to ask. beside may be nil where
// nothing but names is asked for.
func (d *Folder) Attach(k kernel.Kernel, beside func(work, done func())) error {
	if err := d.open(k, beside); err != nil {
		return err
	}
	if err := d.lock(); err != nil {
		d.Detach()
		return err
	}
	if d.only != "" {
		return nil
	}
	names, err := k.ReadDir(d.dir)
	if err != nil {
		d.Detach()
		return fmt.Errorf("folder %s: %w", d.path, err)
	}
	d.taken = newTaken()
	for _, name := range names {
		d.taken.found(name)
	}
	d.removeStale(names)
	if d.Resume {
		d.removeOrphans(names)
	}
	return nil
}

// open opens the folder, whatever names are in it.
func (d *Folder) open(k kernel.Kernel, beside func(work, done func())) error {
	if err := d.checkOnly(); err != nil {
		return err
	}
	dir, err := k.OpenDir(d.path)
	if err != nil {
		return fmt.Errorf("folder %s: %w", d.path, err)
	}
	d.clock, d.files, d.dir = k, k, dir
	d.disk, d.queue = disk{}, queue{beside: beside, removing: map[string]*backlog{}}
	d.early = map[*file][]byte{}
	_ = k.Delayed() // what has been is no concern of ours
	d.tempTag = tempPrefix + strconv.FormatUint(k.Random()>>32, 36) + "-"
	d.temps, d.free = nil, nil
	return nil
}

// lock keeps other runs from going on with the same parts.
func (d *Folder) lock() error {
	if !d.Resume {
		return nil
	}
	err := d.files.Lock(d.dir)
	if err == syscall.EWOULDBLOCK {
		return fmt.Errorf("folder %s: another run that resumes what was left is saving into it", d.path)
	}
	return err
}

// checkOnly refuses to put a regular file in the place of something else.
func (d *Folder) checkOnly() error {
	if d.only == "" {
		return nil
	}
	if d.only == "." || d.only == ".." || d.only == string(filepath.Separator) {
		return fmt.Errorf("%s is a folder, not a file to save as", d.Path(d.only))
	}
	info, err := os.Lstat(d.Path(d.only))
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is there and is not a regular file", d.Path(d.only))
	}
	return nil
}

// Detach carries out what still waits for the disk, and closes the folder.
func (d *Folder) Detach() {
	d.finish()
	_ = d.files.CloseFile(d.dir)
}

// Reserve implements fetch.Reserver: it gives the request its name, or says
// that a file of that name was there before the run. A Request.Name stands in
// the place of what would be derived from the URL; it is made safe by the same
// rules, so it cannot lead out of the folder either.
func (d *Folder) Reserve(r *fetch.Request) (string, error) {
	if d.only != "" {
		if d.given {
			return "", fmt.Errorf("%s is the place of one file, and already given to another URL", d.Path(d.only))
		}
		d.given = true
		return d.only, nil
	}
	name, existed := d.reserve(r)
	if existed && !d.Overwrite && !r.Replace {
		return name, fetch.ErrSkip
	}
	return name, nil
}

func (d *Folder) reserve(r *fetch.Request) (name string, existed bool) {
	if d.IsOther == nil {
		return d.taken.reserve(wantedName(r))
	}
	return d.taken.reserveBut(wantedName(r), func(name string) bool { return d.IsOther(r, name) })
}

func wantedName(r *fetch.Request) string {
	if r.Name != "" {
		return safeName(r.Name, maxComponent)
	}
	return nameFor(r.URL)
}

// Open implements fetch.Sink. It makes no system call: the file is opened when
// its first piece is there.
func (d *Folder) Open(info fetch.OpenInfo) (fetch.Body, error) {
	f := d.body()
	f.take(&info)
	f.origin = d.originOf(&info)
	return f, nil
}

// body gives a file that has not been opened.
func (d *Folder) body() *file {
	if n := len(d.spare); n > 0 {
		f := d.spare[n-1]
		d.spare = d.spare[:n-1]
		return f
	}
	return &file{folder: d, fd: -1}
}

// takeTemp gives the number of a temporary name that no other body has. Numbers
// go round, so that there are only as many as files were ever open at once.
func (d *Folder) takeTemp() int32 {
	if n := len(d.free); n > 0 {
		temp := d.free[n-1]
		d.free = d.free[:n-1]
		return temp
	}
	d.temps = append(d.temps, d.tempTag+strconv.Itoa(1+len(d.temps)))
	return int32(len(d.temps))
}

func (d *Folder) freeTemp(temp int32) {
	if temp > 0 {
		d.free = append(d.free, temp)
	}
}

// tempName is short, random for each run, and begins with a dot, as no name
// derived from a URL does.
func (d *Folder) tempName(temp int32) string { return d.temps[temp-1] }
