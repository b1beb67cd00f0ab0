package http1

import (
	"iter"
	"strings"
)

// Head is the status line and the fields of a response, as they came. It is a
// small value; copies share one string, which stays valid for ever.
type Head struct {
	raw    string
	Status uint16 // the status code, 100 to 999; 0 in the zero Head
	Minor  uint8  // x of the version HTTP/1.x
	names  uint32 // of the fields, a bit each, see nameBit
}

// IsZero reports whether h is the zero Head: no head has come yet.
func (h Head) IsZero() bool { return h.raw == "" }

// Raw returns the status line and the field lines exactly as received, each
// with its line end, without the empty line that ends the head.
func (h Head) Raw() string { return h.raw }

// Reason returns the reason phrase, or "" if the server gave none.
func (h Head) Reason() string {
	line, _, _ := strings.Cut(h.raw, "\n")
	line = strings.TrimSuffix(line, "\r")
	if len(line) <= len(statusLineForm) {
		return ""
	}
	return line[len(statusLineForm):]
}

// Section returns the field lines.
func (h Head) Section() Section {
	_, fields, _ := strings.Cut(h.raw, "\n")
	return Section(fields)
}

// nameBit is one of 32 bits, for a name in whichever case. Most of the fields that
// are looked for in every head are not there, and most of these have a bit that
// no field of it has: then no line is read.
func nameBit[T string | []byte](name T) uint32 { return 1 << ((11*len(name) + int(name[0])) & 31) }

// linesFor returns the field lines, or none when there is none of that name.
func (h Head) linesFor(name string) Section {
	if name == "" || h.names&nameBit(name) == 0 {
		return ""
	}
	return h.Section()
}

// Get returns the value of the first field of that name, without whitespace
// around it, or "" if there is none. Names are compared without regard to case.
func (h Head) Get(name string) string { return h.linesFor(name).Get(name) }

// Has reports whether there is a field of that name, be its value empty or not.
func (h Head) Has(name string) bool { return h.linesFor(name).Has(name) }

// Values gives the value of every field of that name, in the order received.
func (h Head) Values(name string) iter.Seq[string] { return h.linesFor(name).Values(name) }

// Fields gives every field, name and value, in the order received. Names are
// as the sender spelled them.
func (h Head) Fields() iter.Seq2[string, string] { return h.Section().Fields() }
