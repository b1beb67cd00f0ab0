// Package view turns what a run did into what a person or a program reads:
// progress, JSON records, the steps of a fetch, lines about failures, a summary,
// the ledger of system calls. It reads results, events, snapshots and counts; it
// never touches the engine, and what time it is it is told.
package view

import (
	"fmt"
	"strings"
	"unicode"
)

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
