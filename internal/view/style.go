package view

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Style is how progress is shown.
type Style uint8

// The styles.
const (
	StyleNone  Style = iota // not at all
	StylePlain              // a line of plain text now and then, for logs and screen readers
	StyleLine               // one line that is drawn over itself, for terminals
)

var styleNames = [...]string{"none", "plain", "line"}

// String is the word that ParseStyle takes.
func (s Style) String() string { return styleNames[s] }

// ParseStyle knows "none", "plain" and "line".
func ParseStyle(word string) (s Style, ok bool) {
	for i, name := range styleNames {
		if word == name {
			return Style(i), true
		}
	}
	return StyleNone, false
}

// StyleFor is the style that suits what is written to: a terminal that can go
// back to the beginning of its line gets one line, everything else plain text.
func StyleFor(w io.Writer) Style {
	if isTerminal(w) && os.Getenv("TERM") != "dumb" {
		return StyleLine
	}
	return StylePlain
}

// How often each style is drawn at most. At a terminal somebody is waiting, who
// may be listening to it being read aloud.
const (
	lineEvery          = 100 * time.Millisecond
	plainEvery         = time.Minute
	plainTerminalEvery = 10 * time.Second
)

func (s Style) every(terminal bool) time.Duration {
	switch {
	case s == StyleLine:
		return lineEvery
	case terminal:
		return plainTerminalEvery
	}
	return plainEvery
}

// usualWidth is the width of what does not say.
const usualWidth = 80

// width is how many columns there are. It is asked anew for each drawing:
// windows change their size.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return usualWidth
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
