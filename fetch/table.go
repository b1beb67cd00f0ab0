package fetch

import "unsafe"

// A token names a slot of a table and one of the lives lived in it: the slot's
// index in the low 32 bits, its generation above. Readiness, timers, lookups
// and resumes all carry tokens, so that news which comes late resolves to
// nothing instead of to whoever lives in the slot now.
type token uint64

// jobToken marks a job's token among the timers, where conns' stand too. Only
// conns' tokens go to the poller.
const jobToken token = 1 << 63

// generationMask keeps a generation inside the bits between index and mark.
const generationMask = 1<<31 - 1

// table owns things that come and go, and finds them by token. Items stand in
// chunks, without an allocation each; what was once made is used again, so that
// a steady state allocates nothing.
type table[T any] struct {
	mark   token
	chunks [][]slot[T]
	free   []uint32
	live   int
}

type slot[T any] struct {
	item       T
	generation uint32
	live       bool
}

// chunkBytes is the size of a chunk: one that Go's allocator has a class for,
// so that nothing is lost to rounding.
const chunkBytes = 8 << 10

// perChunk is how many slots a chunk has.
func (t *table[T]) perChunk() uint32 { return uint32(chunkBytes / unsafe.Sizeof(slot[T]{})) }

// add gives a zeroed item and the token it answers to until remove. The
// pointer is good until then.
func (t *table[T]) add() (*T, token) {
	if len(t.free) == 0 {
		t.grow()
	}
	index := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	s := t.slot(index)
	s.live = true
	t.live++
	return &s.item, t.mark | token(s.generation)<<32 | token(index)
}

func (t *table[T]) grow() {
	n := t.perChunk()
	first := uint32(len(t.chunks)) * n
	t.chunks = append(t.chunks, make([]slot[T], n))
	for i := n; i > 0; i-- {
		t.free = append(t.free, first+i-1)
	}
}

func (t *table[T]) slot(index uint32) *slot[T] {
	n := t.perChunk()
	return &t.chunks[index/n][index%n]
}

// get is the item a token names, or nil when that life is over.
func (t *table[T]) get(k token) *T {
	index, generation := uint32(k), uint32(k>>32)&generationMask
	if index/t.perChunk() >= uint32(len(t.chunks)) {
		return nil
	}
	s := t.slot(index)
	if !s.live || s.generation != generation {
		return nil
	}
	return &s.item
}

// remove ends an item's life: its token resolves to nothing from now on.
func (t *table[T]) remove(k token) {
	if t.get(k) == nil {
		panic("fetch: removed what is not there")
	}
	s := t.slot(uint32(k))
	*s = slot[T]{generation: (s.generation + 1) & generationMask}
	t.live--
	t.free = append(t.free, uint32(k))
}

// len is how many items live.
func (t *table[T]) len() int { return t.live }

// each calls f with every living item. f may remove the item it is given, and
// must add none.
func (t *table[T]) each(f func(*T)) {
	for _, chunk := range t.chunks {
		for i := range chunk {
			if chunk[i].live {
				f(&chunk[i].item)
			}
		}
	}
}
