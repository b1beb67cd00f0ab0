package http1

import (
	"fmt"
	"strconv"
	"strings"
)

// exchange is one response to read: the request it answers, the limits it is
// read under, its bytes, and whether the server closes after them.
type exchange struct {
	method string
	limits *Limits
	input  string
	closes bool
}

// transcript is what a parser makes of an exchange: a line for each event, with
// all that can be asked of the parser at that moment.
type transcript struct {
	log  strings.Builder
	body []byte
	raw  string // the heads and the trailer, as Raw and Trailer give them
	rest string
	kind Kind // of the last event
	err  error
	used bool // KeepAlive after Done
}

// read runs a parser over the exchange. cut says how many of the n bytes left
// to feed next. Every piece is fed from a buffer of its own, which is spoiled
// as soon as the parser has no right to it any more.
func (x exchange) read(cut func(n int) int) *transcript {
	t := &transcript{}
	var p Parser
	p.Reset(x.method, x.limits)
	for input := x.input; ; {
		n := 0
		if input != "" {
			n = cut(len(input))
		}
		piece := []byte(input[:n])
		input = input[n:]
		p.Feed(piece)
		if input == "" && x.closes {
			p.EOF()
		}
		t.drain(&p)
		if t.kind == Done && input != "" && len(p.Rest()) == 0 {
			p.Feed([]byte(input))
			input = ""
		}
		t.rest = string(p.Rest()) + input
		spoil(piece)
		if t.err != nil || t.kind == Done || input == "" {
			t.finish(&p)
			return t
		}
	}
}

// drain takes events until the parser wants more or is at an end.
func (t *transcript) drain(p *Parser) {
	for {
		t.kind, t.err = p.Next()
		if t.err != nil || t.kind == NeedData || t.kind == Done {
			return
		}
		t.note(p)
	}
}

func (t *transcript) note(p *Parser) {
	if t.kind == Body {
		t.body = append(t.body, p.Data()...)
		spoil(p.Data())
		return
	}
	h := p.Head()
	t.raw += h.Raw() + "|"
	fmt.Fprintf(&t.log, "%s HTTP/1.%d %d", t.kind, h.Minor, h.Status)
	if h.Reason() != "" {
		fmt.Fprintf(&t.log, " %s", escape(h.Reason()))
	}
	if t.kind == Final {
		fmt.Fprintf(&t.log, "; body: %s", p.Framing())
		if p.Framing() == Length {
			fmt.Fprintf(&t.log, " %d", p.Length())
		}
	}
	t.log.WriteByte('\n')
	t.fields(h.Section())
}

func (t *transcript) fields(s Section) {
	for name, value := range s.Fields() {
		line := fmt.Sprintf("  %s: %s", escape(name), escape(value))
		fmt.Fprintln(&t.log, strings.TrimRight(line, " "))
	}
}

func (t *transcript) finish(p *Parser) {
	if len(t.body) > 0 {
		fmt.Fprintf(&t.log, "body %s\n", escape(string(t.body)))
	}
	switch {
	case t.err != nil:
		fmt.Fprintf(&t.log, "error %s\n", t.err)
	case t.kind == Done:
		t.raw += string(p.Trailer())
		t.used = p.KeepAlive()
		fmt.Fprintf(&t.log, "done, %s\n", map[bool]string{true: "may be reused", false: "not to be reused"}[t.used])
		t.fields(p.Trailer())
		if len(t.rest) > 0 {
			fmt.Fprintf(&t.log, "rest %s\n", escape(t.rest))
		}
	default:
		t.log.WriteString("wants more\n")
	}
}

func spoil(b []byte) {
	for i := range b {
		b[i] = 0xAA
	}
}

// escape writes bytes as testdata has them.
func escape(s string) string {
	quoted := strconv.QuoteToASCII(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// unescape is the reverse.
func unescape(s string) (string, error) {
	return strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
}

func whole(n int) int                { return n }
func oneByOne(n int) int             { return 1 }
func (t *transcript) String() string { return t.log.String() }
