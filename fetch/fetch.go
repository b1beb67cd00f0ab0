// Package fetch fetches many URLs at once, on one thread.
//
// The goroutine that ranges over a Fetch is the event loop: raw non-blocking
// sockets, one readiness wait for all of them, no goroutine per connection and
// none for the engine.
//
//	f, err := fetch.New(fetch.Options{MaxConns: 512, Sink: save.Dir("out")})
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	for res, err := range f.Fetch(ctx, requests) {
//		...
//	}
//
// The loop body, the source and the sink run on the loop: while they run,
// nothing else does. They may take their time (no deadline is judged by it),
// but every connection waits with them.
//
// # Threads
//
// The package never calls runtime.LockOSThread. A program that wants all its
// socket calls on one thread locks before Fetch, best first thing in main; it
// must not lock or unlock inside the loop body, the source or a sink.
//
// # Layout
//
// ARCHITECTURE.md draws the picture. To follow one connection, scroll down
// conn.go; to follow one request, exchange.go; to follow one URL, job.go;
// loop.go is the turn that drives all three.
package fetch

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
)

// Options say how to fetch. The zero value works: every field has a default.
type Options struct {
	// MaxConns is how many connections there may be at once, idle ones
	// included: 1 and up, 128 when zero. New refuses more than the descriptor
	// limit of the process allows.
	MaxConns int

	// MaxPerHost is how many of them may lead to one host and port: 1 and up, 6
	// when zero.
	MaxPerHost int

	// MaxBytes caps a body, as it is when it has been decoded; a longer one fails
	// with a *LimitError. Zero: 32 MiB when Sink is nil, otherwise no cap.
	// Negative: no cap.
	MaxBytes int64

	// MaxHeadBytes caps the head of a response, and each line of it; a longer one
	// fails. Zero: 64 KiB, and 16 KiB a line. At least 16.
	MaxHeadBytes int

	// Decode asks for responses in gzip, deflate, br or zstd, and takes these
	// codings off, up to two of them, one upon the other. One that cannot be
	// taken off fails the fetch in phase decode with a *CodingError. Without it
	// responses are asked for as they are (Accept-Encoding: identity), and saved
	// as they come.
	Decode bool
	// MaxDecoders is how many responses are decoded at once, 128 when zero;
	// others wait for their turn, unread. One needs 0.1 MB for gzip and deflate,
	// and what the server chose for the others: up to 9 MB for zstd, 17 MB for br.
	MaxDecoders int

	// MaxRedirects is how many redirects are followed: 10 when zero, none when
	// negative.
	MaxRedirects int

	// CheckRedirect is asked on the loop before a redirect is followed: r is the
	// request as it was given, and to the URL that the redirect leads to, absolute
	// and without userinfo. Its error fails the fetch in phase status, as the Err of a
	// *RedirectError, and is final whatever Retry says. Nil: all are followed that
	// nothing else here forbids.
	CheckRedirect func(r *Request, to string) error

	// AllowDowngrade follows redirects from https to http, which otherwise fail
	// the fetch: from there on anyone on the way can read and change it.
	AllowDowngrade bool

	// Retry says what is tried again.
	Retry Retry

	// Manners say how the Fetcher holds itself back.
	Manners Manners

	// LookupTimeout bounds a host's lookup: 10 s when zero.
	LookupTimeout time.Duration
	// ConnectTimeout bounds one attempt to connect, and then each step to an
	// open connection (TLS): 10 s when zero.
	ConnectTimeout time.Duration
	// SendTimeout bounds a send without progress: 30 s when zero.
	SendTimeout time.Duration
	// FirstByteTimeout bounds the wait from the last byte sent to the first
	// received: 30 s when zero.
	FirstByteTimeout time.Duration
	// StallTimeout bounds the silence between two received bytes: 30 s when
	// zero.
	StallTimeout time.Duration
	// TotalTimeout bounds a fetch from its start (not its admission) to its
	// end: none when zero.
	TotalTimeout time.Duration
	// IdleTimeout is how long a connection is kept without use, if its server does
	// not say that it closes it earlier (Keep-Alive: timeout): 90 s when zero.
	IdleTimeout time.Duration
	// MaxConnAge is how old a connection may be that takes another request: 1 h
	// when zero. So a name that leads elsewhere by now is found out, however busy
	// its connections are.
	MaxConnAge time.Duration
	// NoKeepAlive makes a connection for each request, which says so (Connection:
	// close), and closes it afterwards.
	NoKeepAlive bool

	// RecvBytes is how much one recv asks for: 1 MiB when zero. Pages of the
	// buffer that no recv reaches cost nothing, and large bodies want large
	// recvs.
	RecvBytes int
	// RecvDelay is a pause after each recv on a connection: none when zero.
	RecvDelay time.Duration
	// RecvBuffer is the size of the kernel's receive buffer in bytes, which it
	// may round (SO_RCVBUF): the system's own when zero.
	RecvBuffer int
	// EndAt says how the end of a response is known.
	EndAt EndAt
	// HTTP10 sends HTTP/1.0 requests.
	HTTP10 bool

	// UserAgent is what requests carry unless their Fields say otherwise:
	// "shoal" when empty.
	UserAgent string

	// Omit names fields that are otherwise sent with every request and shall not
	// be: "User-Agent", "Accept", "Accept-Encoding".
	Omit []string

	// Accept judges a final head (1xx are not shown, redirects are followed
	// first). Its error fails the fetch in phase status, and no sink is opened.
	// Nil: a status outside 200 to 299 is a *StatusError.
	Accept func(h *Head) error

	// Interim is shown every interim head (1xx) of a response, on the loop. Its error
	// fails the fetch in phase await. Nil: they are read past.
	Interim func(r *Request, h *Head) error

	// Jar has the cookies that requests carry, besides those in their Fields, and
	// takes those that responses set. Nil: there are none.
	Jar Jar

	// Login gives the name, without a colon, and the password that a request to a
	// host (lower case, in ASCII) carries, unless its Fields or URL say otherwise;
	// false: none. redirected: a server led there. It is called on the loop. Nil:
	// there are none.
	Login func(host string, redirected bool) (name, password string, ok bool)

	// TLS is how https is spoken. Nil: as its zero value says.
	TLS *TLS

	// ProxyTLS is how TLS is spoken with https proxies. Nil: as TLS says, but
	// for Insecure, Certificates and Pins, which concern servers.
	ProxyTLS *TLS

	// Sink is where bodies go. Nil: into Result.Body.
	Sink Sink

	// SHA256 asks for Result.SHA256: bodies are then not spliced to files.
	SHA256 bool

	// Resolver finds addresses: net.DefaultResolver when nil. It is called off
	// the loop, from at most 64 goroutines at once.
	Resolver Resolver

	// LocalAddrs are addresses of this machine that connections come from: the
	// first that is of the server's family, and of its scope if there is one. A
	// connection that cannot fails with a [*BindError]. Empty: what the system
	// chooses.
	LocalAddrs []netip.Addr

	// ConnectTo says where connections lead that are for a host (in lower case and
	// ASCII, an address without brackets) and port; an empty host, or a port of 0,
	// is the one that was asked for. What the server is told, and judged by with
	// TLS, stays what the URL says. An HTTP proxy is asked for a tunnel then. The
	// function is called on the loop, for redirects too. Nil: to that host and port.
	ConnectTo func(host string, port uint16) (string, uint16)

	// UnixSocket is the path, of at most 103 bytes, of a socket of the Unix domain
	// to which all connections lead, whatever host and port a URL has. Nothing is
	// looked up, and no proxy asked for. Empty: there is none.
	UnixSocket string

	// DenyPrivate fails what leads to this machine, to its networks or to nobody,
	// with a [*PrivateAddressError] in phase lookup: a host's addresses are checked
	// after every lookup, redirects included, and no others are dialled. It is for
	// URLs of strangers.
	DenyPrivate bool

	// Proxy says through which proxy a URL is fetched: its scheme is http, https,
	// socks5 (which is given addresses) or socks5h (names), and it may have a user
	// and a password; nil is none. An http URL goes to an HTTP proxy as it is,
	// every other through a tunnel. What has a proxy is never fetched without.
	// The function is called on the loop, for redirects too; what it returns may
	// be shared, and must not change. Nil: no proxies.
	Proxy func(target *url.URL) (proxy *url.URL, err error)

	// Trace is shown every Event, on the loop. It must be quick.
	Trace func(Event)
}

