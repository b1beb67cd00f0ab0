package main

import (
	"errors"
	"fmt"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/robots"
	"github.com/shoalfetch/shoal/internal/view"
)

// lookups is how many names are looked up at once.
const lookups = 64

// newFetcher makes the engine, with as many connections as there are
// descriptors for when nobody said how many.
func (r *runner) newFetcher() (fetcher, error) {
	o := r.options()
	f, err := r.fetcherOf(o)
	var limit *fetch.DescriptorLimitError
	switch {
	case !errors.As(err, &limit):
		return f, err
	case r.connsGiven || limit.Most < 1:
		return nil, fmt.Errorf("-j %d is too many: %w", r.conns, err)
	}
	o.MaxConns = limit.Most // nobody asked for as many as the default
	return r.fetcherOf(o)
}

// fetcherOf makes one Fetcher, or several when that was asked for and there is
// something for each of them.
func (r *runner) fetcherOf(o fetch.Options) (fetcher, error) {
	n := min(r.loops, o.MaxConns)
	if len(r.lists) == 0 {
		n = min(n, len(r.urls))
	}
	if n > 1 {
		return r.newLoops(n, o)
	}
	if r.verbose {
		r.explain = view.NewExplain(r.screen)
		o.Trace = r.explain.Event
	}
	return r.instruments.newFetcher(&r.settings, o)
}

// options are the settings in the engine's terms.
func (r *runner) options() fetch.Options {
	s := &r.settings
	o := fetch.Options{
		MaxConns:         s.conns,
		MaxPerHost:       s.perHost,
		MaxBytes:         s.bodyMost,
		MaxRedirects:     s.redirects,
		Decode:           s.compressed,
		LookupTimeout:    s.connect,
		ConnectTimeout:   s.connect,
		FirstByteTimeout: s.firstByte,
		StallTimeout:     s.stall,
		TotalTimeout:     s.total,
		Retry:            s.retry.policy(),
		Manners:          s.manners.policy(),
		RecvBuffer:       int(s.recvBuffer),
		HTTP10:           s.http10,
		UserAgent:        s.agent,
		TLS:              s.tls,
		Sink:             r.sink(),
		Resolver:         &resolver{s.family(), s.hosts},
	}
	s.keep.apply(&o)
	s.routes.apply(&o)
	o.DenyPrivate = s.denyPrivate
	o.Proxy, o.ProxyTLS = s.proxy, s.proxyTLS
	o.MaxHeadBytes = int(s.headMost)
	o.Login = r.passwords.login()
	if r.jar != nil {
		o.Jar = r.jar
	}
	if r.intake.polite != nil {
		o.CheckRedirect = r.intake.polite.follow
	}
	_, o.Omit = s.fields.split()
	if s.redirects == 0 {
		o.MaxRedirects = -1 // the engine's own zero is its default
	}
	o.Accept = s.accept()
	o.SHA256 = (s.json != "" || s.stateFile != "") && !s.ask.heads
	return o
}

// family is the network to look addresses up for.
func (s *settings) family() string {
	switch {
	case s.only4:
		return "ip4"
	case s.only6:
		return "ip6"
	}
	return "ip"
}

// sink is where bodies go.
func (r *runner) sink() fetch.Sink {
	sink := r.plainSink()
	switch {
	case !r.polite:
		return sink
	case r.folder != nil:
		return politeFolder{r.folder, robots.Token(r.agent)}
	}
	return politeStream{sink, robots.Token(r.agent)}
}

func (r *runner) plainSink() fetch.Sink {
	switch {
	case r.discards() || r.ask.heads:
		return save.Discard()
	case r.output == standard:
		return save.Writer(r.stdout)
	case r.output != "":
		r.folder = save.File(r.output)
	default:
		r.folder = save.Dir(r.dir)
		r.folder.Overwrite = r.overwrite
	}
	r.folder.Resume = r.resume
	if r.archive != nil {
		r.folder.IsOther = r.archive.isOther
	}
	return r.folder
}

// reserve gives a request its name, and notes it where more than one may ask.
func (r *runner) reserve(request *fetch.Request) (string, error) {
	if r.folder == nil {
		return "", nil
	}
	return reserveIn(r.folder, request)
}

// path is where a result's body stands; empty if it stands nowhere.
func (r *runner) path(name string) string {
	if r.folder == nil {
		return ""
	}
	return r.folder.Path(name)
}

// accept judges heads; nil leaves that to the engine.
func (s *settings) accept() func(*fetch.Head) error {
	var accept func(*fetch.Head) error
	if s.saveErrors {
		accept = acceptErrors
	}
	if s.ask.span.set && !s.ask.heads {
		return s.ask.span.accept(accept)
	}
	return accept
}

// acceptErrors takes the answer of a server that will not give what was asked
// for, as it takes what was.
func acceptErrors(h *fetch.Head) error {
	if h.Status >= 200 && h.Status <= 299 || h.Status >= 400 {
		return nil
	}
	return &fetch.StatusError{Code: int(h.Status), Reason: h.Reason()}
}
