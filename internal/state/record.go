package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
)

// Record is what is known of one URL.
type Record struct {
	URL          string            // as it was asked for, before redirects
	Path         string            // of its file; empty when there is none
	Complete     bool              // the file is whole
	Size         int64             // of the file, in bytes, not negative
	SHA256       [sha256.Size]byte // of the file; zero when it was not reckoned
	ETag         string            // as the server gave it, with its quotes; may be empty
	LastModified string            // as the server gave it; may be empty
}

// The words of the fourth field.
const (
	complete = "complete"
	partial  = "partial"
)

const noSum = "-"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumBytes is how long the checksum's field is, with its tab.
const sumBytes = 2*crc32.Size + len("\t")

// appendLine appends the record's line.
func (r *Record) appendLine(line []byte) ([]byte, error) {
	if r.URL == "" || r.Size < 0 {
		panic("state: a record without a URL, or of a negative size")
	}
	start := len(line)
	line = append(line, "00000000"...)
	line = appendField(append(line, '\t'), r.URL)
	line = appendField(append(line, '\t'), r.Path)
	line = append(append(line, '\t'), wordOf(r.Complete)...)
	line = strconv.AppendInt(append(line, '\t'), r.Size, 10)
	line = append(line, '\t')
	if r.SHA256 == ([sha256.Size]byte{}) {
		line = append(line, noSum...)
	} else {
		line = hex.AppendEncode(line, r.SHA256[:])
	}
	line = appendField(append(line, '\t'), r.ETag)
	line = appendField(append(line, '\t'), r.LastModified)
	sum := sumOf(line[start+sumBytes:])
	copy(line[start:], sum[:])
	line = append(line, '\n')
	if n := len(line) - start; n > RecordBytes {
		return line, fmt.Errorf("the state file's record of it would take %d bytes, more than %d", n, RecordBytes)
	}
	return line, nil
}

// check gives the first two fields of a whole line, as they are spelled in it,
// if its checksum is right.
func check(line []byte) (url, path []byte, ok bool) {
	if len(line) <= sumBytes || line[sumBytes-1] != '\t' || line[len(line)-1] != '\n' {
		return nil, nil, false
	}
	body := line[sumBytes : len(line)-1]
	if sum := sumOf(body); string(sum[:]) != string(line[:len(sum)]) {
		return nil, nil, false
	}
	url, rest, _ := bytes.Cut(body, []byte{'\t'})
	path, _, ok = bytes.Cut(rest, []byte{'\t'})
	return url, path, ok && len(url) > 0
}

// parse reads a whole line.
func parse(line []byte) (r Record, ok bool) {
	if _, _, ok := check(line); !ok {
		return Record{}, false
	}
	fields := bytes.Split(line[sumBytes:len(line)-1], []byte{'\t'})
	if len(fields) != 7 {
		return Record{}, false
	}
	size, err := strconv.ParseInt(string(fields[3]), 10, 64)
	if err != nil {
		return Record{}, false
	}
	if sum := string(fields[4]); sum != noSum {
		if n, err := hex.Decode(r.SHA256[:], fields[4]); err != nil || n != len(r.SHA256) {
			return Record{}, false
		}
	}
	r.URL, r.Path = unescape(fields[0]), unescape(fields[1])
	r.Complete, r.Size = string(fields[2]) == complete, size
	r.ETag, r.LastModified = unescape(fields[5]), unescape(fields[6])
	return r, true
}

func wordOf(isComplete bool) string {
	if isComplete {
		return complete
	}
	return partial
}

// sumOf is the checksum as it is written.
func sumOf(body []byte) (text [2 * crc32.Size]byte) {
	const digits = "0123456789abcdef"
	sum := crc32.Checksum(body, castagnoli)
	for i := range text {
		text[i] = digits[sum>>(28-4*i)&0xf]
	}
	return text
}

// appendField appends a field: control characters and the backslash as \xHH.
func appendField(line []byte, field string) []byte {
	for i := range len(field) {
		if c := field[i]; c < ' ' || c == '\\' || c == 0x7f {
			line = fmt.Appendf(line, `\x%02x`, c)
		} else {
			line = append(line, c)
		}
	}
	return line
}

// unescape takes a field back. An escape that appendField does not write, it
// leaves as it is.
func unescape(field []byte) string {
	if bytes.IndexByte(field, '\\') < 0 {
		return string(field)
	}
	out := make([]byte, 0, len(field))
	for i := 0; i < len(field); i++ {
		if rest := field[i:]; len(rest) >= 4 && rest[0] == '\\' && rest[1] == 'x' {
			if n, err := strconv.ParseUint(string(rest[2:4]), 16, 8); err == nil {
				out = append(out, byte(n))
				i += len(`\xHH`) - 1
				continue
			}
		}
		out = append(out, field[i])
	}
	return string(out)
}
