package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// retries are what the flags say of trying again.
type retries struct {
	most    int
	on      causes
	all     bool
	maxTime time.Duration
	delay   time.Duration
}

// Of retries: how many, how long after the first start, and the longest pause
// unless --retry-delay is longer.
const (
	defaultRetries   = 2
	defaultRetryTime = 5 * time.Minute
	longestPause     = time.Minute
)

func addRetryFlags(f *pflag.FlagSet, r *retries) {
	*r = retries{most: defaultRetries, maxTime: defaultRetryTime, delay: time.Second}
	f.Var(countValue{&r.most, 0, "--retry 5"}, "retry", "try again at most N times what failed and may be over the next time; 0 is never. A download that broke off goes on where it was, if the server lets it")
	f.Var(&r.on, "retry-on", "try again after these failures, instead of the usual ones: statuses (404), groups of them (5xx) and kinds of failure ("+strings.Join(view.Retriable, ", ")+"), with commas between; usual stands for the usual ones: 408, 425, 429, 500, 502, 503, 504, 522, 524, names and servers that cannot be reached, and answers that break off or do not come")
	f.BoolVar(&r.all, "retry-all-errors", false, "try again after every failure of a server or the network")
	f.Var(durationValue{&r.maxTime, true}, "retry-max-time", "try nothing again this long after its start; a server that asks for a longer pause (Retry-After) has its URL fail at once; 0 is no limit")
	f.Var(durationValue{&r.delay, false}, "retry-delay", "wait up to this long before the first retry, twice as long before each next one; how long within that is chance")
}

// policy is the same in the engine's terms.
func (r *retries) policy() fetch.Retry {
	p := fetch.Retry{Max: r.most, Delay: r.delay, MaxDelay: max(r.delay, longestPause), MaxTime: r.maxTime}
	if r.maxTime == 0 {
		p.MaxTime = -1 // the engine's own zero is its default
	}
	switch {
	case r.all:
		p.When = outside
	case r.on.given != "":
		p.When = r.on.match
	}
	return p
}

// outside says whether a failure came from a server or the network, and not
// from the request or from where it was to be saved.
func outside(e *fetch.Error, _ *fetch.Head) bool {
	return e.Phase > fetch.PhaseQueue && e.Phase < fetch.PhaseSave
}

// causes are the failures that --retry-on names.
type causes struct {
	given    string
	statuses []int // from 1 to 9 for those of a hundred
	kinds    []string
	usual    bool
}

// usual is the word for what is tried again without --retry-on.
const usual = "usual"

// Set implements pflag.Value. Given twice, both lists count.
func (c *causes) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		status, err := statusOrGroup(word)
		switch {
		case word == usual:
			c.usual = true
		case slices.Contains(view.Retriable, word):
			c.kinds = append(c.kinds, word)
		case err != nil:
			return err
		default:
			c.statuses = append(c.statuses, status)
		}
	}
	c.given = strings.TrimPrefix(c.given+","+text, ",")
	return nil
}

// statusOrGroup reads 404, or 4xx as 4.
func statusOrGroup(word string) (int, error) {
	digits, least, most := word, 100, 999
	if group, ok := strings.CutSuffix(strings.ToLower(word), "xx"); ok {
		digits, least, most = group, 1, 9
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || int(n) < least || int(n) > most {
		return 0, fmt.Errorf("%q is no status (404), no group of them (5xx), not %s, and no kind of failure that can be tried again: %s",
			word, usual, strings.Join(view.Retriable, ", "))
	}
	return int(n), nil
}

// match is for fetch.Retry.
func (c *causes) match(e *fetch.Error, h *fetch.Head) bool {
	if c.usual && fetch.Transient(e, h) {
		return true
	}
	var status *fetch.StatusError
	if errors.As(e.Err, &status) && (slices.Contains(c.statuses, status.Code) || slices.Contains(c.statuses, status.Code/100)) {
		return true
	}
	return outside(e, h) && slices.Contains(c.kinds, view.KindOf(e))
}

// String implements pflag.Value.
func (c *causes) String() string {
	if c == nil {
		return ""
	}
	return c.given
}

// Type implements pflag.Value.
func (*causes) Type() string { return "LIST" }
