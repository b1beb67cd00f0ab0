package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// ask is what the flags say of what is asked for.
type ask struct {
	method  string
	heads   bool // no bodies
	span    spanValue
	referer string
	data    []datum
}

// addAskFlags defines the flags.
func addAskFlags(f *pflag.FlagSet, a *ask) {
	f.StringVarP(&a.method, "request", "X", "", "use the method `METHOD`; a redirect may still ask for GET")
	f.BoolVarP(&a.heads, "head", "I", false, "ask for heads only (HEAD) and print them on standard output; of several URLs each after a line with its URL")
	f.VarP(&a.span, "range", "r", "ask for a part of each file only, as in 0-499, 500- or -500 (the last 500 bytes); a server that sends the whole instead fails")
	f.StringVarP(&a.referer, "referer", "e", "", "send `URL` as the Referer")
	f.Var(dataValue{&a.data, false}, "data", "send DATA in the body of a POST; @FILE is what a file has without its line ends, @- standard input; several are joined by &")
	f.Var(dataValue{&a.data, true}, "data-binary", "as --data, but with the line ends")
}

// given says whether one of the flags was.
func (a *ask) given() bool {
	return a.method != "" || a.heads || a.span.set || a.referer != "" || a.data != nil
}

// checkAsk refuses requests that make no sense. HEAD is -I by another name.
func (s *settings) checkAsk() error {
	a := &s.ask
	switch {
	case s.textbook.wanted() && (a.given() || s.login.given() || s.cookies.given()):
		return usagef("--textbook sends the textbook's request; for another one there is --raw-request")
	case a.method != "" && !isToken(a.method) || a.method == "CONNECT":
		return usagef("-X takes a method, such as PUT, not %s", a.method)
	case a.heads && a.method != "" && a.method != "HEAD":
		return usagef("-I and -X together: -I is -X HEAD")
	case a.span.set && hasField(s.fields, "Range"):
		return usagef("-r and -H Range together: which range should it be?")
	case strings.ContainsAny(a.referer, "\r\n\x00"):
		return usagef("-e takes a URL, which has no line ends")
	}
	a.heads = a.heads || a.method == "HEAD"
	switch {
	case a.heads && a.data != nil:
		return usagef("-I and --data together: should it ask for a head or send a body?")
	case a.heads && s.output != "" && s.output != standard && !s.discards():
		return usagef("-I prints heads on standard output; there is nothing to save with -o")
	case a.heads && s.json == standard:
		return usagef("-I and --json both go to standard output; use --json=FILE")
	}
	return s.checkStdin()
}

// checkStdin refuses to read standard input twice.
func (s *settings) checkStdin() error {
	readers := 0
	for _, d := range s.ask.data {
		if d.text == "@"+standard {
			readers++
		}
	}
	if readers > 1 || readers == 1 && slices.Contains(s.lists, standard) {
		return usagef("--data @- and -i - can be given once in all: standard input can be read once")
	}
	return nil
}

func hasField(fields []fetch.Field, name string) bool {
	return slices.ContainsFunc(fields, func(f fetch.Field) bool { return strings.EqualFold(f.Name, name) })
}

// form is what all requests of a run have in common.
type form struct {
	method string
	body   []byte
	fields []fetch.Field
	known  []fetch.Field // for a URL that has a name and password of its own
}

// newForm makes it of what the flags say.
func (s *settings) newForm(stdin io.Reader) (form, error) {
	f := form{method: s.ask.method}
	f.known, _ = s.fields.split()
	add := func(name, value string) {
		if value != "" && !hasField(f.known, name) {
			f.known = append(f.known, fetch.Field{Name: name, Value: value})
		}
	}
	add("Range", s.ask.span.field())
	add("Referer", s.ask.referer)
	add("Cookie", strings.Join(s.cookies.pairs(), "; "))
	if s.ask.heads {
		f.method = "HEAD"
	}
	if s.ask.data != nil {
		body, err := bodyOf(s.ask.data, stdin)
		if err != nil {
			return f, err
		}
		f.body = body
		if f.method == "" {
			f.method = "POST"
		}
		add("Content-Type", "application/x-www-form-urlencoded")
	}
	f.fields = f.known
	if value := s.login.field(); value != "" && !hasField(f.known, "Authorization") {
		f.fields = append(slices.Clip(f.known), fetch.Field{Name: "Authorization", Value: value})
	}
	return f, nil
}

// fill completes a request.
func (f *form) fill(r *fetch.Request) {
	r.Method, r.Body, r.Fields = f.method, f.body, f.fields
	if len(f.fields) != len(f.known) && fetch.WithoutUserinfo(r.URL) != r.URL {
		r.Fields = f.known
	}
}

// printHead prints the head of a response, if that is what was asked for.
func (r *runner) printHead(res *fetch.Result) {
	if !r.ask.heads || r.discards() || res.Head.IsZero() {
		return
	}
	text := res.Head.Raw() + "\r\n"
	if len(r.lists) > 0 || len(r.urls) > 1 {
		text = fmt.Sprintf("==> %s <==\n%s", view.Plain(fetch.WithoutUserinfo(res.Request.URL)), text)
	}
	if _, err := io.WriteString(r.stdout, text); err != nil {
		r.lostReport(err, standard)
	}
}
