package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
)

// errInterrupted is the cause of fetches that were under way when the run
// ended.
var errInterrupted = errors.New("the run was ended")

// isLeft says whether a fetch ended only because the run did: it has neither
// succeeded nor failed, and is left for another run.
func isLeft(err error) bool {
	return errors.Is(err, fetch.ErrStopped) || errors.Is(err, errInterrupted)
}

// stopper ends a run before its list does. Its methods are safe from any
// goroutine.
type stopper struct {
	admitNone func() // no fetch begins from now on
	cancel    context.CancelCauseFunc

	mu  sync.Mutex
	why *halt
}

// stop lets no further fetch begin. The first reason stands.
func (s *stopper) stop(status int, format string, args ...any) {
	s.mu.Lock()
	if s.why == nil {
		s.why = &halt{status, fmt.Sprintf(format, args...)}
	}
	s.mu.Unlock()
	s.admitNone()
}

// stopNow is stop, and ends those under way too.
func (s *stopper) stopNow(status int, format string, args ...any) {
	s.stop(status, format, args...)
	s.cancel(errInterrupted)
}

// reason is why the run was ended; nil if it was not.
func (s *stopper) reason() *halt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// judge ends the run if a result says that it should go no further.
func (r *runner) judge(res *fetch.Result, err error) {
	r.judgeNetwork(res, err)
	if err == nil {
		return
	}
	var e *fetch.Error
	if !errors.As(err, &e) {
		e = &fetch.Error{Phase: fetch.PhaseSave, Err: err}
	}
	advice := diskAdvice(err)
	switch {
	case e.Phase == fetch.PhaseSave && advice != "":
		r.stopNow(exitStopped, "%s: %v: %s and run the same command again", r.target(), e.Err, advice)
	case e.Phase == fetch.PhaseRequest && r.strict:
		r.stop(exitUsage, "ended at a line that is no URL (--strict)")
	case r.failEarly:
		r.stopNow(exitFailed, "ended at the first failure (--fail-early)")
	case r.maxFailed.exhausted(r.tally.Failed(), r.tally.Total()):
		r.stop(exitStopped, "more than %v failed (--max-failed)", &r.maxFailed)
	}
}

// diskAdvice is what is to be done about an error after which no other file can
// be saved either; empty for any other.
func diskAdvice(err error) string {
	for _, d := range []struct {
		errno  syscall.Errno
		advice string
	}{
		{syscall.ENOSPC, "free space"},
		{syscall.EDQUOT, "free space"},
		{syscall.EROFS, "make it writable"},
		{syscall.EIO, "see to the disk"},
	} {
		if errors.Is(err, d.errno) {
			return d.advice
		}
	}
	return ""
}

// judgeNetwork pauses the run while there seems to be no network, and ends it
// when none comes back.
func (r *runner) judgeNetwork(res *fetch.Result, err error) {
	state, changed := r.intake.network.note(res, err)
	if !changed {
		return
	}
	switch state {
	case networkWaiting:
		r.say("the last %d fetches could not find or reach their hosts: waiting %v for the network", lostAfter, lostPause)
	case networkUp:
		r.say("the network is there again")
	case networkGone:
		r.stop(exitStopped, "the network is gone: no host could be found or reached; when it is back, run the same command again")
	}
}
