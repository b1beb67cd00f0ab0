package sim

import (
	"io"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// ExpectWaits implements kernel.Files: all file calls are made alike here.
func (k *Kernel) ExpectWaits(bool) {}

// Delayed implements kernel.Files: there is always a processor.
func (k *Kernel) Delayed() time.Duration { return 0 }

// OpenDir implements kernel.Files.
func (k *Kernel) OpenDir(dir string) (int, error) {
	k.enter(callOpenDir)
	if parent := k.folders[path.Dir(path.Clean(dir))]; parent != nil && parent.names[path.Base(dir)] != nil {
		return k.opened(callOpenDir, -1, syscall.ENOTDIR, dir)
	}
	fd, err := k.open(descriptor{folder: k.mkdir(dir)})
	return k.opened(callOpenDir, fd, err, dir)
}

// ReadDir implements kernel.Files.
func (k *Kernel) ReadDir(dir int) ([]string, error) {
	k.enter(callReadDir)
	d := k.folder(callReadDir, dir)
	if d == nil {
		return nil, syscall.EBADF
	}
	names := d.sorted()
	if k.chance(k.chaos.ShuffleFolder) {
		k.dice.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	k.note(callReadDir, dir, len(names), 0, nil, "")
	return names, nil
}

// Create implements kernel.Files.
func (k *Kernel) Create(dir int, name string) (int, error) {
	k.enter(callCreate)
	d := k.folder(callCreate, dir)
	if d == nil {
		return -1, syscall.EBADF
	}
	if err := k.creatable(d, name); err != nil {
		return k.opened(callCreate, -1, err, name)
	}
	n := &inode{}
	fd, err := k.open(descriptor{file: &file{n, name}})
	if err == nil {
		d.names[name] = n
	}
	return k.opened(callCreate, fd, err, name)
}

// Reopen implements kernel.Files.
func (k *Kernel) Reopen(dir int, name string, size int64) (int, error) {
	k.enter(callReopen)
	d := k.folder(callReopen, dir)
	if d == nil {
		return -1, syscall.EBADF
	}
	n := d.names[name]
	if err := k.reopenable(n, name, size); err != nil {
		return k.opened(callReopen, -1, err, name)
	}
	fd, err := k.open(descriptor{file: &file{n, name}})
	if err == nil {
		n.data = n.data[:size]
	}
	return k.opened(callReopen, fd, err, name)
}

// reopenable tells why a file cannot be gone on with.
func (k *Kernel) reopenable(n *inode, name string, size int64) error {
	if err := k.nameable(callReopen, name); err != nil {
		return err
	}
	switch {
	case k.under(spellNoDescriptors, k.chaos.NoDescriptors):
		return k.noDescriptors()
	case n == nil:
		return syscall.ENOENT
	case int64(len(n.data)) < size:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Lock implements kernel.Files: there is no other process here.
func (k *Kernel) Lock(fd int) error {
	if k.descriptor(callOpenDir, fd) == nil {
		return syscall.EBADF
	}
	return nil
}

// creatable tells why a file cannot be made.
func (k *Kernel) creatable(d *folder, name string) error {
	if err := k.nameable(callCreate, name); err != nil {
		return err
	}
	switch {
	case k.under(spellNoDescriptors, k.chaos.NoDescriptors):
		return k.noDescriptors()
	case k.under(spellNoSpace, k.chaos.NoSpace):
		return syscall.ENOSPC
	}
	return k.taken(d, name)
}

// taken tells whether a name is, and may have another process take it first.
func (k *Kernel) taken(d *folder, name string) error {
	if d.names[name] == nil && k.chance(k.chaos.NameTaken) {
		d.names[name] = &inode{data: []byte(Foreign)}
	}
	if d.names[name] != nil {
		return syscall.EEXIST
	}
	return nil
}

// nameable checks a name: one plain path component of at most 255 bytes.
func (k *Kernel) nameable(c call, name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		k.violate("%s of %q, which is not one plain path component", c, name)
		return syscall.EINVAL
	}
	if len(name) > 255 {
		return syscall.ENAMETOOLONG
	}
	return nil
}

// Write implements kernel.Files.
func (k *Kernel) Write(fd int, p []byte) (int, error) {
	k.enter(callWrite)
	f := k.writable(callWrite, fd)
	if f == nil {
		return 0, syscall.EBADF
	}
	n, err := 0, k.refusal(f)
	if err == nil {
		n = k.shortened(len(p), k.chaos.ShortDisk)
		f.data = append(f.data, p[:n]...)
		k.counts.Written += uint64(n)
	}
	k.note(callWrite, fd, n, checksum(p[:n]), err, "")
	return n, err
}

// writable finds an open file that may be written to; else a violation, and nil.
func (k *Kernel) writable(c call, fd int) *file {
	f := k.file(c, fd)
	if f != nil && f.fixed != "" {
		k.violate("%s to %d, %v, after it was %s", c, fd, f, f.fixed)
		return nil
	}
	return f
}

// refusal is why the disk takes nothing, if so.
func (k *Kernel) refusal(f *file) error {
	switch {
	case k.under(spellNoSpace, k.chaos.NoSpace):
		return syscall.ENOSPC
	case k.chance(k.chaos.WriteFails):
		f.damaged = "a write failed"
		return syscall.EIO
	}
	return nil
}

// Splice implements kernel.Files.
func (k *Kernel) Splice(socket, file, max int) (int, error) {
	k.enter(callSplice)
	f := k.writable(callSplice, file)
	s := k.talking(callSplice, socket, max)
	if f == nil || s == nil {
		return 0, syscall.EBADF
	}
	n, err := 0, error(syscall.ENOTSUP)
	if !k.NoSplice {
		n, err = k.splice(s, f, max)
	}
	k.note(callSplice, socket, n, int64(file), err, "")
	return n, err
}

func (k *Kernel) splice(s *socket, f *file, max int) (int, error) {
	n, err := k.arrived(s, max)
	if err != nil || n == 0 {
		return 0, err
	}
	p := make([]byte, n)
	s.in.read(p)
	s.conn.read()
	k.counts.Received += uint64(n)
	if err := k.refusal(f); err != nil {
		f.damaged = "a splice lost bytes"
		return 0, &kernel.SpliceFileError{Err: err}
	}
	f.data = append(f.data, p...)
	k.counts.Written += uint64(n)
	return n, nil
}

// Rename implements kernel.Files.
func (k *Kernel) Rename(dir int, from, to string) error {
	return k.rename(callRename, dir, from, to)
}

// Replace implements kernel.Files.
func (k *Kernel) Replace(dir int, from, to string) error {
	return k.rename(callReplace, dir, from, to)
}

func (k *Kernel) rename(c call, dir int, from, to string) error {
	k.enter(c)
	d := k.folder(c, dir)
	if d == nil {
		return syscall.EBADF
	}
	err := k.move(c, d, from, to)
	k.note(c, dir, 0, 0, err, from+" "+to)
	return err
}

func (k *Kernel) move(c call, d *folder, from, to string) error {
	if err := k.nameable(c, from); err != nil {
		return err
	}
	if err := k.nameable(c, to); err != nil {
		return err
	}
	n := d.names[from]
	switch {
	case n == nil:
		return syscall.ENOENT
	case n.damaged != "":
		k.violate("%s of %s to %s, though %s", c, from, to, n.damaged)
	case k.chance(k.chaos.RenameFails):
		return syscall.EIO
	}
	if c == callRename {
		if err := k.taken(d, to); err != nil {
			return err
		}
	}
	n.fixed = "renamed"
	delete(d.names, from)
	d.names[to] = n
	return nil
}

// Unlink implements kernel.Files.
func (k *Kernel) Unlink(dir int, name string) error {
	k.enter(callUnlink)
	d := k.folder(callUnlink, dir)
	if d == nil {
		return syscall.EBADF
	}
	err := k.remove(d, name)
	k.note(callUnlink, dir, 0, 0, err, name)
	return err
}

func (k *Kernel) remove(d *folder, name string) error {
	if err := k.nameable(callUnlink, name); err != nil {
		return err
	}
	n := d.names[name]
	switch {
	case n == nil:
		return syscall.ENOENT
	case k.chance(k.chaos.UnlinkFails):
		return syscall.EIO
	}
	n.fixed = "unlinked"
	delete(d.names, name)
	return nil
}

// CloseFile implements kernel.Files.
func (k *Kernel) CloseFile(fd int) error {
	k.enter(callCloseFile)
	d := k.descriptor(callCloseFile, fd)
	if d == nil {
		return syscall.EBADF
	}
	if d.socket != nil {
		k.violate("closefile with descriptor %d, which is %v", fd, d)
		return syscall.EBADF
	}
	f := d.file
	k.drop(callCloseFile, fd)
	err := k.parted(callCloseFile, fd)
	if err != nil && f != nil {
		f.damaged = "its close failed"
	}
	return err
}
