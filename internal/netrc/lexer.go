package netrc

import (
	"fmt"
	"slices"
	"strings"
)

// keywords are the words that mean something; account is read and not used, as
// it is for ftp only.
var keywords = []string{"machine", "default", "login", "password", "account", "macdef"}

const spaces = " \t\r\n"

// lexer cuts a text into words.
type lexer struct {
	text string // what is left of it
	line int    // of where that begins, from 1
}

// keyword gives the next keyword; the empty string at the end. What begins with
// # in its place is a comment up to the end of the line.
func (l *lexer) keyword() (string, error) {
	l.skipSpace()
	for strings.HasPrefix(l.text, "#") {
		l.skipLine()
		l.skipSpace()
	}
	if l.text == "" {
		return "", nil
	}
	word, err := l.word()
	if err != nil {
		return "", err
	}
	if !slices.Contains(keywords, word) {
		return "", l.fail("there is a word where one of %s is due; a name or password with spaces needs quotes", strings.Join(keywords, ", "))
	}
	return word, nil
}

// value gives the word after a keyword, on the same line or a later one.
func (l *lexer) value(key string) (string, error) {
	l.skipSpace()
	if l.text == "" {
		return "", l.fail("%s without a value", key)
	}
	return l.word()
}

// word takes a word off the text: up to the next space, or, as in curl, between
// quotes, where a backslash escapes.
func (l *lexer) word() (string, error) {
	if l.text[0] == '"' {
		return l.quoted()
	}
	end := strings.IndexAny(l.text, spaces)
	if end < 0 {
		end = len(l.text)
	}
	word := l.text[:end]
	l.text = l.text[end:]
	return word, nil
}

func (l *lexer) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(l.text) && l.text[i] != '\n'; i++ {
		switch c := l.text[i]; {
		case c == '"':
			l.text = l.text[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(l.text):
			i++
			b.WriteByte(unescaped(l.text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", l.fail("a quote is not closed on its line")
}

// unescaped is what a character after a backslash stands for.
func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// skipMacro passes over a macro, which ends with an empty line.
func (l *lexer) skipMacro() {
	for l.text != "" {
		l.skipLine()
		if rest := strings.TrimPrefix(l.text, "\r"); strings.HasPrefix(rest, "\n") {
			return
		}
	}
}

func (l *lexer) skipLine() {
	_, rest, more := strings.Cut(l.text, "\n")
	l.text = rest
	if more {
		l.line++
	}
}

func (l *lexer) skipSpace() {
	rest := strings.TrimLeft(l.text, spaces)
	l.line += strings.Count(l.text[:len(l.text)-len(rest)], "\n")
	l.text = rest
}

func (l *lexer) fail(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{l.line}, args...)...)
}
