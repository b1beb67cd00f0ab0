package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manPage is shoal(1), in the language of man(7): what --help tells, of the
// subcommands too. It bears no date, so that it changes only with what it says.
func manPage(root *cobra.Command, groups []group) string {
	var m manual
	m.line(`.TH SHOAL 1 "" "shoal %s" "User Commands"`, version)
	m.section("NAME")
	m.line(`shoal \- %s`, roff(root.Short))
	m.section("SYNOPSIS")
	m.line(".B %s", roff(root.Use))
	for _, c := range shownCommands(root) {
		m.line(".br\n.B %s", roff("shoal "+c.Use))
	}
	m.section("DESCRIPTION")
	m.line("%s", roff(root.Long))
	m.section("OPTIONS")
	for _, g := range groups {
		m.line(".SS %s", roff(g.title))
		m.flags(g.flags)
	}
	m.section("COMMANDS")
	for _, c := range shownCommands(root) {
		m.command(c)
	}
	_, statuses, _ := strings.Cut(strings.TrimSpace(exitHelp), "\n")
	m.section("EXIT STATUS")
	m.verbatim(statuses)
	m.section("EXAMPLES")
	m.verbatim(root.Example)
	return m.String()
}

// shownCommands are the subcommands that --help lists.
func shownCommands(root *cobra.Command) (shown []*cobra.Command) {
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			shown = append(shown, c)
		}
	}
	return shown
}

// manual is a page that is being written.
type manual struct{ strings.Builder }

func (m *manual) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }
func (m *manual) section(title string)            { m.line(".SH %s", title) }

// verbatim keeps lines as they are.
func (m *manual) verbatim(text string) { m.line(".nf\n%s\n.fi", roff(text)) }

func (m *manual) command(c *cobra.Command) {
	m.line(".SS %s", roff("shoal "+c.Use))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	m.line("%s", roff(text))
	m.flags(c.LocalFlags())
}

func (m *manual) flags(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		m.line(".TP\n%s", heading(f, value))
		if d := f.DefValue; d != "" && d != "0" && d != "false" && d != "[]" {
			usage += " (default " + d + ")"
		}
		m.line("%s", roff(usage))
	})
}

// heading is a flag and its value, as they are typed.
func heading(f *pflag.Flag, value string) string {
	text := bold("--" + f.Name)
	if f.Shorthand != "" {
		text = bold("-"+f.Shorthand) + ", " + text
	}
	switch {
	case value == "":
		return text
	case f.NoOptDefVal != "":
		return text + "[=" + italic(value) + "]"
	}
	return text + " " + italic(value)
}

func bold(text string) string   { return `\fB` + roff(text) + `\fR` }
func italic(text string) string { return `\fI` + roff(text) + `\fR` }

// roff escapes what troff would take for its own: backslashes, dashes, which it
// sets as hyphens that no shell knows, and controls at the beginnings of lines.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
