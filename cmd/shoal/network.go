package main

import (
	"errors"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/shoalfetch/shoal/fetch"
)

// network judges whether there still is one. When everything fails to be found
// or connected to, it is hardly the servers' fault, and a list of a million
// would be marked as failed in no time: then nothing is begun for a while, and
// one fetch goes ahead of the others.
//
// It belongs to the loop, but for its clock.
type network struct {
	wake func()

	failures int // in a row
	host     string
	several  bool // hosts among them
	state    networkState
	begun    bool // the probe is under way
	waited   atomic.Bool
}

type networkState uint8

const (
	networkUp      networkState = iota
	networkWaiting              // nothing begins until the wait is over
	networkProbing              // one fetch may begin, if it has not
	networkGone
)

const (
	// lostAfter is how many must have failed in a row.
	lostAfter = 1000
	// lostPause is how long nothing is begun then.
	lostPause = 5 * time.Second
)

// admits says whether a fetch may begin now.
func (n *network) admits() bool {
	if n.state == networkWaiting && n.waited.Swap(false) {
		n.state, n.begun = networkProbing, false
	}
	return n.state == networkUp || n.state == networkProbing && !n.begun
}

// begin is told of each fetch that begins, and says whether it is the probe.
func (n *network) begin() bool {
	n.begun = n.state == networkProbing
	return n.begun
}

// note is told of each result, and gives the state that follows if that is
// another.
func (n *network) note(res *fetch.Result, err error) (state networkState, changed bool) {
	p, _ := res.Request.Tag.(*place)
	before := n.state
	switch {
	case res.Outcome == fetch.Skipped || !reached(err) && !unreachable(err):
		if p != nil && p.probe && n.state == networkProbing {
			n.pause(0) // it said nothing: another one
			return n.state, false
		}
	case reached(err):
		n.failures, n.host, n.several, n.state = 0, "", false, networkUp
	default:
		n.count(res.Request.URL)
		switch {
		case n.state == networkProbing && p != nil && p.probe:
			n.state = networkGone
		case n.state == networkUp && n.failures >= lostAfter && n.several:
			n.pause(lostPause)
		}
	}
	if before != networkUp && n.state == networkUp {
		n.wake()
	}
	return n.state, n.state != before
}

// count takes one more failure in.
func (n *network) count(rawURL string) {
	n.failures++
	if n.several {
		return
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return
	}
	n.several = n.host != "" && n.host != u.Hostname()
	n.host = u.Hostname()
}

// pause lets nothing begin for a while, and then one fetch.
func (n *network) pause(long time.Duration) {
	n.state = networkWaiting
	time.AfterFunc(long, func() {
		n.waited.Store(true)
		n.wake()
	})
}

// reached says whether a result proves that there is a network.
func reached(err error) bool {
	e, told := errors.AsType[*fetch.Error](err)
	if !told {
		return err == nil
	}
	return e.Phase >= fetch.PhaseTLS && e.Phase <= fetch.PhaseDecode
}

// unreachable says whether a failure may be for want of a network: so may a host
// be that is given up. That there are no descriptors left is another matter. A
// proxy that is not found or does not answer is one for a network that it alone
// leads to; what a proxy says proves nothing either way, for it may be on this
// machine.
func unreachable(err error) bool {
	var e *fetch.Error
	if !errors.As(err, &e) || errors.As(err, new(*fetch.ShortageError)) || errors.As(err, new(*fetch.PrivateAddressError)) || isLeft(err) {
		return false
	}
	phase := e.Phase
	if p, ok := errors.AsType[*fetch.ProxyError](err); ok {
		phase = p.Phase
	}
	return phase == fetch.PhaseLookup || phase == fetch.PhaseDial || errors.As(err, new(*fetch.HostDownError))
}
