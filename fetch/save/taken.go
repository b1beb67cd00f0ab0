package save

import (
	"hash/maphash"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// taken gives out file names, no two of which any common file system takes for
// the same: they are compared folded (see key), on every system alike, so that
// a folder can be copied from one to another.
//
// Which names it gives depends on the names asked for and their order, never on
// what was in the folder before. So a second run over the same list asks for
// the same files, and finds those that the first one left.
//
// A name costs 20 to 40 bytes, because only a 64-bit hash of it is kept. Two
// names that share a hash by chance count as one: the later one gets a suffix
// it did not need or, if the earlier was in the folder before the run, is said
// to be there although it is not. With n names the chance that any two do is
// n²/2⁶⁵, 3 in 100 million for a million names; the seed is new in each run, so
// the next run would not repeat it and no list can bring it about.
type taken struct {
	seed    maphash.Seed
	names   map[uint64]nameState
	others  map[uint64]bool // found names that were passed over, and wait for whose they are
	fold    cases.Caser
	scratch []byte
}

// nameState is what is known of a name, by the hash of its folded form. A name
// that is not in the map is free. A map to 32 bits costs no more than a set: an
// entry is 16 bytes in both.
type nameState uint32

const (
	// foundBefore: in the folder before the run, and not given out yet. Any
	// other value is of a name given out, and is the number to try first when
	// it is asked for again.
	foundBefore nameState = 0
	firstNumber nameState = 2
)

// newTaken makes an empty table.
func newTaken() *taken {
	return &taken{
		seed:   maphash.MakeSeed(),
		names:  make(map[uint64]nameState),
		others: make(map[uint64]bool),
		fold:   cases.Fold(),
	}
}

// found marks a name that was in the folder before the run. It comes before the
// first reserve.
func (t *taken) found(name string) {
	t.names[t.key(name)] = foundBefore
}

// reserve takes a name for a file of this run: name itself, or, if this run has
// taken that already, name with the lowest free number from -2 on before its
// extension. existed tells that a file of the name was there before the run:
// the caller leaves it alone and fetches nothing.
//
// name and got are of at most maxComponent bytes each. Names that differ
// only in what a suffix of more than six digits cuts off may cost more time,
// never share a file.
func (t *taken) reserve(name string) (got string, existed bool) {
	return t.reserveBut(name, func(string) bool { return false })
}

// reserveBut is reserve, but a file that was there before the run and is
// another's is passed over, and left for who comes and may have it.
func (t *taken) reserveBut(name string, isOther func(name string) bool) (got string, existed bool) {
	key := t.key(name)
	if free, existed := t.takeBut(key, name, isOther); free {
		return name, existed
	}
	// The numbers below the one kept are taken for good, so none is tried
	// twice, however many names share this base.
	var digits [len("-4294967295")]byte
	for number := t.names[key]; number < math.MaxUint32; number++ {
		tail := strconv.AppendUint(append(digits[:0], '-'), uint64(number), 10)
		numbered := withTail(name, string(tail), maxComponent)
		if free, existed := t.takeBut(t.key(numbered), numbered, isOther); free {
			t.names[key] = number + 1
			return numbered, existed
		}
	}
	panic("save: four thousand million files of one name: " + name)
}

// takeBut is take for reserveBut.
func (t *taken) takeBut(key uint64, name string, isOther func(name string) bool) (free, existed bool) {
	if t.others[key] && !isOther(name) {
		delete(t.others, key)
		return true, true
	}
	free, existed = t.take(key)
	if existed && isOther(name) {
		t.others[key] = true
		return false, false
	}
	return free, existed
}

// take takes a name if this run has not yet, and tells whether the folder had
// it before.
func (t *taken) take(key uint64) (free, existed bool) {
	state, known := t.names[key]
	if known && state != foundBefore {
		return false, false
	}
	t.names[key] = firstNumber
	return true, known
}

// key hashes a name's folded form: what Unicode compares in a canonical caseless
// match (section 3.13, D145), here without the characters that are not seen,
// since HFS+ compares without them (Apple, TN1150, "Case-Insensitive String
// Comparison Algorithm"). For ASCII that is lower case, and costs no allocation.
func (t *taken) key(name string) uint64 {
	t.scratch = t.scratch[:0]
	for i := range len(name) {
		c := name[i]
		if c >= utf8.RuneSelf {
			folded := t.fold.String(norm.NFD.String(strings.Map(dropUnseen, name)))
			t.scratch = norm.NFD.AppendString(t.scratch[:0], folded)
			break
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		t.scratch = append(t.scratch, c)
	}
	return maphash.Bytes(t.seed, t.scratch)
}

// dropUnseen drops the characters that a name may have (see replaceUnsafe) and
// that Unicode lets a comparison ignore (section 5.21).
func dropUnseen(r rune) rune {
	if unicode.In(r, unicode.Join_Control, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
		return -1
	}
	return r
}
