package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setHelp gives a command a help in which the flags stand in groups. Its
// subcommands keep the usual one.
func setHelp(root *cobra.Command, groups []group) {
	usual := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		if c != root {
			usual(c, args)
			return
		}
		w := c.OutOrStdout()
		fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n", c.Long, c.UseLine())
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" {
				fmt.Fprintf(w, "  shoal %-22s %s\n", sub.Use, sub.Short)
			}
		}
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
		for _, g := range groups {
			printGroup(w, g)
		}
		fmt.Fprint(w, exitHelp)
	})
}

const exitHelp = `
Exit status:
  0  everything was fetched, or is there already
  1  some URL failed
  2  the command line, a list or a folder is wrong
  3  the run ended before its list did: run it again
  128+n  signal n ended it
`

// The columns of a help text.
const (
	helpIndent = 29
	helpWidth  = 80
)

func printGroup(w io.Writer, g group) {
	fmt.Fprintf(w, "\n%s:\n", g.title)
	g.flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		flag := "      --" + f.Name
		if f.Shorthand != "" {
			flag = "  -" + f.Shorthand + ", --" + f.Name
		}
		switch {
		case f.NoOptDefVal == standard:
			flag += "[=" + name + "]"
		case name != "":
			flag += " " + name
		}
		if d := f.DefValue; d != "" && d != "0" && d != "false" && d != "[]" {
			usage += " (default " + d + ")"
		}
		printFlag(w, flag, strings.Fields(usage))
	})
}

// printFlag sets a flag's words beside it, or below if it is long.
func printFlag(w io.Writer, flag string, words []string) {
	line := flag
	if len(line) >= helpIndent {
		fmt.Fprintln(w, line)
		line = ""
	}
	line += strings.Repeat(" ", helpIndent-len(line)-1)
	for _, word := range words {
		if len(line)+1+len(word) > helpWidth {
			fmt.Fprintln(w, line)
			line = strings.Repeat(" ", helpIndent-1)
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}
