package fetch

// links are an item's place in one list. An item that can stand in a list
// embeds them, so that joining and leaving allocates nothing. The first item's
// prev is itself: thus prev is nil only for an item that stands in no list.
type links[T any] struct {
	prev, next *T
}

// linked says whether the item stands in a list.
func (l *links[T]) linked() bool { return l.prev != nil }

// linked is a pointer to an item that says where its links are.
type linked[T any] interface {
	*T
	place() *links[T]
}

// list is doubly linked through its items. The zero list is empty.
type list[T any, P linked[T]] struct {
	first, last *T
	count       int
}

func (l *list[T, P]) pushBack(item *T) {
	at := l.enter(item)
	if l.last == nil {
		l.first, at.prev = item, item
	} else {
		P(l.last).place().next, at.prev = item, l.last
	}
	l.last = item
}

func (l *list[T, P]) pushFront(item *T) {
	at := l.enter(item)
	at.prev, at.next = item, l.first
	if l.first == nil {
		l.last = item
	} else {
		P(l.first).place().prev = item
	}
	l.first = item
}

func (l *list[T, P]) enter(item *T) *links[T] {
	at := P(item).place()
	if at.linked() {
		panic("fetch: an item stands in two lists")
	}
	l.count++
	return at
}

func (l *list[T, P]) remove(item *T) {
	at := P(item).place()
	if !at.linked() {
		panic("fetch: removed an item that stands in no list")
	}
	prev, next := at.prev, at.next
	if next == nil {
		l.last = prev
	} else {
		P(next).place().prev = prev
	}
	if prev == item { // the first
		l.first = next
		if next == nil {
			l.last = nil
		} else {
			P(next).place().prev = next
		}
	} else {
		P(prev).place().next = next
	}
	*at = links[T]{}
	l.count--
}
