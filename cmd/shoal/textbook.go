package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/list"
)

// textbook is what its flags say: fetch as a textbook's first program over a
// socket does, and print what that prints, byte for byte.
type textbook struct {
	on         bool
	recvSize   int64         // of each recv, in bytes; 0: bookRecv
	recvDelay  time.Duration // after each recv
	endAt      endValue
	rawRequest string // with escapes
}

// bookRecv is how much the textbook's program asks for.
const bookRecv = 5120

// mostRecv is the most that --recv-size takes: well below the size from which
// the engine may move bytes to a file without a recv.
const mostRecv = 256 << 10

// addTextbookFlags defines the flags. Each of them makes it a textbook run.
func addTextbookFlags(f *pflag.FlagSet, t *textbook) {
	t.endAt.is = fetch.AtClose
	f.BoolVar(&t.on, "textbook", false, "fetch as a textbook's program does: HTTP/1.0, no redirects, any status; print what each recv returned, and the header")
	f.Var(sizeValue{&t.recvSize, mostRecv}, "recv-size", "ask each recv for `SIZE` bytes, 5120 if not given")
	f.Var(durationValue{&t.recvDelay, true}, "recv-delay", "wait `TIME` after each recv, as in 250ms: what is not received fills the buffers, until the server cannot send")
	f.Var(&t.endAt, "end-at", "know the end of a response by `WAY`: close (recv returns 0), length (the header tells) or timeout (nothing has come for --stall-timeout)")
	f.StringVar(&t.rawRequest, "raw-request", "", "send exactly these `BYTES`, as in 'GET http://h/p HTTP/1.0\\n\\n', with \\n, \\r, \\t, \\\\ and \\xHH for what cannot be typed")
}

// wanted says whether a flag of the textbook was given.
func (t *textbook) wanted() bool {
	return t.on || t.recvSize > 0 || t.recvDelay > 0 || t.endAt.set || t.rawRequest != ""
}

// checkTextbook checks what is special to a textbook run. Where no URL was given
// it takes the one in the request line of --raw-request.
func (s *settings) checkTextbook() error {
	t := &s.textbook
	if !t.wanted() {
		return nil
	}
	switch {
	case s.output == standard:
		return usagef("-o - and --textbook both go to standard output; use -o FILE")
	case s.json == standard:
		return usagef("--json and --textbook both go to standard output")
	case len(s.lists) > 0:
		return usagef("--textbook takes URLs, not a list")
	}
	for i, url := range s.urls {
		s.urls[i] = list.WithScheme(url)
		if fetch.WithoutUserinfo(url) != url {
			return usagef("the URL goes into the request line as it is, so it must have no name and password")
		}
		if strings.IndexFunc(url, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			return usagef("%q goes into the request line as it is, so it must be ASCII without spaces: write the rest as %%XX", url)
		}
	}
	if t.rawRequest == "" {
		return nil
	}
	raw, err := unescape(t.rawRequest)
	if err != nil {
		return usagef("--raw-request: %w", err)
	}
	if len(s.urls) == 0 {
		url, ok := urlOf(raw)
		if !ok {
			return usagef("--raw-request says no URL where to send it: give one, or put it whole into the request line, as in 'GET http://h/p HTTP/1.0\\n\\n'")
		}
		s.urls = []string{url}
	}
	return nil
}

// run fetches the URLs of the settings. The lines of each begin with its
// number when there are several.
func (t *textbook) run(s *settings, stdout, stderr io.Writer) error {
	asked := stderr // for what was asked for
	if s.silent {
		stderr = io.Discard
	}
	ctx, cancel := untilSignal()
	defer cancel(nil)
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE) // a write says it too, and then there is time to tidy up
	defer signal.Stop(broken)
	sink, path := t.sink(s)
	o := t.options(s)
	lesson := newLesson(stdout, stderr, len(s.urls), path, cancel)
	o.Sink, o.Trace = sink, lesson.event
	var measured instruments
	f, err := measured.newFetcher(s, o)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.fault.wanted() {
		fmt.Fprintf(stderr, "shoal: %s\n", s.fault.told())
	}
	for _, url := range s.urls {
		lesson.add(t.request(url))
	}
	failed := false
	for res, err := range f.Fetch(ctx, lesson.requests) {
		if err == nil || ctx.Err() == nil {
			lesson.tell(res, err, t.endAt.is)
		}
		failed = failed || err != nil
	}
	fmt.Fprint(asked, measured.report(len(s.urls)))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case failed:
		return errFailed
	}
	return nil
}

