package main

import (
	"fmt"

	"github.com/spf13/pflag"
)

// againFlags are about what an earlier run has left.
func (s *settings) againFlags(f *pflag.FlagSet) {
	f.VarP(continueValue{&s.resume}, "continue-at", "C", "keep what comes of a file that is not finished, and go on with what an earlier run with -C - has kept; to be given as -C -")
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
	noFile := s.output == standard || s.discards()
	switch {
	case s.resume && noFile:
		return usagef("-C and -o %s do not go together: no file is kept that could be gone on with", s.output)
	case s.resume && s.textbook.wanted():
		return usagef("-C and --textbook do not go together: the textbook's program asks for the whole")
	}
	return nil
}
