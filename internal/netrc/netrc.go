// Package netrc reads the file in which ftp, curl and git look up names and
// passwords by host (ftp(1), "The .netrc file").
package netrc

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// FileBytes is the longest that the file may be.
const FileBytes = 128 << 10

// Entry is what the file says of one host.
type Entry struct {
	Machine  string // lower case; empty for the default entry
	Login    string // may be empty
	Password string // may be empty
}

// File is a file that was read.
type File struct{ entries []Entry }

// Open reads the file of that name. It is refused when anybody but its user
// could read or change it, with a [*ModeError].
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkMode(path, info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, FileBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", path, err)
	case len(text) > FileBytes:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, FileBytes)
	}
	f, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Find gives the entry for a host in lower case: the first that names it, and
// this login unless that is empty. Else it is the default one, of the same
// login, which the file must then have at its end.
func (f *File) Find(host, login string) (Entry, bool) {
	for _, e := range f.entries {
		if (e.Machine == host || e.Machine == "") && (login == "" || e.Login == login) {
			return e, true
		}
	}
	return Entry{}, false
}

// Parse reads the text of a file. Errors name the line, and no word of it: that
// could be part of a password.
func Parse(text string) (*File, error) {
	l := &lexer{text: text, line: 1}
	f := new(File)
	for {
		key, err := l.keyword()
		if err != nil {
			return nil, err
		}
		switch key {
		case "":
			return f, nil
		case "machine":
			name, err := l.value(key)
			if err != nil {
				return nil, err
			}
			f.entries = append(f.entries, Entry{Machine: strings.ToLower(name)})
		case "default":
			f.entries = append(f.entries, Entry{})
		case "macdef":
			l.skipMacro()
		default:
			if err := f.field(key, l); err != nil {
				return nil, err
			}
		}
	}
}

// field reads a field of the last entry.
func (f *File) field(key string, l *lexer) error {
	value, err := l.value(key)
	if err != nil {
		return err
	}
	if len(f.entries) == 0 {
		return l.fail("%s stands before any machine", key)
	}
	e := &f.entries[len(f.entries)-1]
	switch key {
	case "login":
		e.Login = value
	case "password":
		e.Password = value
	}
	return nil
}
