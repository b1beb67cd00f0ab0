package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/shoalfetch/shoal/internal/offload"
)

// A body that is long, or not known to be in memory, is written by net/http itself
// while it is sent, on a goroutine of its own: its reader may block for as long as
// it likes.

// writeBeside begins to write the request of a round trip, and gives its head.
// Its body is closed when that, or the round trip, is over.
func (t *Transport) writeBeside(rt *roundTrip, out *http.Request) (head []byte, rest *upload, err error) {
	context.AfterFunc(rt.ctx, func() { out.Body.Close() }) // lets go of a Read
	headed := make(chan []byte, 1)
	w := &requestWriter{rest: newUpload(), headed: headed}
	w.rest.again = rt.again
	offload.Apart(func() {
		if err := t.write(out, w); err != nil {
			rt.cancel(err)
			return
		}
		w.rest.end()
	})
	select {
	case head = <-headed:
		return head, w.rest, nil
	case <-rt.ctx.Done():
		return nil, w.rest, context.Cause(rt.ctx)
	}
}

// rewound is a request that was sent over a dead connection, to be sent again, if its
// body can be had once more.
func rewound(r *http.Request, err error) (*http.Request, bool) {
	if _, dead := errors.AsType[*deadReuseError](err); !dead || r.GetBody == nil {
		return nil, false
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, false
	}
	again := r.WithContext(r.Context())
	again.Body = body
	return again, true
}

// requestWriter keeps the head of a request apart from what follows.
type requestWriter struct {
	rest   *upload
	head   bytes.Buffer
	headed chan<- []byte // gets the head when it is whole; nil then
}

// Write implements io.Writer.
func (w *requestWriter) Write(p []byte) (int, error) {
	if w.headed == nil {
		return w.rest.Write(p)
	}
	w.head.Write(p)
	text := w.head.Bytes()
	end := headEnd(text)
	if end < 4 {
		return len(p), nil
	}
	w.headed <- text[:end:end]
	w.headed = nil
	if _, err := w.rest.Write(text[end:]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// closedOnce is a body that two may close.
type closedOnce struct {
	io.Reader
	close func() error
}

func newClosedOnce(body io.ReadCloser) closedOnce {
	return closedOnce{body, sync.OnceValue(body.Close)}
}

// Close implements io.Closer.
func (c closedOnce) Close() error { return c.close() }
