package fetch

import (
	"errors"
	"sync"
)

// upload is a request's body that is written while it is sent: by another
// goroutine, which waits while there is no room; and taken by the loop, which
// never waits.
type upload struct {
	mu      sync.Mutex
	room    sync.Cond // Write need not wait any longer
	written []byte    // and not taken, from at on
	at      int       // what comes before it was taken, and is kept to be sent again
	taken   []byte    // the loop's until it takes more, once nothing is kept
	lost    bool      // nothing is kept
	ended   bool      // all has been written
	over    bool      // nothing more is sent
	wanting bool      // the loop has found nothing to take
	wake    func()    // tells the loop that there is something; nil until it has begun

	again bool // it was sent once already, over a kept-alive connection that was dead
}

// uploadMost is how much of an upload may be written ahead of the loop, and how
// much of it the loop takes at once.
const uploadMost = 64 << 10

// uploadTurn is how much of an upload a turn sends before others have theirs: one
// that is written as fast as it is sent would have no end.
const uploadTurn = 1 << 20

var errUploadOver = errors.New("fetch: the request has ended, and the rest of its body is not sent")

// deadReuseError is a request that may be sent again, over another connection, by
// who can write its body anew.
type deadReuseError struct{ error }

// Unwrap gives what became of the connection.
func (e *deadReuseError) Unwrap() error { return e.error }

func newUpload() *upload {
	u := new(upload)
	u.room.L = &u.mu
	return u
}

// Write implements io.Writer. It waits for room.
func (u *upload) Write(p []byte) (n int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for n < len(p) {
		for len(u.written)-u.at >= uploadMost && !u.over {
			u.room.Wait()
		}
		if u.over {
			return n, errUploadOver
		}
		piece := p[n:min(len(p), n+uploadMost-len(u.written)+u.at)]
		u.written = append(u.written, piece...)
		n += len(piece)
		u.tell()
	}
	return n, nil
}

// end says that all has been written.
func (u *upload) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	u.tell()
}

// tell wakes a loop that has found nothing.
func (u *upload) tell() {
	if u.wanting {
		u.wanting = false
		u.wake()
	}
}

// begin is called by the loop, which is to be woken so from now on.
func (u *upload) begin(wake func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.wake = wake
}

// take gives what has been written, until the next take; nothing when there is
// none yet. more: something may follow.
func (u *upload) take() (piece []byte, more bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at >= uploadMost { // more than is kept
		u.written, u.at, u.lost = append(u.written[:0], u.written[u.at:]...), 0, true
	}
	piece = u.written[u.at:]
	switch {
	case len(piece) == 0:
		u.wanting = !u.ended
		return nil, !u.ended
	case u.lost:
		u.written, u.taken = u.taken[:0], u.written
	default:
		u.at = len(u.written)
	}
	u.room.Signal()
	return piece, true
}

// rewind has all be taken once more, if what has been taken is still there: at least
// its first uploadMost bytes are kept. What nobody uploads needs none of that.
func (u *upload) rewind() bool {
	if u == nil {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.lost {
		return false
	}
	u.at, u.wanting = 0, false
	return true
}

// stop says that nothing more is sent, if anything is.
func (u *upload) stop() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	u.room.Broadcast()
}

// uploads says whether a request's body may still be being written, and
// awaitsUpload, whether there is nothing to send until more of it has been.
func (c *conn) uploads() bool      { return c.outbox != nil && c.outbox.rest != nil }
func (c *conn) awaitsUpload() bool { return c.uploads() && c.unsent() == 0 }

// upload is what follows a job's request, if anything does.
func (l *loop) upload(j *job) *upload {
	if j.special == nil || j.special.given.upload == nil {
		return nil
	}
	u, k := j.special.given.upload, j.token
	u.begin(func() { l.mail.upload(k) })
	return u
}

// sendUpload goes on with an upload of which more has been written, or the end.
func (l *loop) sendUpload(c *conn) {
	if !c.awaitsUpload() {
		return
	}
	l.drain(c)
	l.progressSent(c) // also if the send failed: then the answer is waited for
	l.settle(c)
}