// Resolver finds the addresses of a host; *net.Resolver is one. The order of
// the answer is the order in which addresses are tried.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// recvBytes is the default of Options.RecvBytes: on bodies of 5 MB a buffer of
// 16 KB was measured to cost twice as much.
const recvBytes = 1 << 20

// lookupWorkers is how many lookups run at once.
const lookupWorkers = 64

// ownDescriptors is what the program needs besides connections and files: the
// standard three, the poller's two, the folder, a resolver's sockets.
const ownDescriptors = 3 + 2 + 1 + lookupWorkers

// Fetcher is one loop and what it keeps between Fetches: its idle connections
// and the addresses it has learned. More cores are more Fetchers; they share
// nothing. [Request.Host] says what to divide requests by.
type Fetcher struct {
	loop   *loop
	busy   atomic.Bool
	closed atomic.Bool
	shared *shared
}

// New makes a Fetcher. Close it.
func New(o Options) (*Fetcher, error) {
	k, err := kernel.New()
	if err != nil {
		return nil, fmt.Errorf("fetch: no poller: %w", err)
	}
	f, err := NewOn(k, offload.New(lookupWorkers, func() { _ = k.Wake() }), o)
	if err != nil {
		k.Close()
	}
	return f, err
}

// NewOn is New on a kernel and workers of the caller's: one that counts, one
// that injects faults, a simulated one. Only this module can name them. Close
// closes both.
func NewOn(k kernel.Kernel, w offload.Runner, o Options) (*Fetcher, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkDescriptors(k, &o); err != nil {
		return nil, err
	}
	b := newBeside(w)
	if a, ok := o.Sink.(attacher); ok {
		if err := a.Attach(k, b.run); err != nil {
			return nil, err
		}
	}
	s := &shared{wake: func() { _ = k.Wake() }}
	return &Fetcher{loop: newLoop(o, k, b, s), shared: s}, nil
}

