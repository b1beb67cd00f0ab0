package http1

import (
	"iter"
	"strings"
)

// Field is one field of a request: a name and a value.
type Field struct{ Name, Value string }

// Section is a run of field lines exactly as received, each with its line end:
// the fields of a head, or a trailer. Its fields are found by scanning it; only
// a value that was folded over several lines costs an allocation.
//
// A Section from a [Parser] is valid. On any other string the methods return
// something, and do not panic.
type Section string

// Get returns the value of the first field of that name, without whitespace
// around it, or "" if there is none. Names are compared without regard to case.
func (s Section) Get(name string) string {
	value, _ := s.find(name)
	return value
}

// Has reports whether there is a field of that name, be its value empty or not.
func (s Section) Has(name string) bool {
	_, found := s.find(name)
	return found
}

func (s Section) find(name string) (value string, found bool) {
	for s != "" {
		var line string
		line, s = s.cut()
		if isNamed(line, name) {
			return fieldValue(line), true
		}
	}
	return "", false
}

// Values gives the value of every field of that name, in the order received.
func (s Section) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := s; rest != ""; {
			var line string
			line, rest = rest.cut()
			if isNamed(line, name) && !yield(fieldValue(line)) {
				return
			}
		}
	}
}

// Fields gives every field, name and value, in the order received. Names are
// as the sender spelled them.
func (s Section) Fields() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := s; rest != ""; {
			var line string
			line, rest = rest.cut()
			name, _, _ := strings.Cut(line, ":")
			if !yield(name, fieldValue(line)) {
				return
			}
		}
	}
}

// hasElement reports whether one of the comma-separated elements of the fields
// of that name is the given token.
func (s Section) hasElement(name, token string) bool {
	for value := range s.Values(name) {
		for element := range strings.SplitSeq(value, ",") {
			if equalFold(trimSpace(element), token) {
				return true
			}
		}
	}
	return false
}

// cut splits the first field off: its line, with the lines that continue it,
// and what comes after.
func (s Section) cut() (line string, rest Section) {
	end := 0
	for {
		next := strings.IndexByte(string(s[end:]), '\n')
		if next < 0 {
			return string(s), ""
		}
		end += next + 1
		if end == len(s) || !isSpace(s[end]) {
			return string(s[:end]), s[end:]
		}
	}
}

// isNamed reports whether a field line's name is the given one.
func isNamed(line, name string) bool {
	return len(line) > len(name) && line[len(name)] == ':' && equalFold(line[:len(name)], name)
}

// fieldValue returns the value on a field line, unfolded and trimmed.
func fieldValue(line string) string {
	_, value, _ := strings.Cut(line, ":")
	value = chompString(value)
	if strings.IndexByte(value, '\n') >= 0 {
		return unfold(value)
	}
	return trimSpace(value)
}

// unfold puts one space in the place of each line fold and the whitespace
// around it, as RFC 9112, 5.2 asks of a user agent.
func unfold(value string) string {
	var b strings.Builder
	for piece := range strings.Lines(value) {
		piece = trimSpace(chompString(piece))
		if piece == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(piece)
	}
	return b.String()
}

// chompString returns s without one line end, CR LF or LF.
func chompString(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return strings.TrimSuffix(s, "\r")
}
