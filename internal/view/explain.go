package view

import (
	"crypto/tls"
	"io"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/fetch"
)

// Explain tells fetches step by step, as they happen: a line each, with the
// milliseconds since the first, and the number of the fetch in the order of
// admission. It is for the loop's goroutine alone.
type Explain struct {
	w     io.Writer
	began time.Duration
	now   time.Duration
	told  bool // something

	next  string // the URL that the source gave last
	jobs  map[uint64]*journey
	conns map[uint64]*link
	done  []ending
}

// journey is what has been told of one fetch since it began, or began again.
type journey struct {
	url      string
	lookedUp time.Duration // when its lookup began; 0: none did
	short    bool          // it waits for a descriptor or a port
	failed   bool          // it waits for another try
	sent     bool          // its request is on a connection
	answered bool          // the head of a response has come
	received int           // bytes
}

// link is what has been told of one connection.
type link struct {
	step  fetch.EventKind // ConnDialing, ConnHandshaking, ConnTunnelling or ConnOpen
	since time.Duration   // when it began
	uses  int             // requests sent over it
}

// ending is a fetch that has ended and whose result is still to come.
type ending struct {
	job uint64
	at  time.Duration
}

// NewExplain tells to w, in one Write a line.
func NewExplain(w io.Writer) *Explain {
	return &Explain{w: w, jobs: map[uint64]*journey{}, conns: map[uint64]*link{}}
}

// Source is s for FetchFrom, and lets the Explain know the URLs: events carry
// only numbers.
func (e *Explain) Source(s fetch.Source) fetch.Source { return overheard{s, e} }

type overheard struct {
	fetch.Source
	by *Explain
}

func (o overheard) Next() (fetch.Request, fetch.Supply) {
	r, supply := o.Source.Next()
	o.by.next = fetch.WithoutUserinfo(r.URL)
	return r, supply
}

// Event tells one event; it is for Options.Trace, of one Fetcher from its first
// event on.
func (e *Explain) Event(ev fetch.Event) {
	if !e.told {
		e.told, e.began = true, ev.At
	}
	e.now = ev.At
	if ev.Job == 0 {
		e.ofConn(ev)
		return
	}
	j, met := e.jobs[ev.Job]
	if !met {
		j = &journey{url: e.next}
		e.jobs[ev.Job] = j
		e.tell(ev.Job, "%s", j.url)
	}
	switch ev.Kind {
	case fetch.JobQueued, fetch.JobLookingUp, fetch.JobRunning, fetch.JobBackingOff, fetch.JobDone:
		e.ofJob(ev, j, met)
	case fetch.ConnDialing, fetch.CallConnect, fetch.ConnHandshaking, fetch.ConnTunnelling, fetch.ConnOpen:
		e.ofDial(ev)
	case fetch.CallRecv, fetch.CallSplice:
		e.ofReceipt(ev, j)
	case fetch.HostSlowed, fetch.HostRests, fetch.HostDown:
		e.ofHost(ev)
	default:
		e.ofExchange(ev, j)
	}
}

// ofConn tells of a connection that serves no fetch just now.
func (e *Explain) ofConn(ev fetch.Event) {
	c := e.conns[ev.Conn]
	switch {
	case ev.Kind == fetch.ConnOpen:
		c.step = ev.Kind
		e.tell(0, "connection %d: connected, for whoever comes next", ev.Conn)
	case ev.Kind == fetch.CallRecv:
		e.tell(0, "connection %d: idle: %s", ev.Conn, received(ev, ev.N))
	case ev.Kind == fetch.CallSend:
		e.tell(0, "connection %d: idle: %s", ev.Conn, sent(ev))
	case ev.Kind == fetch.ConnClosed && c.step != fetch.ConnDialing:
		e.tell(0, "connection %d: closed", ev.Conn)
	case ev.Kind == fetch.ConnClosed:
		e.tell(0, "connection %d: given up, it never connected", ev.Conn)
	}
	if ev.Kind == fetch.ConnClosed {
		delete(e.conns, ev.Conn)
	}
}

func (e *Explain) ofJob(ev fetch.Event, j *journey, met bool) {
	switch ev.Kind {
	case fetch.JobQueued:
		if met {
			e.again(ev.Job, j)
		}
	case fetch.JobLookingUp:
		j.lookedUp = ev.At
		e.tell(ev.Job, "looks up the addresses of its %s", [...]string{"host", "proxy"}[ev.N])
	case fetch.JobRunning:
		if j.lookedUp != 0 {
			e.tell(ev.Job, "has the addresses after %s", milliseconds(ev.At-j.lookedUp))
		}
	case fetch.JobBackingOff:
		j.failed = true
		e.tell(ev.Job, "has failed, and waits for retry %d", ev.N)
	case fetch.JobDone:
		delete(e.jobs, ev.Job)
		e.done = append(e.done, ending{ev.Job, ev.At})
	}
}

