// Package view turns what a run did into what a person or a program reads:
// JSON records, lines about failures, a summary, the ledger of system calls.
// It reads results and counts; it never touches the engine.
package view

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/shoalfetch/shoal/fetch"
)

// Tally is what a run has come to.
type Tally struct {
	Fetched, Skipped, Failed int
	Bytes                    int64
}

// Add counts one result.
func (t *Tally) Add(res *fetch.Result) {
	switch res.Outcome {
	case fetch.Fetched:
		t.Fetched++
	case fetch.Skipped:
		t.Skipped++
	case fetch.Failed:
		t.Failed++
	}
	t.Bytes += res.Bytes
}

// Total is how many results there were.
func (t *Tally) Total() int { return t.Fetched + t.Skipped + t.Failed }

// Summary is a run in one line.
func (t *Tally) Summary(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d fetched", t.Fetched)
	if t.Skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", t.Skipped)
	}
	if t.Failed > 0 {
		fmt.Fprintf(&b, ", %d failed", t.Failed)
	}
	fmt.Fprintf(&b, "; %s in %s", Size(t.Bytes), took.Round(time.Millisecond))
	return b.String()
}

// Size is a number of bytes for people, in powers of 1024.
func Size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < len(units)-1 {
		f /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %cB", f, units[unit])
}

// Plain makes a text harmless for a terminal: whatever is not printable, as
// bytes from a server may be, is escaped.
func Plain(text string) string {
	printable := func(r rune) bool { return unicode.IsPrint(r) && r != unicode.ReplacementChar }
	if strings.IndexFunc(text, func(r rune) bool { return !printable(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case printable(r):
			b.WriteRune(r)
		case r == unicode.ReplacementChar:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
