package cookies

import (
	"strings"
	"time"
)

// date is what has been found of a cookie's date.
type date struct {
	hour, minute, second, day, month, year int
	hasTime, hasDay, hasMonth, hasYear     bool
}

// parseDate reads a date as cookies have them, in whatever order and with
// whatever between, by the algorithm of RFC 6265 section 5.1.1.
func parseDate(text string) (unix int64, ok bool) {
	var d date
	for token := range strings.FieldsFuncSeq(text, isDelimiter) {
		d.take(token)
	}
	switch {
	case !d.hasTime || !d.hasDay || !d.hasMonth || !d.hasYear:
		return 0, false
	case d.day < 1 || d.year < 1601 || d.hour > 23 || d.minute > 59 || d.second > 59:
		return 0, false
	}
	at := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, time.UTC)
	return at.Unix(), at.Day() == d.day // there is no 30 February
}

func isDelimiter(r rune) bool {
	return r == '\t' || ' ' <= r && r <= '/' || ';' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
}

// take takes a token for the first thing that it can be and that is not found
// yet.
func (d *date) take(token string) {
	if !d.hasTime && d.takeTime(token) {
		return
	}
	if n, digits := leadingNumber(token, 2); !d.hasDay && digits > 0 {
		d.day, d.hasDay = n, true
		return
	}
	if n := monthOf(token); !d.hasMonth && n > 0 {
		d.month, d.hasMonth = n, true
		return
	}
	if n, digits := leadingNumber(token, 4); !d.hasYear && digits >= 2 {
		d.year, d.hasYear = fullYear(n), true
	}
}

// takeTime takes hours, minutes and seconds.
func (d *date) takeTime(token string) bool {
	var parts [3]int
	for i := range parts {
		part, rest, more := strings.Cut(token, ":")
		n, digits := leadingNumber(part, 2)
		if last := i == len(parts)-1; digits == 0 || !last && (!more || digits < len(part)) {
			return false
		}
		parts[i], token = n, rest
	}
	d.hour, d.minute, d.second, d.hasTime = parts[0], parts[1], parts[2], true
	return true
}

// leadingNumber is the number that a token begins with; no digits when there
// is none, or one of more digits than most.
func leadingNumber(token string, most int) (n, digits int) {
	for digits < len(token) && '0' <= token[digits] && token[digits] <= '9' {
		n = 10*n + int(token[digits]-'0')
		if digits++; digits > most {
			return 0, 0
		}
	}
	return n, digits
}

// monthOf is the number of the month that a token begins with, or 0.
func monthOf(token string) int {
	const months = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(token) < 3 {
		return 0
	}
	at := strings.Index(months, strings.ToLower(token[:3]))
	if at < 0 || at%3 != 0 {
		return 0
	}
	return at/3 + 1
}

// fullYear gives a year of two digits its century.
func fullYear(year int) int {
	switch {
	case 70 <= year && year <= 99:
		return 1900 + year
	case year <= 69:
		return 2000 + year
	}
	return year
}