// withDefaults fills in what is zero and refuses what makes no sense.
func (o Options) withDefaults() (Options, error) {
	for _, f := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxConns", &o.MaxConns, 128},
		{"MaxPerHost", &o.MaxPerHost, 6},
		{"MaxDecoders", &o.MaxDecoders, 128},
		{"RecvBytes", &o.RecvBytes, recvBytes},
		{"RecvBuffer", &o.RecvBuffer, 0},
		{"MaxHeadBytes", &o.MaxHeadBytes, 0},
	} {
		if *f.value < 0 {
			return o, fmt.Errorf("fetch: %s is %d, it must be at least 1", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	for _, f := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"LookupTimeout", &o.LookupTimeout, 10 * time.Second},
		{"ConnectTimeout", &o.ConnectTimeout, 10 * time.Second},
		{"SendTimeout", &o.SendTimeout, 30 * time.Second},
		{"FirstByteTimeout", &o.FirstByteTimeout, 30 * time.Second},
		{"StallTimeout", &o.StallTimeout, 30 * time.Second},
		{"TotalTimeout", &o.TotalTimeout, 0},
		{"IdleTimeout", &o.IdleTimeout, 90 * time.Second},
		{"MaxConnAge", &o.MaxConnAge, time.Hour},
		{"RecvDelay", &o.RecvDelay, 0},
	} {
		if *f.value < 0 {
			return o, fmt.Errorf("fetch: %s is %v, it must not be negative", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	if o.MaxBytes == 0 && o.Sink == nil {
		o.MaxBytes = 32 << 20
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = 10
	}
	if o.UserAgent == "" {
		o.UserAgent = "shoal"
	}
	probe := http1.Request{Method: "GET", Target: "/", Host: "h", ContentLength: -1,
		Fields: []Field{{Name: "User-Agent", Value: o.UserAgent}}}
	if _, err := http1.AppendRequest(nil, &probe); err != nil {
		return o, fmt.Errorf("fetch: UserAgent: %w", err)
	}
	var err error
	if o.Retry, err = o.Retry.withDefaults(); err != nil {
		return o, err
	}
	if err := o.Manners.check(); err != nil {
		return o, err
	}
	if err := o.checkSockets(); err != nil {
		return o, err
	}
	if o.Accept == nil {
		o.Accept = acceptSuccess
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	return o, nil
}

// acceptSuccess is the default of Options.Accept.
func acceptSuccess(h *Head) error {
	if h.Status < 200 || h.Status > 299 {
		return &StatusError{Code: int(h.Status), Reason: h.Reason()}
	}
	return nil
}

// checkDescriptors refuses more connections than there can be descriptors: one
// each, and one more where files are written.
func checkDescriptors(k kernel.Kernel, o *Options) error {
	limit, err := k.DescriptorLimit()
	if err != nil {
		return fmt.Errorf("fetch: no descriptor limit: %w", err)
	}
	each := 1
	if _, ok := o.Sink.(attacher); ok {
		each = 2
	}
	most := (limit - ownDescriptors) / each
	if o.MaxConns > most {
		return &DescriptorLimitError{o.MaxConns, limit, max(0, most), each}
	}
	return nil
}

// Fetch fetches every request of an iterator and yields each exactly once, in
// the order in which they end: a result that is never nil, and an *Error when
// it failed. The iterator is pulled on the loop, only when there is room, and
// must not block; [Queue] is for requests that arrive in their own time.
//
// Leaving the loop early drops what is under way. When ctx ends, everything
// admitted yields once more, with its cause.
func (f *Fetcher) Fetch(ctx context.Context, requests iter.Seq[Request]) iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		source, stop := newSeqSource(requests)
		defer stop()
		f.FetchFrom(ctx, source)(yield)
	}
}

// FetchFrom is Fetch for a [Source].
func (f *Fetcher) FetchFrom(ctx context.Context, source Source) iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		if !f.busy.CompareAndSwap(false, true) {
			yield(&Result{}, ErrBusy)
			return
		}
		defer f.busy.Store(false)
		if f.closed.Load() {
			yield(&Result{}, ErrClosed)
			return
		}
		f.run(ctx, source, yield)
	}
}

// run is one Fetch. Its one defer is all the cleanup there is: it runs however
// the Fetch ends, by a panic or by runtime.Goexit too.
func (f *Fetcher) run(ctx context.Context, source Source, yield func(*Result, error) bool) {
	l := f.loop
	l.shared.stopping.Store(false)
	lookups, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.lookupContext = lookups
	orderly := false
	defer func() {
		cancel()
		if orderly {
			l.tidy()
			return
		}
		l.wreck()
		f.loop = newLoop(l.options, l.kernel, l.beside, l.shared)
		f.loop.speak, f.loop.asked, f.loop.verifyLater = l.speak, l.asked, l.verifyLater
	}()
	l.run(ctx, source, yield)
	orderly = true
}

// Close closes the idle connections, the sink's folder and the poller. It
// returns ErrBusy, and does nothing, while a Fetch is under way. Closing twice
// is harmless.
func (f *Fetcher) Close() error {
	if !f.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer f.busy.Store(false)
	if f.closed.Swap(true) {
		return nil
	}
	l := f.loop
	for l.retireIdle() {
	}
	l.workers.Close()
	if a, ok := l.options.Sink.(attacher); ok {
		a.Detach()
	}
	return l.kernel.Close()
}
