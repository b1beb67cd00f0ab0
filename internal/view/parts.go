package view

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// part is one thing that progress tells.
type part struct {
	text string
	rank int // what has the highest goes first where there is not room for all
}

// quietAfter is how long nothing must have come for progress to say so.
const quietAfter = 5 * time.Second

// parts are what there is to tell of a moment, in reading order.
func parts(m *Moment, p *pace) []part {
	all := []part{
		{percent(m.share()), 0},
		{doneOf(m), 1},
		{m.Tally.failures(), 2},
		{fmt.Sprintf("%d in flight", inFlight(m)), 4},
		{perSecond(p), 6},
		{Size(m.Bytes), 5},
		{volume(p), 7},
		{waiting(p), 3},
	}
	if left, ok := p.left(m.share()); ok {
		all = append(all, part{roundly(left) + " left", 3})
	}
	kept := all[:0]
	for _, a := range all {
		if a.text != "" {
			kept = append(kept, a)
		}
	}
	return kept
}

// sentence is all of it in one line.
func sentence(m *Moment, p *pace) string {
	var texts []string
	for _, a := range parts(m, p) {
		texts = append(texts, a.text)
	}
	return strings.Join(texts, ", ")
}

// percent never says that all is done before it is.
func percent(share float64) string {
	if share < 0 {
		return ""
	}
	return fmt.Sprintf("%d %%", int(math.Floor(share*100)))
}

func doneOf(m *Moment) string {
	if m.Total > 0 {
		return fmt.Sprintf("%d of %d", m.Tally.Total(), max(m.Total, m.Tally.Total()))
	}
	return fmt.Sprintf("%d done", m.Tally.Total())
}

// inFlight is how many have left the queue and have not ended. Both come from
// one turn of the loop, but are not read in one step.
func inFlight(m *Moment) int64 { return max(0, m.Admitted-m.Yielded-m.Queued) }

func perSecond(p *pace) string {
	r := float64(p.fetches)
	switch {
	case r >= 9.95:
		return fmt.Sprintf("%.0f/s", r)
	case r >= 0.05:
		return fmt.Sprintf("%.1f/s", r)
	}
	return ""
}

func volume(p *pace) string {
	if p.volume < 1 {
		return ""
	}
	return Size(int64(p.volume)) + "/s"
}

// waiting says that nothing comes, so that nobody takes a wait for a fault of
// the display.
func waiting(p *pace) string {
	if q := p.quiet(); q >= quietAfter {
		return "nothing came for " + roundly(q)
	}
	return ""
}

// roundly is a time as people say it: "42s", "3m10s", "2h5m".
func roundly(d time.Duration) string {
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", int(math.Ceil(d.Seconds())))
}
