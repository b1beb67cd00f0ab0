package lab

import (
	"bytes"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// Book makes a server the other end of a textbook's first program over a
// socket: whatever GET comes, in HTTP/1.0 and with the whole URL or not, it is
// answered by one JPEG of 70,057 bytes behind a head of 240 (and the empty line
// of 4), in 47 sends of 1,460 bytes and a last one of 1,681; then the
// connection is closed.
//
// The first segment travels alone and so does the last, Apart from the others.
// A program that calls recv(5120) again and again therefore always sees
// `1681 70301` last; one that waits 250 ms after every recv sees 1,460 bytes,
// then 5,120 thirteen times, then `2281 70301`. What a fast program sees in
// between depends on whether it wakes within Interval.
//
// Sends do not wait: when the client's buffer and ours are full, the log tells
// so at once, and again when there is room.
type Book struct {
	// Interval is between sends, at least; 0 is 0.4 ms. A sleep that short
	// lasts about 1 ms with Go's timers. Several milliseconds make every
	// recv(5120) of a program that does not wait return one segment.
	Interval time.Duration

	// Apart is the time after the first segment and before the last; 0 is 60
	// ms. A program that waits must wait longer than that between recvs.
	Apart time.Duration

	// SendBuffer is SO_SNDBUF in bytes, which the kernel may round and Linux
	// doubles (socket(7)); 0 leaves the system's.
	SendBuffer int
}

const (
	bookBytes   = 70_057
	bookSegment = 1460
)

// bookHead is 240 bytes and the empty line.
const bookHead = "HTTP/1.1 200 OK\r\n" +
	"Server: shoal-lab\r\n" +
	"Last-Modified: " + modified + "\r\n" +
	"ETag: \"cover3-70057\"\r\n" +
	"Accept-Ranges: bytes\r\n" +
	"Content-Length: 70057\r\n" +
	"Cache-Control: max-age=604800, must-revalidate\r\n" +
	"Connection: close\r\n" +
	"Content-Type: image/jpeg\r\n\r\n"

// bookAnswer is all that is sent; it is not to be changed.
var bookAnswer = sync.OnceValue(func() []byte {
	picture, err := jpegOf(bookBytes, diceFor(3, "cover"))
	if err != nil {
		panic("lab: " + err.Error()) // the size is ours
	}
	return append([]byte(bookHead), picture...)
})

// serve answers one request.
func (b *Book) serve(c *conn) {
	r, err := c.next()
	if err == nil && r.method != "GET" {
		err = errLine
	}
	if err != nil {
		c.refuse(err)
		return
	}
	c.server.stats.requests.Add(1)
	line, _, _ := bytes.Cut(r.head, []byte("\n"))
	c.server.log.add(c.id, Requested, int64(len(r.head)), "%q in %d bytes", bytes.TrimRight(line, "\r"), len(r.head))
	if b.SendBuffer > 0 && c.fail(c.tcp.SetWriteBuffer(b.SendBuffer)) {
		return
	}
	b.send(c, bookAnswer())
}

// send cuts the answer into segments. What is left for the last one is longer
// than the others: so the end is told from all that came before it.
func (b *Book) send(c *conn, answer []byte) {
	interval, apart := max(b.Interval, 0), max(b.Apart, 0)
	if interval == 0 {
		interval = 400 * time.Microsecond
	}
	if apart == 0 {
		apart = 60 * time.Millisecond
	}
	all := len(answer)
	for nth := 1; len(answer) > 0; nth++ {
		n := bookSegment
		if len(answer) < 2*bookSegment {
			n = len(answer)
		}
		if !c.sendAtOnce(answer[:n], nth, all) {
			return
		}
		answer = answer[n:]
		wait := interval
		if last := len(answer) < 2*bookSegment; nth == 1 || last {
			wait = apart
		}
		if len(answer) > 0 && !c.pause(wait) {
			return
		}
	}
}

// sendAtOnce hands one segment to the kernel without waiting, and tells how
// that goes. EAGAIN means that the send buffer is full, since the client's
// receive buffer is and its window closed; then it waits for room.
func (c *conn) sendAtOnce(p []byte, nth, all int) bool {
	raw, err := c.tcp.SyscallConn()
	if c.fail(err) {
		return false
	}
	blocked := false
	var failure error
	err = raw.Write(func(fd uintptr) bool {
		for {
			n, err := syscall.Write(int(fd), p)
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				if !blocked {
					blocked = true
					c.server.log.add(c.id, Blocked, int64(len(p)), "send %d would block: the client's buffer is full", nth)
				}
				return false
			case err != nil:
				failure = err
				return true
			}
			if blocked {
				blocked = false
				c.server.log.add(c.id, Released, int64(n), "send %d goes on: there is room again", nth)
			}
			p = p[n:]
			c.sent += int64(n)
			c.server.stats.bytes.Add(int64(n))
			c.server.log.add(c.id, Sent, int64(n), "send %d: %d bytes, %d of %d", nth, n, c.sent, all)
			if len(p) == 0 {
				return true
			}
		}
	})
	if failure != nil {
		err = fmt.Errorf("send: %w", failure)
	}
	return !c.fail(err)
}