// again tells why a fetch that was running starts anew. A shortage, in which it
// does so many times a second, is told of once.
func (e *Explain) again(job uint64, j *journey) {
	short := false
	switch {
	case j.failed:
		e.tell(job, "is tried again")
	case j.answered:
		e.tell(job, "is redirected, and starts again")
	case j.sent:
		e.tell(job, "the kept connection had been closed: sends again, over a new one")
	default:
		short = true
		if !j.short {
			e.tell(job, "no descriptor or local port is free: waits for one")
		}
	}
	*j = journey{url: j.url, short: short}
}

// ofHost tells what a fetch has shown of its host.
func (e *Explain) ofHost(ev fetch.Event) {
	switch ev.Kind {
	case fetch.HostSlowed:
		pause := ""
		if ev.Of > 0 {
			pause = ", and none now for " + (time.Duration(ev.Of) * time.Millisecond).String()
		}
		e.tell(ev.Job, "its host has trouble: at most %d requests to it at once from now on%s", ev.N, pause)
	case fetch.HostRests:
		e.tell(ev.Job, "its host cannot be reached, %d times in a row: it is left alone for %v", ev.N, time.Duration(ev.Of)*time.Millisecond)
	case fetch.HostDown:
		e.tell(ev.Job, "its host cannot be reached, %d times in a row: it is given up", ev.N)
	}
}

func (e *Explain) ofDial(ev fetch.Event) {
	switch {
	case ev.Kind == fetch.ConnDialing:
		e.conns[ev.Conn] = &link{step: ev.Kind, since: ev.At}
	case ev.Kind != fetch.CallConnect:
		c := e.conns[ev.Conn]
		e.tell(ev.Job, "connection %d: %s after %s%s", ev.Conn, c.reached(ev), milliseconds(ev.At-c.since), begins(ev.Kind))
		c.step, c.since = ev.Kind, ev.At
	case ev.Conn == 0:
		e.tell(ev.Job, "connect: %s", errnoText(ev.Errno))
	case ev.UnixSocket != "":
		e.tell(ev.Job, "connection %d: connect to %s: %s", ev.Conn, ev.UnixSocket, connecting(ev.Errno))
	default:
		e.tell(ev.Job, "connection %d: connect to %v (%s): %s", ev.Conn, ev.Remote, family(ev), connecting(ev.Errno))
	}
}

// reached is what the step that was under way has led to.
func (c *link) reached(next fetch.Event) string {
	switch c.step {
	case fetch.ConnHandshaking:
		return tls.VersionName(uint16(next.N)) + " agreed on with " + tls.CipherSuiteName(uint16(next.Of))
	case fetch.ConnTunnelling:
		return "the proxy has made a tunnel"
	}
	return "writable: connected"
}

// begins is what follows at once.
func begins(step fetch.EventKind) string {
	switch step {
	case fetch.ConnHandshaking:
		return ", TLS begins"
	case fetch.ConnTunnelling:
		return ", asks the proxy for a tunnel"
	}
	return ""
}

func family(ev fetch.Event) string {
	if ev.Remote.Addr().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

func connecting(errno syscall.Errno) string {
	switch errno {
	case 0:
		return "connected at once"
	case syscall.EINPROGRESS:
		return "EINPROGRESS, under way"
	}
	return errnoText(errno)
}

func (e *Explain) ofExchange(ev fetch.Event, j *journey) {
	switch ev.Kind {
	case fetch.ExchangeSending:
		c := e.conns[ev.Conn]
		if c.uses > 0 {
			e.tell(ev.Job, "connection %d: kept open, used again", ev.Conn)
		}
		c.uses++
		j.sent = true
	case fetch.CallSend:
		e.tell(ev.Job, "%s", sent(ev))
	case fetch.ExchangeAwaiting:
		e.tell(ev.Job, "the whole request is out, waits for the response")
	case fetch.ExchangeReceiving:
		j.answered = true
		e.tell(ev.Job, "the head of the response is complete")
	case fetch.Paused:
		e.tell(ev.Job, "paused: whoever saves it takes no more just now")
	case fetch.Resumed:
		e.tell(ev.Job, "goes on after the pause")
	}
}
