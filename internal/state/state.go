// Package state remembers, from one run to the next, what became of each URL:
// which file it is in, whether that is whole, and what the server said by which
// a later run can ask whether it has changed.
//
// It is a file of lines that only grows. An embedded database would do the same
// with a format that no other tool can read, and with calls that take their
// time on the loop. Here a record is one write, a crash can cost but the last
// one, and grep and awk can read it:
//
//	shoal state 1
//	crc32c  url  path  complete|partial  size  sha256|-  etag  last-modified
//
// Fields are separated by tabs. The checksum (RFC 3720 section 12.1, in
// hexadecimal) covers what follows its tab. A line that does not check is
// passed over, and what follows the last one that does is cut off when the file
// is opened. Of several records of a URL the last one counts. A file in which
// more records are superseded than count is written anew when it is opened.
//
// In memory there is an index of offsets only, some 75 bytes a URL.
package state

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
)

// RecordBytes is the most that a record may take in the file.
const RecordBytes = 256 << 10

const header = "shoal state 1\n"

// ErrLocked is what Open returns while another process has the file open.
var ErrLocked = errors.New("another run is using this state file")

// State is an open state file. It belongs to one goroutine, and to one process:
// the file is locked.
type State struct {
	file    *os.File
	end     int64 // where the next record goes
	damaged int   // lines that did not check, but for the last

	// The offset of the last record of each, by the hash of its spelling in the
	// file. The seed is new in each run, so no list can make hashes meet; when
	// two do by chance (3 in 100 million for a million URLs), the older record
	// is not found.
	seed  maphash.Seed
	urls  map[uint64]int64
	paths map[uint64]int64

	line []byte // of the record in hand
}

// Open opens a state file, or makes it, readable by its user only: URLs may
// carry secrets. It reads the whole file once, a million records in less than a
// second. A file that is no state file is refused and left alone.
func Open(path string) (*State, error) {
	file, err := openLocked(path)
	if err != nil {
		return nil, err
	}
	s := &State{file: file, seed: maphash.MakeSeed(), urls: make(map[uint64]int64), paths: make(map[uint64]int64)}
	if err := s.load(path); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// load brings file and index into agreement.
func (s *State) load(path string) error {
	records, err := s.readIndex()
	if err != nil {
		return err
	}
	if superseded := records - len(s.urls); superseded > len(s.urls) {
		return s.compact(path)
	}
	if err := s.file.Truncate(s.end); err != nil {
		return err
	}
	if s.end == 0 {
		return s.append([]byte(header))
	}
	return nil
}

// Len is how many URLs there are records of.
func (s *State) Len() int { return len(s.urls) }

// Damaged is how many lines in the midst of the file were passed over when it
// was opened, because they did not check.
func (s *State) Damaged() int { return s.damaged }

// Get gives the record of a URL. There is none when it has never been put, nor
// when its file has been given to another URL since. A record of a complete
// file does not say that the file is there, nor, after a crash of the whole
// machine, that its content reached the disk: compare its size.
func (s *State) Get(url string) (r Record, ok bool, err error) {
	s.line = appendField(s.line[:0], url)
	at, ok := s.urls[s.hash(s.line)]
	if !ok {
		return Record{}, false, nil
	}
	r, err = s.read(at)
	if err != nil || r.URL != url || !s.counts(r, at) {
		return Record{}, false, err
	}
	return r, true, nil
}

// Owner gives the URL whose file has this path, as the path was put.
func (s *State) Owner(path string) (url string, ok bool, err error) {
	s.line = appendField(s.line[:0], path)
	at, ok := s.paths[s.hash(s.line)]
	if !ok {
		return "", false, nil
	}
	r, err := s.read(at)
	if err != nil || r.Path != path || !s.counts(r, at) {
		return "", false, err
	}
	return r.URL, true, nil
}

// counts says whether a record is the last one of its URL, and of its path if
// it has one.
func (s *State) counts(r Record, at int64) bool {
	s.line = appendField(s.line[:0], r.URL)
	if s.urls[s.hash(s.line)] != at {
		return false
	}
	s.line = appendField(s.line[:0], r.Path)
	return r.Path == "" || s.paths[s.hash(s.line)] == at
}

// Put adds a record, which supersedes the ones of its URL and its path. When
// Put returns, the record survives the end of this process, not yet that of the
// machine. After an error the file is as it was before.
func (s *State) Put(r Record) error {
	line, err := r.appendLine(s.line[:0])
	s.line = line[:0]
	if err != nil {
		return err
	}
	at := s.end
	if err := s.append(line); err != nil {
		return err
	}
	url, path, _ := check(line)
	s.index(url, path, at)
	return nil
}

// append writes at the end. What a write that failed half-way has left there,
// the next one overwrites, or the next Open cuts off.
func (s *State) append(text []byte) error {
	if _, err := s.file.WriteAt(text, s.end); err != nil {
		return fmt.Errorf("writing the state file: %w", err)
	}
	s.end += int64(len(text))
	return nil
}

// Close makes sure that the records are on the disk, and unlocks the file.
func (s *State) Close() error {
	return errors.Join(s.file.Sync(), s.file.Close())
}

// index notes where the last record of a URL and of a path is. Both are as
// they are spelled in the file.
func (s *State) index(url, path []byte, at int64) {
	s.urls[s.hash(url)] = at
	if len(path) > 0 {
		s.paths[s.hash(path)] = at
	}
}

func (s *State) hash(field []byte) uint64 { return maphash.Bytes(s.seed, field) }

// usualBytes is more than most records take, so that one read brings all of
// one.
const usualBytes = 1 << 10

// read reads the record at an offset that the index gave.
func (s *State) read(at int64) (Record, error) {
	for size := usualBytes; ; size *= 16 {
		s.line = slices.Grow(s.line[:0], size)[:size]
		n, err := s.file.ReadAt(s.line, at)
		if err != nil && err != io.EOF {
			return Record{}, fmt.Errorf("reading the state file: %w", err)
		}
		line, whole := cutLine(s.line[:n])
		if !whole && n == size && size < RecordBytes {
			continue
		}
		r, ok := parse(line)
		if !ok {
			return Record{}, fmt.Errorf("the state file has changed at byte %d while it was open", at)
		}
		return r, nil
	}
}
