package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shoalfetch/shoal/fetch"
)

// fields are the header fields of -H, which is written as in curl: "Name: value"
// adds a field or replaces one of shoal's own, "Name;" sends it without a value,
// "Name:" takes an earlier one back, or one of shoal's own out.
type fields []fetch.Field

// framingFields are the fields that say where a request ends, and what becomes
// of its connection: whoever sets them falsely smuggles a second request.
var framingFields = []string{"Connection", "Content-Length", "Transfer-Encoding"}

// ownFields are sent with every request, unless they are replaced or taken out.
var ownFields = []string{"Host", "User-Agent", "Accept", "Accept-Encoding"}

// removed is the value of one of shoal's own fields that is to be taken out.
const removed = ""

// Set implements pflag.Value.
func (f *fields) Set(text string) error {
	if strings.ContainsAny(text, "\r\n\x00") {
		return fmt.Errorf("a header field has no line end and no NUL in it")
	}
	name, value, ok := strings.Cut(text, ":")
	value = strings.Trim(value, " \t")
	if bare, empty := strings.CutSuffix(text, ";"); !ok && empty {
		name, value, ok = bare, " ", true // what is left of it on the wire is nothing
	}
	switch {
	case !ok:
		return fmt.Errorf(`a header field is "Name: value", as in -H "Referer: http://localhost/"`)
	case strings.HasPrefix(value, "//") && (name == "http" || name == "https"):
		return fmt.Errorf(`that is a URL; -H takes a header field, as in -H "Referer: %s"`, text)
	case !isToken(name):
		return fmt.Errorf("%q is not the name of a header field", name)
	case slices.ContainsFunc(framingFields, func(own string) bool { return strings.EqualFold(own, name) }):
		return fmt.Errorf("the field %s is written by shoal itself", name)
	}
	return f.enter(name, value)
}

// enter adds a field, or takes those of its name back.
func (f *fields) enter(name, value string) error {
	same := func(other fetch.Field) bool { return strings.EqualFold(other.Name, name) }
	own := slices.ContainsFunc(ownFields, func(own string) bool { return strings.EqualFold(own, name) })
	if value == "" || own {
		*f = slices.DeleteFunc(*f, same)
	}
	switch {
	case value == removed && strings.EqualFold(name, "Host"):
		return fmt.Errorf("every request needs the field Host (RFC 9112 section 3.2); give it another value, as in -H \"Host: x\"")
	case value != removed || own:
		*f = append(*f, fetch.Field{Name: name, Value: value})
	}
	return nil
}

// split gives the fields to send, and the names of those to take out.
func (f fields) split() (send []fetch.Field, omit []string) {
	for _, field := range f {
		if field.Value == removed {
			omit = append(omit, field.Name)
		} else {
			send = append(send, field)
		}
	}
	return send, omit
}

// isToken tells what may name a field (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// String implements pflag.Value.
func (f *fields) String() string { return "" }

// Type implements pflag.Value.
func (*fields) Type() string { return "FIELD" }
