package robots

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// group says which groups of rules a line belongs to.
type group uint8

const (
	others   group = 0
	everyone group = 1 << iota // User-agent: *
	agents                     // one that names the agent
)

// parser reads a file line by line. What is for everyone, and what is for the
// agent by name, it keeps apart: only one of them counts.
type parser struct {
	token   string
	group   group // of the line
	inRules bool  // the last User-agent line was followed by a rule
	named   bool  // there is a group that names the agent

	anyones, own Rules
}

// Parse reads a robots.txt for an agent, of which it wants the [Token]. What
// cannot be understood is passed over, as is what follows the first Bytes.
// The rules hold no part of the text.
func Parse(text, token string) *Rules {
	if len(text) > Bytes {
		// A rule that is cut would match more than was meant.
		text = text[:strings.LastIndexAny(text[:Bytes], "\r\n")+1]
	}
	p := parser{token: token}
	text = strings.TrimPrefix(text, "\ufeff")
	for line := 1; text != ""; line++ {
		var content string
		content, text = cutLine(text)
		content, _, _ = strings.Cut(content, "#")
		if key, value, ok := strings.Cut(content, ":"); ok {
			p.record(line, strings.ToLower(strings.Trim(key, " \t")), strings.Trim(value, " \t"))
		}
	}
	if p.named {
		return p.own.sorted()
	}
	return p.anyones.sorted()
}

// cutLine cuts a text after its first line, however that ends: with CR, LF or
// both.
func cutLine(text string) (line, rest string) {
	end := strings.IndexAny(text, "\r\n")
	if end < 0 {
		return text, ""
	}
	line, rest = text[:end], text[end+1:]
	if text[end] == '\r' {
		rest = strings.TrimPrefix(rest, "\n")
	}
	return line, rest
}

// record takes one line. Those that RFC 9309 does not know change nothing in
// how the others are read (section 2.2.4).
func (p *parser) record(line int, key, value string) {
	switch key {
	case "user-agent":
		p.userAgent(value)
	case "allow", "disallow":
		p.inRules = true
		// An empty value is no rule, and one that does not begin like a path
		// matches none.
		if strings.HasPrefix(value, "/") || strings.HasPrefix(value, "*") {
			text := strings.Clone(value)
			p.each(func(r *Rules) {
				r.rules = append(r.rules, rule{newPattern(text), key == "allow", line, text})
			})
		}
	case "crawl-delay":
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
			delay := time.Duration(min(seconds, Freshness.Seconds()) * float64(time.Second))
			p.each(func(r *Rules) { r.delay = max(r.delay, delay) })
		}
	}
}

// userAgent begins a group, or adds an agent to the one that begins. Groups of
// the same agent are one (RFC 9309 section 2.2.1).
func (p *parser) userAgent(value string) {
	if p.inRules {
		p.group, p.inRules = others, false
	}
	if value == "*" || strings.HasPrefix(value, "* ") || strings.HasPrefix(value, "*\t") {
		p.group |= everyone
	}
	if token := Token(value); token != "" && strings.EqualFold(token, p.token) {
		p.group |= agents
		p.named = true
	}
}

// each does something to the rules that the line is about.
func (p *parser) each(do func(*Rules)) {
	if p.group&everyone != 0 {
		do(&p.anyones)
	}
	if p.group&agents != 0 {
		do(&p.own)
	}
}

// sorted puts first what counts if it matches.
func (r *Rules) sorted() *Rules {
	slices.SortStableFunc(r.rules, func(a, b rule) int {
		if longer := cmp.Compare(b.pattern.length, a.pattern.length); longer != 0 || a.allow == b.allow {
			return longer
		}
		if a.allow {
			return -1
		}
		return 1
	})
	r.rules = slices.Clip(r.rules)
	return r
}
