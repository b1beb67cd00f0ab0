package fetch

import (
	"net/netip"
	"syscall"
	"time"
)

// EventKind says what happened.
type EventKind uint8

// The events: changes of state of the three machines, and the system calls the
// loop makes for them.
const (
	JobQueued    EventKind = iota
	JobLookingUp           // N: 1 of the proxy's name, 0 of the host's
	JobRunning
	JobBackingOff // N: which retry it waits for, from 1
	JobDone       // N: the Outcome

	ConnDialing
	ConnHandshaking // with a proxy, or with the origin
	ConnTunnelling  // N, Of: as with ConnOpen, of TLS with the proxy
	ConnOpen        // N: the version of TLS, Of: the cipher suite; 0 without TLS
	ConnClosed

	ExchangeSending
	ExchangeAwaiting
	ExchangeReceiving
	ExchangeDone

	CallConnect // Errno: EINPROGRESS is the usual answer
	CallSend    // N: bytes taken; Of: bytes offered
	CallRecv    // N: bytes that had come; 0 without Errno is the end
	CallSplice  // N: bytes moved
	Paused      // by the sink
	Resumed

	// What a job has shown of its host, see [Manners].
	HostSlowed // N: connections that the host may have from now on; Of: milliseconds it is left alone
	HostRests  // N: lookups and connects in a row that failed; Of: milliseconds it is left alone
	HostDown   // N: the same; nothing is tried there any more
)

var eventNames = [...]string{
	"queued", "looking up", "running", "backing off", "done",
	"dialing", "handshaking", "tunnelling", "open", "closed",
	"sending", "awaiting", "receiving", "exchange done",
	"connect", "send", "recv", "splice", "paused", "resumed",
	"host slowed", "host rests", "host down",
}

// String names the kind as the views print it.
func (k EventKind) String() string { return eventNames[k] }

// Event is one thing that the loop did. It is passed by value to
// Options.Trace, on the loop; no part of it refers to engine memory.
type Event struct {
	Kind  EventKind
	At    time.Duration // the turn's clock, monotonic since some moment before New
	Job   uint64        // 0 when no job is concerned (an idle connection)
	Conn  uint64        // 0 when no connection is concerned
	N     int           // see the kind
	Of    int           // see the kind
	Errno syscall.Errno // 0 when the call succeeded

	Remote     netip.AddrPort // of CallConnect: the address; zero when it has a path
	UnixSocket string         // of CallConnect: the path
}

// trace tells the observer, if there is one.
func (l *loop) trace(kind EventKind, j *job, c *conn, n, of int, err error) {
	if l.options.Trace == nil {
		return
	}
	l.show(Event{Kind: kind, At: l.now, N: n, Of: of}, j, c, err)
}

// traceConnect tells of a connect, and where to.
func (l *loop) traceConnect(j *job, c *conn, to netip.AddrPort, err error) {
	if l.options.Trace != nil {
		l.show(Event{Kind: CallConnect, At: l.now, Remote: to, UnixSocket: l.options.UnixSocket}, j, c, err)
	}
}

func (l *loop) show(e Event, j *job, c *conn, err error) {
	if j != nil {
		e.Job = uint64(j.number)
	}
	if c != nil {
		e.Conn = uint64(c.number)
	}
	e.Errno, _ = err.(syscall.Errno)
	l.options.Trace(e)
}
