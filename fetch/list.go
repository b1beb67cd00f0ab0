package fetch

// links are an item's place in one list. An item that can stand in a list
// embeds them, so that joining and leaving allocates nothing.
type links[T any] struct {
	prev, next *T
	linked     bool
}

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
	at := P(item).place()
	if at.linked {
		panic("fetch: an item stands in two lists")
	}
	*at = links[T]{prev: l.last, linked: true}
	if l.last == nil {
		l.first = item
	} else {
		P(l.last).place().next = item
	}
	l.last = item
	l.count++
}

func (l *list[T, P]) pushFront(item *T) {
	at := P(item).place()
	if at.linked {
		panic("fetch: an item stands in two lists")
	}
	*at = links[T]{next: l.first, linked: true}
	if l.first == nil {
		l.last = item
	} else {
		P(l.first).place().prev = item
	}
	l.first = item
	l.count++
}

func (l *list[T, P]) remove(item *T) {
	at := P(item).place()
	if !at.linked {
		panic("fetch: removed an item that stands in no list")
	}
	if at.prev == nil {
		l.first = at.next
	} else {
		P(at.prev).place().next = at.next
	}
	if at.next == nil {
		l.last = at.prev
	} else {
		P(at.next).place().prev = at.prev
	}
	*at = links[T]{}
	l.count--
}

// popFront takes the first item out; nil when there is none.
func (l *list[T, P]) popFront() *T {
	item := l.first
	if item != nil {
		l.remove(item)
	}
	return item
}
