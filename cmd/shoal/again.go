package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/pflag"
)

// againFlags are about what an earlier run has left.
func (s *settings) againFlags(f *pflag.FlagSet) {
	f.VarP(continueValue{&s.resume}, "continue-at", "C", "keep what comes of a file that is not finished, and go on with what an earlier run with -C - has kept; to be given as -C -")
	f.StringVar(&s.stateFile, "state", "", "remember in `FILE` what became of each URL: the next run asks only for what has changed since, and gives no URL the name of another one's file")
	f.BoolVar(&s.skipComplete, "skip-complete", false, "do not even ask for what --state has as complete, also if its file has been taken elsewhere since")
}

// continueValue is the value of -C: curl takes an offset too.
type continueValue struct{ to *bool }

// Set implements pflag.Value.
func (v continueValue) Set(text string) error {
	if text != standard {
		return fmt.Errorf("it takes - and no offset, not %s: shoal knows where what it has ends (-C -; for a part of a file, -r)", text)
	}
	*v.to = true
	return nil
}

// String implements pflag.Value.
func (v continueValue) String() string {
	if v.to == nil || !*v.to {
		return ""
	}
	return standard
}

// Type implements pflag.Value.
func (continueValue) Type() string { return "-" }

// checkAgain refuses what needs files where none are made.
func (s *settings) checkAgain() error {
	noFile := s.output == standard || s.discards() || s.ask.heads
	switch {
	case s.resume && noFile:
		return usagef("-C - needs a file to keep, which -I and -o %s do not make", cmp.Or(s.output, standard))
	case s.resume && s.textbook.wanted():
		return usagef("-C and --textbook do not go together: the textbook's program asks for the whole")
	case s.polite && s.ask.span.set:
		return usagef("--polite and -r do not go together: robots.txt is asked for as a whole")
	case s.polite && s.textbook.wanted():
		return usagef("--polite and --textbook do not go together: the textbook's program asks nobody")
	case s.skipComplete && s.stateFile == "":
		return usagef("--skip-complete needs --state FILE, to know by")
	case s.stateFile != "" && (noFile || s.textbook.wanted()):
		return usagef("--state remembers files, which -I, --textbook and -o %s do not make", cmp.Or(s.output, standard))
	case s.stateFile != "" && (s.ask.method != "" || s.ask.span.set || s.ask.data != nil || hasField(s.fields, "Range")):
		return usagef("--state remembers whole files, got by GET: not with -X, -r, --data or -H Range")
	}
	return nil
}
