package state

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// compact writes the records that count into a new file and puts that in the
// place of the old one, whole or not at all.
func (s *State) compact(path string) error {
	path, err := filepath.EvalSymlinks(path) // the file's own name, not that of a link to it
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := s.replace(fresh, path); err != nil {
		return errors.Join(err, fresh.Close(), os.Remove(fresh.Name()))
	}
	old := s.file
	s.file = fresh
	clear(s.urls)
	clear(s.paths)
	s.damaged = 0
	_, err = s.readIndex()
	return errors.Join(err, old.Close())
}

// replace fills the new file and gives it the old one's name. It is locked
// first, so that at no moment the name is that of a file without a lock, and on
// the disk first, so that the name never stands for less than was there.
func (s *State) replace(fresh *os.File, path string) error {
	if err := lock(fresh); err != nil {
		return err
	}
	old, err := s.file.Stat()
	if err != nil {
		return err
	}
	if err := fresh.Chmod(old.Mode().Perm()); err != nil {
		return err
	}
	if err := s.copyRecords(fresh); err != nil {
		return err
	}
	if err := fresh.Sync(); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), path)
}

// copyRecords writes the header and the records that count.
func (s *State) copyRecords(to io.Writer) error {
	out := bufio.NewWriterSize(to, 1<<20)
	if _, err := out.WriteString(header); err != nil {
		return err
	}
	start := int64(len(header))
	text := bufio.NewReaderSize(io.NewSectionReader(s.file, start, s.end-start), RecordBytes)
	err := eachLine(text, start, func(line []byte, at int64) error {
		url, path, ok := check(line)
		if !ok || s.urls[s.hash(url)] != at || len(path) > 0 && s.paths[s.hash(path)] != at {
			return nil
		}
		_, err := out.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}
