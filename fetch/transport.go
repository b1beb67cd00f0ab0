package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/shoalfetch/shoal/internal/offload"
)

// Transport lets clients of net/http fetch over one loop: it is an
// [http.RoundTripper]. The loop has a goroutine of its own, and so has, until it
// is sent, a request's body that is long or not known to be in memory
// ([http.Request].GetBody); other requests have none.
//
//	t, err := fetch.NewTransport(fetch.Options{Decode: true})
//	if err != nil {
//		return err
//	}
//	defer t.Close()
//	client := &http.Client{Transport: t}
//
// It is safe for concurrent use. What it does otherwise than [http.Transport]:
//
//   - HTTP/1.1 alone is spoken, and a response with status 101 is an error.
//   - Of the hooks of package httptrace those for interim responses are called.
//   - With Options.Decode a response in a coding that was not asked for is an
//     error.
type Transport struct {
	fetcher *Fetcher
	options Options
	queue   *Queue
	runner  *offload.Pool
	stop    context.CancelCauseFunc
	ended   chan struct{} // when closed, so is the queue, and no round trip is under way
}

const (
	// transportQueue is how many requests are handed to the loop ahead.
	transportQueue = 1024

	// transportRecv is how much a response may bring at once, and its body hold.
	transportRecv = 64 << 10
)

// NewTransport makes a Transport and starts its loop. Close it.
//
// Where Options say nothing, a Transport does as [http.Transport]: connections to
// one host are as many as there may be at all, and no time is too long for a
// server to take a request, answer and send a body, since a request's context
// tells how long to wait. Sink, Accept, Interim, Retry.Max, MaxRedirects,
// CheckRedirect, Jar and Login must be zero: these are a Transport's own, or its
// client's. Omit, HTTP10 and EndAt have no meaning. Proxy is called on the
// goroutines of requests too.
func NewTransport(o Options) (*Transport, error) {
	o, err := o.forTransport()
	if err != nil {
		return nil, err
	}
	f, err := New(o)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	t := &Transport{
		fetcher: f,
		options: f.loop.options,
		queue:   NewQueue(transportQueue),
		runner:  offload.New(1, func() {}),
		stop:    stop,
		ended:   make(chan struct{}),
	}
	t.runner.Submit(0, func() { t.run(ctx) })
	return t, nil
}

// forTransport fills in what a Transport does of its own, and refuses to be told
// otherwise.
func (o Options) forTransport() (Options, error) {
	for name, given := range map[string]bool{
		"Sink": o.Sink != nil, "Accept": o.Accept != nil, "Interim": o.Interim != nil, "Retry.Max": o.Retry.Max != 0,
		"MaxRedirects": o.MaxRedirects != 0, "CheckRedirect": o.CheckRedirect != nil, "Jar": o.Jar != nil, "Login": o.Login != nil,
	} {
		if given {
			return o, fmt.Errorf("fetch: a Transport takes no %s", name)
		}
	}
	if o.MaxPerHost == 0 {
		o.MaxPerHost = math.MaxInt32
	}
	for _, t := range []*time.Duration{&o.SendTimeout, &o.FirstByteTimeout, &o.StallTimeout} {
		if *t == 0 {
			*t = never
		}
	}
	if o.RecvBytes == 0 {
		o.RecvBytes = transportRecv
	}
	o.EndAt = AtFraming
	o.MaxRedirects = -1
	o.Sink = roundTrips{}
	o.Accept = func(*Head) error { return nil }
	o.Interim = func(r *Request, h *Head) error {
		r.Tag.(*roundTrip).showInterim(*h)
		return nil
	}
	return o, nil
}

// run is the loop's goroutine.
func (t *Transport) run(ctx context.Context) {
	defer close(t.ended)
	defer t.queue.Close()
	for res, err := range t.fetcher.FetchFrom(ctx, t.queue) {
		if rt, ok := res.Request.Tag.(*roundTrip); ok {
			rt.finish(res.Trailer, err)
		}
	}
}

// RoundTrip implements [http.RoundTripper]. It returns when the response's head
// has come. The body must be closed, or read to its end: until then it holds a
// connection, and when it is not read, nothing is received. Errors are of type
// [*Error], but for those of the request's own context.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.try(newRoundTrip(r))
	if again, can := rewound(r, err); can {
		rt := newRoundTrip(again)
		rt.again = true
		if res, err = t.try(rt); res != nil {
			res.Request = r
		}
	}
	return res, err
}

// try sends a request, and waits for the head of the response.
func (t *Transport) try(rt *roundTrip) (*http.Response, error) {
	q, err := t.requestFor(rt)
	if err == nil {
		q.Context, q.Tag = rt.ctx, rt
		err = t.queue.Push(rt.request.Context(), q)
	}
	if errors.Is(err, ErrQueueClosed) {
		err = ErrClosed
	}
	var res *http.Response
	if err == nil {
		res, err = rt.await(t.ended)
	}
	if err != nil {
		rt.cancel(err)
		q.upload.stop()
	}
	return res, err
}

// CloseIdleConnections closes the connections that no request is using.
func (t *Transport) CloseIdleConnections() { t.fetcher.loop.mail.closeIdle() }

// Close ends every request under way, the loop and its goroutine. Closing twice
// is harmless.
func (t *Transport) Close() error {
	t.stop(ErrClosed)
	t.runner.Close()
	return t.fetcher.Close()
}

// roundTrips is the Sink of a Transport.
type roundTrips struct{}

// Open implements Sink.
func (roundTrips) Open(info OpenInfo) (Body, error) {
	rt := info.Request.Tag.(*roundTrip)
	var agreed *tls.ConnectionState
	if c := info.conn; c.secure != nil {
		state := c.secure.State()
		agreed = &state
	}
	info.conn = nil
	rt.open(info, agreed)
	return rt, nil
}
