package view

import (
	"slices"
	"strings"

	"github.com/cheggaaa/pb/v3"
)

// bar lays a moment out in one line of a terminal, with a bar where there is
// room. The library's bar is never started: it draws when it is asked to, and
// has no goroutine and no output of its own.
type bar struct{ pb *pb.ProgressBar }

// barSteps is into how many steps the bar divides the whole.
const barSteps = 10_000

// barLeast and barMost are how many columns a bar is worth.
const (
	barLeast = 10
	barMost  = 30
)

func newBar() *bar {
	b := pb.New(barSteps).SetTemplateString(`{{bar . "[" "#" "#" "-" "]"}}`)
	b.Set(pb.Static, true).Set(pb.Terminal, false).Set(pb.Color, false)
	return &bar{b}
}

// line is a moment in at most so many columns.
func (b *bar) line(m *Moment, p *pace, columns int) string {
	text := fit(parts(m, p), columns)
	share, room := m.share(), min(barMost, columns-columnsOf(text)-1)
	if share < 0 || room < barLeast {
		return text
	}
	b.pb.SetCurrent(int64(share * barSteps)).SetWidth(room)
	return b.pb.String() + " " + text
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
