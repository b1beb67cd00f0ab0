package sim

import (
	"path"
	"slices"
)

// Foreign is the content of files that chaos has another process make
// (Chaos.NameTaken).
const Foreign = "made by another process\n"

// folder is a folder of the disk; there are none within it but by their paths.
type folder struct {
	path  string
	names map[string]*inode
}

// inode is a file, whatever its names and descriptors.
type inode struct {
	data    []byte
	fixed   string // why it may not be written to any more: "renamed", "unlinked"
	damaged string // why it may not be renamed any more
}

// file is an open file; its position is the end.
type file struct {
	*inode
	name string // for messages: the one it was created under
}

func (f *file) String() string { return "file " + f.name }

// Put makes a file, and its folder if it is missing, as if it had been there
// before the program.
func (k *Kernel) Put(dir, name string, data []byte) {
	k.mkdir(dir).names[name] = &inode{data: slices.Clone(data)}
}

// Files gives the files of a folder by name, temporary ones too: a copy of the
// map, but not of the contents. Nil for a folder that does not exist.
func (k *Kernel) Files(dir string) map[string][]byte {
	d := k.folders[path.Clean(dir)]
	if d == nil {
		return nil
	}
	files := make(map[string][]byte, len(d.names))
	for name, n := range d.names {
		files[name] = n.data
	}
	return files
}

// Names gives the names in a folder, sorted.
func (k *Kernel) Names(dir string) []string {
	d := k.folders[path.Clean(dir)]
	if d == nil {
		return nil
	}
	return d.sorted()
}

func (d *folder) sorted() []string {
	names := make([]string, 0, len(d.names))
	for name := range d.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// mkdir finds or makes a folder. The folders above it are not kept: nothing here
// asks for them.
func (k *Kernel) mkdir(dir string) *folder {
	dir = path.Clean(dir)
	d := k.folders[dir]
	if d == nil {
		d = &folder{dir, map[string]*inode{}}
		k.folders[dir] = d
	}
	return d
}
