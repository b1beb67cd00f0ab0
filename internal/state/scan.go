package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readIndex reads the file from its beginning, and says how many records it
// has. The file ends, from here on, with the last of them.
func (s *State) readIndex() (records int, err error) {
	text := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, 1<<62), RecordBytes)
	if err := s.readHeader(text); err != nil || s.end == 0 {
		return 0, err
	}
	bad := 0 // since the last good line
	err = eachLine(text, s.end, func(line []byte, at int64) error {
		url, path, ok := check(line)
		if !ok {
			bad++
			return nil
		}
		s.index(url, path, at)
		s.end = at + int64(len(line))
		s.damaged += bad
		bad, records = 0, records+1
		return nil
	})
	return records, err
}

// readHeader reads the first line. A file whose making was cut short, in the
// middle of that, is empty.
func (s *State) readHeader(text *bufio.Reader) error {
	first, err := text.Peek(len(header))
	switch {
	case err != nil && err != io.EOF:
		return fmt.Errorf("reading the state file: %w", err)
	case string(first) == header:
		s.end = int64(len(header))
		_, err = text.Discard(len(header))
		return err
	case strings.HasPrefix(header, string(first)):
		return nil
	case bytes.HasPrefix(first, []byte("shoal state ")):
		return errors.New("the state file has a version that this shoal does not know")
	}
	return errors.New("not a state file: it does not begin with the line " + strings.TrimSpace(header))
}

// eachLine calls do with each line of a text that begins at an offset, and
// the offset of the line. A line longer than any record comes in pieces, none of
// which ends like a line but the last; the text's last line may lack its end.
// The line is good until do returns.
func eachLine(text *bufio.Reader, at int64, do func(line []byte, at int64) error) error {
	for {
		line, err := text.ReadSlice('\n')
		if len(line) > 0 {
			if err := do(line, at); err != nil {
				return err
			}
		}
		at += int64(len(line))
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("reading the state file: %w", err)
		}
	}
}

// cutLine gives the first line of a text, with its end, or the text when it has
// none.
func cutLine(text []byte) (line []byte, whole bool) {
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		return text[:n+1], true
	}
	return text, false
}
