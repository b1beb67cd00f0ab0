package main

import (
	"errors"
	"fmt"
)

// The exit statuses. A run that a signal ended has 128 and the signal's number.
const (
	exitOK      = 0 // everything was fetched, or is there already
	exitFailed  = 1 // some URL failed
	exitUsage   = 2 // the flags make no sense, or a list or folder cannot be opened
	exitStopped = 3 // the run ended before its list did: run it again
	exitSignal  = 128
)

// errFailed says that some URL failed; which ones has been told.
var errFailed = errors.New("some URLs failed")

// errUsage marks errors that are the caller's, for exit status 2.
var errUsage = errors.New("usage")

type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// isUsage says whether the help may help.
func isUsage(err error) bool { return errors.Is(err, errUsage) }

// halt is why a run ended before its list did.
type halt struct {
	status int
	reason string // empty: nobody is left to tell
}

func (h *halt) Error() string { return h.reason }

// statusOf is the exit status that an error means.
func statusOf(err error) int {
	var h *halt
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &h):
		return h.status
	}
	return exitUsage
}
