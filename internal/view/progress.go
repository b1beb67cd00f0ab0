package view

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/shoalfetch/shoal/fetch"
)

// Moment is what progress is drawn from: where a run stands.
type Moment struct {
	fetch.Snapshot
	Tally *Tally  // what has come of it
	Total int     // how many requests there are; 0 when that is not known
	Read  float64 // the share of the input that has been read, 0 to 1; -1 when that is not known
}

// share is how much of the work is done, 0 to 1; -1 when that is not known. It
// counts requests, so that redirects and repeated attempts change nothing.
func (m *Moment) share() float64 {
	done := float64(m.Tally.Total())
	switch {
	case m.Total > 0:
		return min(1, done/float64(m.Total))
	case m.Read >= 0 && m.Admitted > 0:
		return min(1, m.Read) * min(1, done/float64(m.Admitted))
	case m.Read >= 0:
		return 0
	}
	return -1
}

// Progress shows how far a run is. Its methods are safe from any goroutine, and
// it has none of its own: somebody calls Draw as often as they like.
type Progress struct {
	w     io.Writer
	style Style
	every time.Duration
	width func() int
	read  func() Moment

	mu    sync.Mutex
	pace  pace
	drawn time.Time // when last; StylePlain begins with when it was first asked
	shown int       // columns of the line that stands there now
	done  bool
}

// NewProgress draws to w, mostly a terminal, from what read says. read is called
// on the goroutines that call Draw and Status.
func NewProgress(w io.Writer, style Style, read func() Moment) *Progress {
	return &Progress{
		w:     w,
		style: style,
		every: style.every(isTerminal(w)),
		width: func() int { return width(w) },
		read:  read,
	}
}

// Draw shows where the run stands now, unless it is too soon: a line that is
// drawn over itself changes ten times a second at most, plain lines come once a
// minute, or every ten seconds at a terminal, and the first after that time.
func (p *Progress) Draw(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || p.style == StyleNone || !p.due(now) {
		return
	}
	m := p.read()
	p.pace.enter(now, m)
	if p.style == StylePlain {
		io.WriteString(p.w, "shoal: "+sentence(&m, &p.pace)+"\n")
		return
	}
	p.replace(line(&m, &p.pace, p.width()-1))
}

// due says whether to draw now. Plain text waits its time before the first line
// too: then there is something to tell.
func (p *Progress) due(now time.Time) bool {
	if p.drawn.IsZero() && p.style == StylePlain {
		p.drawn = now
		p.pace.enter(now, p.read())
	}
	if !p.drawn.IsZero() && now.Sub(p.drawn) < p.every {
		return false
	}
	p.drawn = now
	return true
}

// Status is where the run stands now, in one line without its end, whatever the
// style.
func (p *Progress) Status(now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.read()
	p.pace.enter(now, m)
	return sentence(&m, &p.pace)
}

// Write writes whole lines of others to where the progress is drawn: what is
// drawn goes away first, and comes back with the next Draw.
func (p *Progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replace("")
	return p.w.Write(lines)
}

// Clear takes away what is drawn.
func (p *Progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replace("")
}

// Done takes away what is drawn, for good: a Draw that comes later does nothing.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replace("")
	p.done = true
}

// replace draws a line over the one that stands there. It goes by columns and
// spaces: every terminal knows those.
func (p *Progress) replace(line string) {
	if line == "" && p.shown == 0 {
		return
	}
	columns := columnsOf(line)
	text := "\r" + line + strings.Repeat(" ", max(0, p.shown-columns))
	if line == "" {
		text += "\r"
	}
	p.shown = columns
	io.WriteString(p.w, text)
}
