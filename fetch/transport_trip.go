package fetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
)

// roundTrip is one request of a Transport, and what has come of it: the loop
// puts it in as a Body, and the caller takes it out.
type roundTrip struct {
	request *http.Request
	ctx     context.Context // the request's own, until the round trip is over
	cancel  context.CancelCauseFunc
	news    chan struct{} // has one when there is more than await has seen
	again   bool          // the request was sent already, over a dead connection

	mu       sync.Mutex
	more     sync.Cond // there is more for Read
	interims []Head
	opened   bool
	info     OpenInfo
	agreed   *tls.ConnectionState
	text     bytes.Buffer // of the body, received and not read
	paused   bool
	closed   bool // by the caller
	ended    bool
	err      error   // why, unless all is well
	trailer  Section // once it has ended
}

// bodyMost is how much of a body waits to be read before no more is received,
// and bodyLow what is left of it when more is.
const (
	bodyMost = transportRecv
	bodyLow  = bodyMost / 2
)

var errBodyClosed = errors.New("the body was closed before its end")

func newRoundTrip(r *http.Request) *roundTrip {
	rt := &roundTrip{request: r, news: make(chan struct{}, 1)}
	rt.ctx, rt.cancel = context.WithCancelCause(r.Context())
	rt.more.L = &rt.mu
	return rt
}

// tell lets who awaits the head look again.
func (rt *roundTrip) tell() {
	select {
	case rt.news <- struct{}{}:
	default:
	}
}

// showInterim, open, Write, Commit, Discard and finish are called on the loop.
func (rt *roundTrip) showInterim(h Head) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.interims = append(rt.interims, h)
	rt.tell()
}

func (rt *roundTrip) open(info OpenInfo, agreed *tls.ConnectionState) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.info, rt.agreed, rt.opened = info, agreed, true
	rt.tell()
}

// Write implements Body.
func (rt *roundTrip) Write(piece []byte) error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return nil // the cancellation is on its way
	}
	rt.text.Write(piece)
	rt.more.Signal()
	if rt.text.Len() < bodyMost {
		return nil
	}
	rt.paused = true
	return ErrPause
}

// Commit implements Body.
func (rt *roundTrip) Commit() error { return nil }

// Discard implements Body. Why, finish will say.
func (rt *roundTrip) Discard() {}

func (rt *roundTrip) finish(trailer Section, err error) {
	rt.cancel(nil) // what it was derived from may live for ever
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.trailer, rt.err, rt.ended = trailer, err, true
	rt.more.Broadcast()
	rt.tell()
}

// await waits for a response's head, and shows what comes before it.
func (rt *roundTrip) await(loopEnded <-chan struct{}) (*http.Response, error) {
	ctx, over := rt.request.Context(), false
	for {
		interims, opened, ended, err := rt.look()
		for _, h := range interims {
			if err := rt.traceInterim(h); err != nil {
				return nil, err
			}
		}
		switch {
		case opened:
			return rt.response()
		case ended:
			return nil, err
		case over:
			return nil, ErrClosed
		}
		select {
		case <-rt.news:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-loopEnded:
			over = true // but what came before that is here by now
		}
	}
}

func (rt *roundTrip) look() (interims []Head, opened, ended bool, err error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	interims, rt.interims = rt.interims, nil
	return interims, rt.opened, rt.ended, rt.err
}

// traceInterim calls the hooks of package httptrace, as net/http does.
func (rt *roundTrip) traceInterim(h Head) error {
	trace := httptrace.ContextClientTrace(rt.request.Context())
	if trace == nil {
		return nil
	}
	if h.Status == http.StatusContinue && trace.Got100Continue != nil {
		trace.Got100Continue()
	}
	if trace.Got1xxResponse == nil {
		return nil
	}
	fields, err := textproto.NewReader(bufio.NewReader(strings.NewReader(string(h.Section()) + "\r\n"))).ReadMIMEHeader()
	if err != nil {
		return err
	}
	return trace.Got1xxResponse(int(h.Status), fields)
}

// response is what net/http makes of the head, with the body that comes.
func (rt *roundTrip) response() (*http.Response, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	head := strings.NewReader(rt.info.Head.Raw() + "\r\n")
	res, err := http.ReadResponse(bufio.NewReader(head), rt.request)
	if err != nil {
		return nil, err
	}
	res.TLS = rt.agreed
	if rt.info.Decoded {
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
	}
	if res.Body != http.NoBody {
		res.Body = &responseBody{rt, res}
	}
	return res, nil
}

// responseBody is the caller's side of a body.
type responseBody struct {
	rt  *roundTrip
	res *http.Response
}

// Read waits for bytes, or for the end.
func (b *responseBody) Read(p []byte) (int, error) {
	rt := b.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for {
		switch {
		case rt.closed:
			return 0, http.ErrBodyReadAfterClose
		case len(p) == 0:
			return 0, nil
		case rt.text.Len() > 0:
			n, _ := rt.text.Read(p)
			rt.makeRoom()
			return n, nil
		case rt.ended && rt.err == nil:
			b.takeTrailer()
			return 0, io.EOF
		case rt.ended:
			return 0, rt.err
		}
		rt.more.Wait()
	}
}

// makeRoom has the loop go on when enough has been read.
func (rt *roundTrip) makeRoom() {
	if rt.paused && rt.text.Len() <= bodyLow {
		rt.paused = false
		rt.info.Resume()
	}
}

// takeTrailer adds the trailer to the response, once.
func (b *responseBody) takeTrailer() {
	for name, value := range b.rt.trailer.Fields() {
		if b.res.Trailer == nil {
			b.res.Trailer = http.Header{}
		}
		b.res.Trailer.Add(name, value)
	}
	b.rt.trailer = ""
}

// Close gives up what has not come yet, and with it the connection.
func (b *responseBody) Close() error {
	rt := b.rt
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.closed = true
	rt.text = bytes.Buffer{}
	rt.more.Broadcast()
	if !rt.ended {
		rt.cancel(errBodyClosed)
	}
	return nil
}
