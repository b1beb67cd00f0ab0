package main

import (
	"math"
	"time"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/rate"
)

// manners are what the flags say of how the run holds itself back.
type manners struct {
	rate, perHost         rateValue
	wait                  time.Duration
	bytes, bytesEach      int64
	noAdapting, noGiveUps bool
}

func addMannerFlags(f *pflag.FlagSet, m *manners) {
	*m = manners{}
	f.Var(&m.rate, "rate", "start at most so many requests in a time, as in 10/s, 30/m or 1000/h; each try and each redirect is one")
	f.Var(&m.perHost, "rate-per-host", "start at most so many to one host and port")
	f.Var(durationValue{&m.wait, true}, "wait", "pause so long between two starts at one host and port; each pause is between half of it and one and a half, by chance")
	f.Var(sizeValue{&m.bytes, math.MaxInt64 / 2}, "limit-rate", "receive at most SIZE bytes a second, over all connections together")
	f.Var(sizeValue{&m.bytesEach, math.MaxInt64 / 2}, "limit-rate-each", "receive at most SIZE bytes a second over each connection")
	f.BoolVar(&m.noAdapting, "no-adapt", false, "leave a host that answers 429 or 503, or not in time, all its connections: otherwise it gets half of them, and more again as it answers well, and rests as long as it asks for (Retry-After), up to a minute")
	f.BoolVar(&m.noGiveUps, "no-host-down", false, "go on with a host that cannot be looked up or connected to: otherwise it rests for a minute after five failures in a row, and after three rests what is left for it fails untried, as host-down")
}

// policy is the same in the engine's terms.
func (m *manners) policy() fetch.Manners {
	return fetch.Manners{
		Rate:               m.rate.perSecond,
		RatePerHost:        m.perHost.perSecond,
		Wait:               m.wait,
		BytesPerSecond:     m.bytes,
		BytesPerSecondEach: m.bytesEach,
		Adapt:              !m.noAdapting,
		GiveUp:             !m.noGiveUps,
	}
}

// starts says whether starts are held back.
func (m *manners) starts() bool {
	return m.rate.perSecond > 0 || m.perHost.perSecond > 0 || m.wait > 0
}

// shareOfManners is what each of n loops gets of what holds for the whole
// run. Each host is one loop's, and so is what holds for hosts.
func shareOfManners(whole fetch.Manners, n int) fetch.Manners {
	whole.Rate /= float64(n)
	if whole.BytesPerSecond > 0 {
		whole.BytesPerSecond = max(1, whole.BytesPerSecond/int64(n))
	}
	return whole
}

// rateValue is a flag's so many in a time.
type rateValue struct {
	perSecond float64
	given     string
}

// Set implements pflag.Value.
func (v *rateValue) Set(text string) (err error) {
	v.perSecond, err = rate.Parse(text)
	v.given = text
	return err
}

// String implements pflag.Value.
func (v *rateValue) String() string { return v.given }

// Type implements pflag.Value.
func (*rateValue) Type() string { return "N/TIME" }

// mannerFlags are all that is about the manners of a run.
func (s *settings) mannerFlags(f *pflag.FlagSet) {
	addMannerFlags(f, &s.manners)
	f.BoolVar(&s.polite, "polite", false, "ask each site's robots.txt first, and fetch nothing that it, or X-Robots-Tag in a response's head, does not allow to the name in -A, redirects included; a site whose robots.txt cannot be had allows nothing, and its Crawl-delay is kept")
}
