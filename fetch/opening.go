package fetch

import (
	"container/heap"
	"time"
)

// opening is when an origin's next job may start, and the origin's place among
// those of which that is known.
type opening struct {
	at    time.Duration
	place int // from 1; 0: it is not among them
}

// openings are the origins whose next job may start later, the soonest first.
type openings []*origin

// next is when the soonest of them may, and whether there is one.
func (s openings) next() (time.Duration, bool) {
	if len(s) == 0 {
		return 0, false
	}
	return s[0].opening.at, true
}

// set puts an origin in, or moves it.
func (s *openings) set(o *origin, at time.Duration) {
	o.opening.at = at
	if o.opening.place == 0 {
		heap.Push(s, o)
		return
	}
	heap.Fix(s, o.opening.place-1)
}

// remove takes an origin out, if it is in.
func (s *openings) remove(o *origin) {
	if o.opening.place > 0 {
		heap.Remove(s, o.opening.place-1)
	}
}

// expireOpenings lets origins start whose time has come.
func (l *loop) expireOpenings() {
	for len(l.openings) > 0 && l.openings[0].opening.at <= l.now {
		o := l.openings[0]
		l.openings.remove(o)
		l.markReady(o)
	}
}

// What follows is heap.Interface.

func (s openings) Len() int           { return len(s) }
func (s openings) Less(i, j int) bool { return s[i].opening.at < s[j].opening.at }

func (s openings) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].opening.place, s[j].opening.place = i+1, j+1
}

// Push implements heap.Interface.
func (s *openings) Push(o any) {
	*s = append(*s, o.(*origin))
	o.(*origin).opening.place = len(*s)
}

// Pop implements heap.Interface.
func (s *openings) Pop() any {
	last := len(*s) - 1
	o := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	o.opening.place = 0
	return o
}
