package main

import (
	"os"
	"path/filepath"
)

// room is the memory that the files of a run take, and what is in it meanwhile.
//
// In a virtual machine the first touch of a page costs several times what its
// bytes do, and a page that has been free for seconds may be taken back by the
// host. So the room is filled before the first run, and each run is given what
// the run before it filled, at the last moment.
type room struct {
	reuse bool     // else nothing is deleted before the end
	spent []string // what is deleted before the next run
}

// rooms is how many times a run's files the room takes.
const rooms = 2

// newRoom fills two files in turn, a page each, of which the first run is given
// one: its pages then have neighbours in use, and pages go back to the host only
// in larger blocks.
func newRoom(dir string, size int) (*room, error) {
	r := &room{reuse: true}
	var files [rooms]*os.File
	for i, name := range [rooms]string{"held", "spent"} {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		files[i] = file
	}
	r.spend(files[1].Name())
	page := make([]byte, pageBytes)
	for range size / pageBytes {
		for _, file := range files {
			if _, err := file.Write(page); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// spend leaves a file or a folder to the next run.
func (r *room) spend(name string) { r.spent = append(r.spent, name) }

// empty makes room for a run.
func (r *room) empty() error {
	for ; r.reuse && len(r.spent) > 0; r.spent = r.spent[1:] {
		if err := os.RemoveAll(r.spent[0]); err != nil {
			return err
		}
	}
	return nil
}
