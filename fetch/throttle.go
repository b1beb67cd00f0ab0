package fetch

import (
	"time"

	"github.com/shoalfetch/shoal/internal/rate"
)

// A limit of bytes is kept by not asking to read. A conn that may not read now
// leaves the poller; what comes meanwhile fills the kernel's buffer, and then
// the server has to wait. Conns that wait for their share of the whole do so in
// line, so that each gets as much as the others; a conn that waits for its own
// limit has a deadline.

// throttle is the limit of all conns together, and those that wait for it.
type throttle struct {
	bytes  rate.Limit
	each   float64 // bytes a second for one conn; 0: no limit
	sip    int     // what one recv may ask for; 0: as much as there is room for
	thirst []token // in line; conns that have closed meanwhile are among them
	drunk  int     // of thirst, those that have had their turn
}

// A recv under a limit asks for what comes in a thirtieth of a second, so that the
// bytes come as a flow. What was missed is made up for within byteSlack.
const (
	sipsPerSecond = 30
	byteSlack     = 100 * time.Millisecond
)

func newThrottle(m *Manners) throttle {
	t := throttle{bytes: limitOf(float64(m.BytesPerSecond), byteSlack), each: float64(m.BytesPerSecondEach)}
	for _, perSecond := range []int64{m.BytesPerSecond, m.BytesPerSecondEach} {
		if sip := int(max(1, min(perSecond/sipsPerSecond, recvBytes))); perSecond > 0 && (t.sip == 0 || sip < t.sip) {
			t.sip = sip
		}
	}
	return t
}

// portion is how much of so many bytes one recv may ask for.
func (t *throttle) portion(most int) int {
	if t.sip == 0 {
		return most
	}
	return min(t.sip, most)
}

// drank takes what has been received off the limits.
func (l *loop) drank(c *conn, n int) {
	if l.sip == 0 || n <= 0 {
		return
	}
	l.bytes.Take(l.now, n)
	if l.each > 0 {
		if c.limit == nil {
			limit := rate.NewLimit(l.each, byteSlack)
			c.limit = &limit
		}
		c.limit.Take(l.now, n)
	}
}

// mayReceive says whether the limits let a conn receive now. If not, it leaves
// the poller until they do. An idle conn has nothing to receive but its end.
func (l *loop) mayReceive(c *conn) bool {
	if l.sip == 0 || c.busy == 0 {
		return true
	}
	if c.limit != nil && c.limit.Next(l.now) > l.now {
		l.hold(c)
		l.timers.set(&c.deadline, c.token, pacePatience, c.limit.Next(l.now))
		return false
	}
	if l.drunk < len(l.thirst) || l.bytes.Next(l.now) > l.now {
		l.hold(c)
		l.thirst = append(l.thirst, c.token)
		return false
	}
	return true
}

// hold lets a conn rest. No deadline of the server's runs meanwhile, but for
// what it is being sent.
func (l *loop) hold(c *conn) {
	c.resting = true
	for x := c.first; x != nil; x = x.next {
		if x.state != exchangeSending {
			l.wait(x.job, noPatience, 0)
		}
	}
}

// isHeld says whether a job's deadline is one for what its conn may not receive
// now.
func (j *job) isHeld(why patience) bool {
	return j.exchange != nil && j.exchange.conn.resting && (why == firstBytePatience || why == stallPatience)
}

// unhold ends a conn's rest.
func (l *loop) unhold(c *conn) {
	c.resting = false
	c.deadline.clear()
	for x := c.first; x != nil; x = x.next {
		switch x.state {
		case exchangeAwaiting:
			l.wait(x.job, firstBytePatience, l.options.FirstByteTimeout)
		case exchangeReceiving:
			l.heard(x)
		}
	}
}

// thirstyAt is when the first in line may receive, and whether there is one.
func (l *loop) thirstyAt() (time.Duration, bool) {
	return l.bytes.Next(l.now), l.drunk < len(l.thirst)
}

// serveThirsty lets those in line receive, while there is something to share.
func (l *loop) serveThirsty() {
	for l.drunk < len(l.thirst) && l.bytes.Next(l.now) <= l.now {
		c := l.conns.get(l.thirst[l.drunk])
		l.drunk++
		if c != nil && c.state == connOpen && c.resting {
			l.unhold(c)
			l.sipFrom(c)
		}
	}
	if 2*l.drunk >= len(l.thirst) {
		l.thirst = append(l.thirst[:0], l.thirst[l.drunk:]...)
		l.drunk = 0
	}
}

// sipFrom receives from a conn that has rested. That something is there was known
// when its rest began.
func (l *loop) sipFrom(c *conn) {
	if c.receiving() {
		l.receive(c)
	}
	l.settle(c)
}
