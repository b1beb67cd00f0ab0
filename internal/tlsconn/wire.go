package tlsconn

import (
	"io"
	"net"
	"time"

	"github.com/shoalfetch/shoal/internal/coro"
)

// wire is the net.Conn that crypto/tls believes to speak through. Its Read
// gives what was fed, one record at a time: crypto/tls then never holds a part
// of the next record when it has one to show. Its Write takes everything,
// because every error of a Write, a temporary one too, is for good there.
type wire struct {
	pad     *Pad
	coro    *coro.Coro // where crypto/tls runs; nil outside
	in      []byte     // fed and not read
	record  record
	first   int  // bytes of the very first header still to be read
	eof     bool // the transport has ended
	ended   bool // and crypto/tls has seen it
	stopped bool
}

// wouldBlock is what Read returns for want of bytes, outside the coroutine. It
// is temporary, so crypto/tls forgets it.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "would block" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

func (w *wire) Read(p []byte) (int, error) {
	for len(w.in) == 0 {
		switch {
		case w.eof:
			w.ended = true
			return 0, io.EOF
		case w.coro == nil:
			return 0, wouldBlock{}
		case !w.coro.Pause():
			return 0, coro.ErrStopped
		}
	}
	n := copy(p, w.in[:w.span()])
	w.record.pass(w.in[:n])
	w.first = max(0, w.first-n)
	if w.in = w.in[n:]; len(w.in) == 0 {
		w.in = nil // and with it what Hold has copied
	}
	return n, nil
}

// span is how much of what was fed may be read at once. The first header comes
// alone, so that the rest of an answer that is no TLS can still be quoted.
func (w *wire) span() int {
	n := w.record.span(w.in)
	if w.first > 0 {
		n = min(n, w.first)
	}
	return n
}

func (w *wire) Write(p []byte) (int, error) {
	if !w.stopped {
		w.pad.write(w, p)
	}
	return len(p), nil
}

// The descriptor and its deadlines are the loop's.

func (w *wire) Close() error                     { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
func (w *wire) LocalAddr() net.Addr              { return address{} }
func (w *wire) RemoteAddr() net.Addr             { return address{} }

// address is the address of nothing. crypto/tls asks for it when it looks for
// sessions and has no server's name.
type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }
