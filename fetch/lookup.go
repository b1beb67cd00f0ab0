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
	host    lookupHost
	id      uint64
	waiters list[job, *job]
	cancel  context.CancelFunc
	answer  *answer       // written by a worker, read after it has finished
	until   time.Duration // finished: when to ask again; 0: under way
}

// lookupHost is whose addresses are looked up. A proxy's may be private where
// those of other hosts may not.
type lookupHost struct {
	name  string
	proxy bool
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

// resolve brings a job to its host's addresses, or its proxy's: at once where
// they are known, or when the lookup has finished. A job whose proxy is given
// addresses needs both: the host's first.
func (l *loop) resolve(j *job) {
	if l.unix != nil {
		j.lookup = l.unix
		l.resolved(j)
		return
	}
	r := &j.origin.route
	name, _ := r.end()
	host := lookupHost{name: name}
	if r.proxy.kind != noProxy && !j.looksBeyond() {
		host = lookupHost{name: r.proxy.host, proxy: true}
	}
	k := l.find(host)
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
	if j.looksBeyond() {
		j.becomeSpecial().beyond = j.lookup
		l.resolve(j)
		return
	}
	l.setJob(j, jobRunning)
	l.startDial(j)
}

// find gives the lookup of a host that is under way or remembered, or begins
// one.
func (l *loop) find(host lookupHost) *lookup {
	k := l.names[host]
	if k == nil || k.until != 0 && k.until <= l.now {
		k = l.ask(host)
	}
	return k
}

// looksBeyond says whether a job needs its host's addresses, for its proxy,
// before those of the proxy.
func (j *job) looksBeyond() bool {
	return j.origin.route.proxy.kind == socksProxy && (j.special == nil || j.special.beyond == nil)
}

// whoseName says for the event whose name a job has looked up: 1 the proxy's, 0
// the host's.
func (j *job) whoseName() int {
	if j.origin.route.proxy.kind == noProxy || j.looksBeyond() {
		return 0
	}
	return 1
}

// beyond is the address that the proxy is to be asked for next.
func (j *job) beyond() *netip.Addr { return &j.special.beyond.answer.addrs[j.special.asked] }

// forgetAddresses lets a job that starts again ask for addresses again.
func (j *job) forgetAddresses() {
	j.lookup, j.tried = nil, 0
	if j.special != nil {
		j.special.beyond, j.special.asked = nil, 0
	}
}

// ask starts a lookup beside the loop. A host that is an address needs none.
func (l *loop) ask(host lookupHost) *lookup {
	if len(l.names) >= lookupMost {
		l.dropAnswers()
	}
	name, deny := host.name, l.options.DenyPrivate && !host.proxy
	if a, ok := literal(name); ok {
		k := &lookup{host: host, answer: &answer{addrs: []netip.Addr{a.Unmap()}}, until: never}
		if deny {
			k.answer.deny(name)
		}
		l.names[host] = k
		return k
	}
	l.asked++
	ctx, cancel := context.WithCancel(l.lookupContext)
	k := &lookup{host: host, id: l.asked, cancel: cancel, answer: new(answer)}
	l.names[host] = k
	l.lookups[k.id] = k
	resolver, a := l.options.Resolver, k.answer
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
		if l.names[k.host] == k {
			delete(l.names, k.host)
		}
	}
}

// dropAnswers makes room among the remembered names.
func (l *loop) dropAnswers() {
	for host, k := range l.names {
		if k.until != 0 {
			delete(l.names, host)
		}
	}
}