// request is what the textbook's program sends, or --raw-request.
func (t *textbook) request(url string) fetch.Request {
	r := fetch.Request{URL: url, Raw: []byte("GET " + url + " HTTP/1.0\r\n\r\n")}
	if t.rawRequest != "" {
		r.Raw, _ = unescape(t.rawRequest) // checkTextbook has tried
	}
	if bytes.HasPrefix(r.Raw, []byte("HEAD ")) {
		r.Method = "HEAD" // its answer has no body, whatever the header says
	}
	return r
}

func (t *textbook) sink(s *settings) (sink fetch.Sink, path func(name string) string) {
	if s.discards() {
		return save.Discard(), func(string) string { return s.output }
	}
	folder := save.Dir(s.dir)
	if s.output != "" {
		folder = save.File(s.output)
	}
	folder.Overwrite = true // as the textbook's program does
	return folder, folder.Path
}

func (t *textbook) options(s *settings) fetch.Options {
	o := fetch.Options{
		MaxConns:         s.conns,
		MaxPerHost:       s.conns,
		MaxBytes:         -1,
		MaxRedirects:     -1,
		LookupTimeout:    s.connect,
		ConnectTimeout:   s.connect,
		FirstByteTimeout: s.firstByte,
		StallTimeout:     s.stall + t.recvDelay, // a rest of ours is no silence of the server's
		TotalTimeout:     s.total,
		RecvBytes:        bookRecv,
		RecvDelay:        t.recvDelay,
		RecvBuffer:       int(s.recvBuffer),
		EndAt:            t.endAt.is,
		TLS:              s.tls,
		Accept:           func(*fetch.Head) error { return nil },
		Resolver:         &resolver{s.family(), s.hosts},
	}
	o.Proxy = s.proxy
	if t.recvSize > 0 {
		o.RecvBytes = int(t.recvSize)
	}
	if s.bodyMost > 0 {
		o.MaxBytes = s.bodyMost
	}
	return o
}

// endValue is the flag --end-at.
type endValue struct {
	is  fetch.EndAt
	set bool
}

// Set implements pflag.Value.
func (v *endValue) Set(text string) error {
	ways := map[string]fetch.EndAt{"close": fetch.AtClose, "length": fetch.AtFraming, "timeout": fetch.AtSilence}
	is, ok := ways[text]
	if !ok {
		return errors.New("an end is known by close, length or timeout")
	}
	*v = endValue{is, true}
	return nil
}

// String implements pflag.Value.
func (v *endValue) String() string {
	return [...]string{fetch.AtFraming: "length", fetch.AtClose: "close", fetch.AtSilence: "timeout"}[v.is]
}

// Type implements pflag.Value.
func (*endValue) Type() string { return "WAY" }

// urlOf is the URL in a request line in absolute form (RFC 9112 section
// 3.2.2).
func urlOf(raw []byte) (url string, ok bool) {
	line, _, _ := strings.Cut(string(raw), "\n")
	words := strings.Fields(line)
	if len(words) < 2 || !strings.HasPrefix(words[1], "http://") {
		return "", false
	}
	return words[1], true
}

// unescape reads \n, \r, \t, \\ and \xHH.
func unescape(text string) ([]byte, error) {
	var raw []byte
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			raw = append(raw, text[i])
			continue
		}
		rest := text[i:]
		switch {
		case len(rest) >= 2 && strings.IndexByte(`nrt\`, rest[1]) >= 0:
			raw = append(raw, "\n\r\t\\"[strings.IndexByte(`nrt\`, rest[1])])
			i++
		case len(rest) >= 4 && rest[1] == 'x':
			b, err := strconv.ParseUint(rest[2:4], 16, 8)
			if err != nil {
				return nil, fmt.Errorf("%.4q is no byte: \\x takes two hexadecimal digits", rest)
			}
			raw = append(raw, byte(b))
			i += 3
		default:
			return nil, fmt.Errorf("%.4q is no escape: there are \\n, \\r, \\t, \\\\ and \\xHH", rest)
		}
	}
	return raw, nil
}
