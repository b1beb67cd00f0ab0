package fetch

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"
)

// Phase is where in a fetch's life it failed.
type Phase uint8

// The phases in life order. A phase that a fetch did not need (a lookup for an
// address, a dial on a reused connection) is not passed through.
const (
	PhaseRequest Phase = iota // the URL or the request itself is refused
	PhaseQueue                // waiting for its host's turn or a free slot
	PhaseLookup               // finding the host's addresses
	PhaseDial                 // connecting to one of them
	PhaseProxy                // reaching a proxy, and a tunnel through it
	PhaseTLS                  // agreeing on keys with the server, and judging its certificate
	PhaseSend                 // sending the request
	PhaseAwait                // waiting for, and reading, the response's head
	PhaseStatus               // judging the head: status, redirects, limits
	PhaseReceive              // receiving the body
	PhaseDecode               // taking its content codings off
	PhaseSave                 // handing the body to the sink
)

var phaseNames = [...]string{"request", "queue", "lookup", "dial", "proxy", "tls", "send", "await", "status", "receive", "decode", "save"}

// String is the word used in messages and reports: "request", "queue",
// "lookup", "dial", "proxy", "tls", "send", "await", "status", "receive",
// "decode" or "save".
func (p Phase) String() string { return phaseNames[p] }

// Error is how a fetch fails: which URL, in which phase, at which attempt, and
// the original cause, be it an errno, a DNS error, an HTTP error, a
// [*TimeoutError], a [*StatusError], a [*LimitError], a [*CodingError], a
// [*ProxyError] around any of these, or a sink's own.
type Error struct {
	URL     string // the URL being fetched when it failed, after redirects
	Phase   Phase
	Attempt int // 1 for the first
	Err     error
}

func (e *Error) Error() string { return e.URL + ": " + e.Phase.String() + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout says whether the cause was a deadline.
func (e *Error) Timeout() bool {
	var t *TimeoutError
	return errors.As(e.Err, &t)
}

// TimeoutError says which deadline passed.
type TimeoutError struct {
	Deadline string        // "lookup", "connect", "send", "first byte", "stall" or "total"
	After    time.Duration // how long was waited
}

func (e *TimeoutError) Error() string {
	switch e.Deadline {
	case "lookup":
		return fmt.Sprintf("no address came within %v (lookup timeout)", e.After)
	case "connect":
		return fmt.Sprintf("no connection within %v (connect timeout)", e.After)
	case "send":
		return fmt.Sprintf("the server took no byte of the request for %v (send timeout)", e.After)
	case "first byte":
		return fmt.Sprintf("no answer within %v (first byte timeout)", e.After)
	case "stall":
		return fmt.Sprintf("no further byte for %v (stall timeout)", e.After)
	}
	return fmt.Sprintf("not done within %v (total timeout)", e.After)
}

// Timeout is true, as in net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// StatusError is a final status that [Options].Accept refuses.
type StatusError struct {
	Code   int    // 100 to 999
	Reason string // the server's own phrase; may be empty
}

func (e *StatusError) Error() string {
	if e.Reason == "" {
		return "status " + strconv.Itoa(e.Code)
	}
	return strconv.Itoa(e.Code) + " " + e.Reason
}

// LimitError is a limit that was reached.
type LimitError struct {
	What  string // what was limited, "body bytes" or "redirects"
	Limit int64
}

func (e *LimitError) Error() string { return fmt.Sprintf("more than %d %s", e.Limit, e.What) }

// RedirectError is a redirect that is not followed.
type RedirectError struct {
	Location string // as the server gave it
	Reason   string
	Err      error // of [Options].CheckRedirect; otherwise nil
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("redirect to %q not followed: %s", e.Location, e.Reason)
}

// Unwrap gives Err, for errors.Is and errors.As.
func (e *RedirectError) Unwrap() error { return e.Err }

// RangeError is a part of a body that is not the part that was asked for.
type RangeError struct {
	Range  string // Content-Range, as the server gave it
	Reason string
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("the server sent the part %q: %s", e.Range, e.Reason)
}

// ShortageError says that descriptors or local ports had run out, and stayed
// so. Until then a shortage is back-pressure: the fetch waits.
type ShortageError struct {
	After time.Duration // how long the loop waited for one to come free
	Err   error         // EMFILE, ENFILE or EADDRNOTAVAIL
}

func (e *ShortageError) Error() string {
	return fmt.Sprintf("none came free within %v: %v", e.After, e.Err)
}

// Unwrap gives the errno.
func (e *ShortageError) Unwrap() error { return e.Err }

// DescriptorLimitError is what New refuses Options.MaxConns with when the
// process may not have descriptors for so many.
type DescriptorLimitError struct {
	MaxConns int // as asked for
	Limit    int // descriptors the process may have (ulimit -n)
	Most     int // connections that there is room for
	Each     int // descriptors that one of them needs
}

func (e *DescriptorLimitError) Error() string {
	return fmt.Sprintf("fetch: MaxConns is %d, but the descriptor limit of %d leaves room for %d connections (%d descriptors each); raise it with ulimit -n",
		e.MaxConns, e.Limit, e.Most, e.Each)
}

// Errors of the engine itself.
var (
	// ErrBusy is what a Fetch yields, once, while another Fetch of the same
	// Fetcher is under way.
	ErrBusy = errors.New("fetch: the Fetcher is busy with another Fetch")

	// ErrClosed is what a Fetch yields, once, after Close.
	ErrClosed = errors.New("fetch: the Fetcher is closed")

	// ErrStopped is what fails the fetches that Stop found waiting.
	ErrStopped = errors.New("fetch: stopped before it was started")

	// ErrPause is what a Body's Write returns, having taken its piece, to be
	// given no more until OpenInfo.Resume; and its Commit, to be called again
	// then.
	ErrPause = errors.New("fetch: paused by the sink")

	// ErrSkip is what a Reserver returns for a request that need not be
	// fetched: it ends with the outcome Skipped and no error.
	ErrSkip = errors.New("fetch: skipped by the sink")
)

// Refused marks the error of a Sink's Open that does not want a response for what
// its head says. The fetch fails in phase status then, as if Options.Accept had
// refused.
func Refused(err error) error { return &refused{err} }

type refused struct{ error }

func (e *refused) Unwrap() error { return e.error }

// Shortage marks the error of a Body that could not open a file because no
// descriptor is free just now: the loop waits, as it does when it cannot open a
// socket, and fails the fetch with a [*ShortageError] when that lasts.
func Shortage(err error) error { return &shortageNow{err} }

type shortageNow struct{ error }

func (e *shortageNow) Unwrap() error { return e.error }

// isShortageNow tells what Shortage marked.
func isShortageNow(err error) bool {
	_, is := errors.AsType[*shortageNow](err)
	return is
}

// isShortage tells the errors of dialling that mean "not now": the process or
// the machine is out of descriptors, or of local ports (socket(2), bind(2),
// connect(2)), or the queue of a server of the Unix domain is full (unix(7)).
func isShortage(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EADDRINUSE) ||
		errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL)
}
