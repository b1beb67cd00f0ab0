package sim

import (
	"fmt"
	"net/netip"
)

// The rules. Each of these is a violation:
//
//   - a call with a descriptor that is not open or is of the wrong kind, among
//     them the second close of one;
//   - Connect twice on one socket, or with an address of another family;
//   - Bind after Connect, or twice, or with an address of another family;
//   - Send or Recv before the connect has ended well: SO_ERROR is 0 while the
//     connect is under way, and an event may be spurious, so only Connected
//     tells;
//   - Send or Recv of no bytes (a Recv into nothing looks like the end);
//   - Add of what is in the poller already, Modify or Remove of what is not;
//     an empty interest, the reserved token, a descriptor epoll cannot watch;
//   - a close of what is still in the poller;
//   - Wait with no room for an event; Wait for ever when nothing is to happen;
//     Wait 10,000 times in a row without sleeping or acting;
//   - Splice from a socket that is not connected, or into a file that Write
//     would not be allowed to write to;
//   - a name that is not one plain path component;
//   - writing to a file after it was renamed or unlinked. Renaming an open file
//     is allowed; closing is then all that may follow;
//   - renaming a file after a write to it or its close failed with EIO, or a
//     Splice lost bytes: the file is not whole;
//   - a request that HTTP servers cannot read (bytes lost or sent twice);
//   - a lookup on the loop's own thread; one id submitted twice at a time;
//     Submit after the Runner's Close;
//   - closing the kernel before everything else; any call after that.

// Violations lists what was done against the rules, in order.
func (k *Kernel) Violations() []string { return k.violations }

// violate records a violation and tells Fatal, or panics.
func (k *Kernel) violate(format string, args ...any) {
	text := k.verdict(format, args...)
	if k.Fatal == nil {
		panic(text)
	}
	k.Fatal(text)
}

// verdict records a violation and gives its full text.
func (k *Kernel) verdict(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	k.note(callViolation, 0, 0, 0, nil, text)
	text = fmt.Sprintf("sim: seed %d at %v: %s", k.seed, k.now, text)
	k.violations = append(k.violations, text)
	return text
}

// Counts is what a checker may want to bound.
type Counts struct {
	Calls    uint64 // all system calls
	Waits    uint64 // of them, calls of Wait
	Events   uint64 // what Wait gave, chaos included
	Idle     uint64 // Waits that truly had something ready, after which nothing was called before the next
	Expired  uint64 // Waits that ended by their timeout, after which nothing was called before the next
	Needless uint64 // Modify calls that changed nothing
	Wakes    uint64 // Waits that ended by Wake
	Beside   uint64 // calls made by work given to a Runner

	Opened      int // sockets made
	Sockets     int // sockets open now
	MostSockets int // open at once, at most
	Conns       int // connections that servers accepted
	Requests    int // whole requests that HTTP servers got

	Received uint64 // bytes that Recv and Splice took
	Sent     uint64 // bytes that Send took
	Written  uint64 // bytes that Write and Splice put into files
}

// Counts are the numbers so far.
func (k *Kernel) Counts() Counts { return k.counts }

// MostSocketsTo is how many sockets were open at once, at most, on which
// Connect had been called with an address.
func (k *Kernel) MostSocketsTo(address netip.AddrPort) int {
	return k.mostTo[plain(address)]
}

// quiet watches for Waits that lead to nothing.
type quiet struct {
	last  reason
	acts  bool
	spins int
}

// spinsMax is how many Waits in a row may neither sleep nor lead to a call.
const spinsMax = 10_000

// acted says that a call came after the last Wait.
func (q *quiet) acted() { q.acts, q.spins = true, 0 }

// judge looks back, at a Wait, on the Wait before.
func (k *Kernel) judge() {
	q := &k.quiet
	if q.acts {
		q.acts = false
		return
	}
	switch q.last {
	case reasonReady:
		k.counts.Idle++
		q.spins++
	case reasonTimeout:
		k.counts.Expired++
		q.spins = 0
	case reasonNothing:
		q.spins++
	}
	if q.spins >= spinsMax {
		q.spins = 0
		k.violate("the loop spins: %d Waits in a row that did not sleep and led to no call", spinsMax)
	}
}
