package fetch

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

// table owns things that come and go, and finds them by token. What it once
// made it uses again, so that a steady state allocates nothing.
type table[T any] struct {
	mark  token
	slots []slot[T]
	free  []uint32
}

type slot[T any] struct {
	item       *T
	generation uint32
	live       bool
}

// add gives a zeroed item and the token it answers to until remove.
func (t *table[T]) add() (*T, token) {
	if len(t.free) == 0 {
		t.slots = append(t.slots, slot[T]{item: new(T)})
		t.free = append(t.free, uint32(len(t.slots)-1))
	}
	index := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	s := &t.slots[index]
	s.live = true
	return s.item, t.mark | token(s.generation)<<32 | token(index)
}

// get is the item a token names, or nil when that life is over.
func (t *table[T]) get(k token) *T {
	index, generation := uint32(k), uint32(k>>32)&generationMask
	if int(index) >= len(t.slots) {
		return nil
	}
	s := &t.slots[index]
	if !s.live || s.generation != generation {
		return nil
	}
	return s.item
}

// remove ends an item's life: its token resolves to nothing from now on.
func (t *table[T]) remove(k token) {
	s := &t.slots[uint32(k)]
	if t.get(k) == nil {
		panic("fetch: removed what is not there")
	}
	var zero T
	*s.item = zero
	s.live = false
	s.generation = (s.generation + 1) & generationMask
	t.free = append(t.free, uint32(k))
}

// len is how many items live.
func (t *table[T]) len() int { return len(t.slots) - len(t.free) }

// each calls f with every living item. f may remove the item it is given, and
// must add none.
func (t *table[T]) each(f func(*T)) {
	for i := range t.slots {
		if t.slots[i].live {
			f(t.slots[i].item)
		}
	}
}
