package cookies

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LineBytes is the longest line that a cookie file may have.
const LineBytes = 64 << 10

// LineError is a line of a cookie file that cannot be understood.
type LineError struct {
	Line   int // from 1
	Reason string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// httpOnlyPrefix stands before the domain of a cookie that is HttpOnly, so that
// programs which do not know it take the line for a comment.
const httpOnlyPrefix = "#HttpOnly_"

// Read adds the cookies of a file in Netscape's format: a line for each, of
// seven fields with tabs between them. They are the domain, TRUE if those
// below it are meant too, the path, TRUE if only https is meant, when it
// expires in Unix time or 0, name, value. Lines that begin with # and empty
// ones are passed over, and so are cookies that have expired. bad are the lines
// that cannot be understood; the others count all the same.
func (j *Jar) Read(r io.Reader, now time.Time) (bad []*LineError, err error) {
	lines := bufio.NewReaderSize(r, LineBytes+1)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return bad, &LineError{n, fmt.Sprintf("longer than %d bytes; this is no cookie file", LineBytes)}
		}
		if reason := j.readLine(string(bytes.TrimRight(line, "\r\n")), now); reason != nil {
			bad = append(bad, &LineError{n, reason.Error()})
		}
		switch {
		case err == io.EOF:
			return bad, nil
		case err != nil:
			return bad, err
		}
	}
}

// readLine adds the cookie of a line, if it has one.
func (j *Jar) readLine(line string, now time.Time) error {
	line, httpOnly := strings.CutPrefix(line, httpOnlyPrefix)
	if strings.TrimSpace(line) == "" || line[0] == '#' {
		return nil
	}
	fields := strings.Split(line, "\t")
	if len(fields) == 6 {
		fields = append(fields, "") // editors take off the tab before an empty value
	}
	if len(fields) != 7 {
		return fmt.Errorf("%d fields instead of 7 with tabs between them", len(fields))
	}
	expires, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return fmt.Errorf("the cookie expires at %q, which is no Unix time", fields[4])
	}
	if expires == 0 {
		expires = session
	}
	c := cookie{path: fields[2], expires: expires, name: fields[5], value: fields[6], httpOnly: httpOnly}
	domain := strings.ToLower(strings.TrimPrefix(fields[0], "."))
	below, err := truth(fields[1])
	if err != nil {
		return err
	}
	if c.secure, err = truth(fields[3]); err != nil {
		return err
	}
	c.hostOnly = !below || isAddress(domain)
	if err := c.check(domain); err != nil {
		return err
	}
	return j.put(domain, c, now)
}

// check refuses a cookie that no server could have set.
func (c *cookie) check(domain string) error {
	if err := checkPrefix(c); err != nil {
		return err
	}
	_, err := parseSetCookie(c.name + "=" + c.value)
	switch {
	case err != nil:
		return err
	case domain == "" || !isHost(domain):
		return fmt.Errorf("%q is no domain", domain)
	case !c.hostOnly && isPublicSuffix(domain):
		return fmt.Errorf("a cookie cannot be for all of %s", domain)
	case !strings.HasPrefix(c.path, "/"):
		return fmt.Errorf("the path %q does not begin with a slash", c.path)
	case trim(c.name) != c.name || trim(c.value) != c.value || strings.ContainsAny(c.name, "=;") || strings.Contains(c.value, ";"):
		return fmt.Errorf("the cookie %q has a character that would end it", c.name)
	}
	return nil
}

func truth(word string) (bool, error) {
	switch strings.ToUpper(word) {
	case "TRUE":
		return true, nil
	case "FALSE":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither TRUE nor FALSE", word)
}

// Write writes the cookies as Read reads them, those that last for the run only
// too, as curl does. The file has secrets: it is for its user alone.
func (j *Jar) Write(w io.Writer, now time.Time) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# Netscape HTTP Cookie File\n# Written by shoal. Whoever reads this can act as you.\n\n")
	for _, domain := range slices.Sorted(maps.Keys(j.domains)) {
		for i := range j.domains[domain] {
			if c := &j.domains[domain][i]; !c.expired(now) {
				c.writeLine(out, domain)
			}
		}
	}
	return out.Flush()
}

func (c *cookie) writeLine(out *bufio.Writer, domain string) {
	prefix, dot, expires := "", "", c.expires
	if c.httpOnly {
		prefix = httpOnlyPrefix
	}
	if !c.hostOnly {
		dot = "."
	}
	if expires == session {
		expires = 0
	}
	fmt.Fprintf(out, "%s%s%s\t%s\t%s\t%s\t%d\t%s\t%s\n", prefix, dot, domain,
		word(!c.hostOnly), c.path, word(c.secure), expires, c.name, c.value)
}

func word(is bool) string { return strings.ToUpper(strconv.FormatBool(is)) }
