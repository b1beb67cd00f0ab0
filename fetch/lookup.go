package fetch

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// lookup is one question for the addresses of one name, however many jobs wait
// for the answer. What came of it is remembered for a while.
type lookup struct {
	name    string
	id      uint64
	waiters list[job, *job]
	cancel  context.CancelFunc
	answer  *answer       // written by a worker, read after it has finished
	until   time.Duration // finished: when to ask again; 0: under way
}

// answer is what a worker hands over by finishing.
type answer struct {
	addrs []netip.Addr
	err   error
}

// How long an answer is remembered, in want of a time to live, and how many
// names are.
const (
	lookupKept       = 60 * time.Second
	lookupFailedKept = 5 * time.Second
	lookupMost       = 10_000
)

var errNoAddress = errors.New("the name has no address")

// resolve brings a job to its host's addresses: at once where they are known,
// or when the lookup has finished.
func (l *loop) resolve(j *job) {
	if j.origin.literal != nil {
		j.lookup = j.origin.literal
		l.resolved(j)
		return
	}
	name := j.origin.route.host
	k := l.names[name]
	if k == nil || k.until != 0 && k.until <= l.now {
		k = l.ask(name)
	}
	j.lookup = k
	if k.until == 0 {
		l.setJob(j, jobLookingUp)
		k.waiters.pushBack(j)
		l.slots++
		j.origin.slots++
		return
	}
	l.resolved(j)
}

// resolved goes on with a job whose host's addresses are known, or known not
// to be.
func (l *loop) resolved(j *job) {
	err := j.lookup.answer.err
	if isResolverShortage(err) {
		l.short(j, PhaseLookup, err)
		return
	}
	if err != nil {
		j.attempt++
		l.finish(j, PhaseLookup, err)
		return
	}
	l.setJob(j, jobRunning)
	l.startDial(j)
}

// ask starts a lookup beside the loop.
func (l *loop) ask(name string) *lookup {
	if len(l.names) >= lookupMost {
		l.dropAnswers()
	}
	l.asked++
	ctx, cancel := context.WithCancel(l.lookupContext)
	k := &lookup{name: name, id: l.asked, cancel: cancel, answer: new(answer)}
	l.names[name] = k
	l.lookups[k.id] = k
	resolver, a, deny := l.options.Resolver, k.answer, l.options.DenyPrivate
	l.workers.Submit(k.id, func() {
		var addrs []netip.Addr
		addrs, a.err = resolver.LookupNetIP(ctx, "ip", name)
		for _, addr := range addrs {
			a.addrs = append(a.addrs, addr.Unmap())
		}
		if a.err == nil && len(a.addrs) == 0 {
			a.err = errNoAddress
		}
		if deny {
			a.deny(name)
		}
	})
	return k
}

// deny takes the private addresses out of an answer.
func (a *answer) deny(host string) {
	if a.err == nil {
		a.addrs, a.err = public(host, a.addrs)
	}
}

// answered is called for each piece of work that has finished: a lookup, or the
// judgement of a certificate. One that nobody waits
// for any longer is no longer known.
func (l *loop) answered(id uint64) {
	k := l.lookups[id]
	if k == nil {
		l.verified(id)
		return
	}
	delete(l.lookups, id)
	k.cancel()
	k.until = l.now + lookupKept
	switch {
	case isResolverShortage(k.answer.err):
		k.until = l.now // no answer at all: ask again
	case k.answer.err != nil:
		k.until = l.now + lookupFailedKept
	}
	for j := k.waiters.first; j != nil; j = k.waiters.first {
		l.leaveLookup(j)
		l.resolved(j)
	}
}

// isResolverShortage tells a resolver that found no descriptor for its own
// socket. Package net keeps only the text of that error, and calls it a failed
// lookup, which it is not.
func isResolverShortage(err error) bool {
	return err != nil && (isShortage(err) || strings.Contains(err.Error(), syscall.EMFILE.Error()))
}

// leaveLookup takes a job out of the line for an answer. A lookup whose last
// waiter gave up is forgotten, so that the next job asks afresh.
func (l *loop) leaveLookup(j *job) {
	k := j.lookup
	k.waiters.remove(j)
	l.slots--
	j.origin.slots--
	l.markReady(j.origin)
	if k.waiters.count == 0 && k.until == 0 {
		delete(l.lookups, k.id)
		k.cancel()
		if l.names[k.name] == k {
			delete(l.names, k.name)
		}
	}
}

// dropAnswers makes room among the remembered names.
func (l *loop) dropAnswers() {
	for name, k := range l.names {
		if k.until != 0 {
			delete(l.names, name)
		}
	}
}
