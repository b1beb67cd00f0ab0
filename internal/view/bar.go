package view

import (
	"slices"
	"strings"
)

// barLeast and barMost are how many columns a bar is worth.
const (
	barLeast = 10
	barMost  = 30
)

// line is a moment in at most so many columns of a terminal, with a bar where
// there is room for one.
func line(m *Moment, p *pace, columns int) string {
	text := fit(parts(m, p), columns)
	share, room := m.share(), min(barMost, columns-columnsOf(text)-1)
	if share < 0 || room < barLeast {
		return text
	}
	return bar(share, room) + " " + text
}

// bar shows a share, 0 to 1, in so many columns. Like the percentage it rounds
// down: it is full only when all is done.
func bar(share float64, columns int) string {
	room := columns - len("[]")
	full := int(share * float64(room))
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", room-full) + "]"
}

// fit joins parts, without those that have to go for want of room. If not even
// one has room, it is cut.
func fit(all []part, columns int) string {
	all = slices.Clone(all)
	for {
		texts := make([]string, len(all))
		least := 0
		for i, a := range all {
			texts[i] = a.text
			if a.rank > all[least].rank {
				least = i
			}
		}
		text := strings.Join(texts, "  ")
		if columnsOf(text) <= columns {
			return text
		}
		if len(all) == 1 {
			return text[:max(0, columns)]
		}
		all = slices.Delete(all, least, least+1)
	}
}

// columnsOf is how many columns a line takes on a terminal: all of it is ASCII.
func columnsOf(line string) int { return len(line) }
