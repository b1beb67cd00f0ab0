package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// lesson tells what happens in a textbook run: on stdout what the textbook's
// program prints, on stderr the rest.
type lesson struct {
	stdout, stderr io.Writer
	path           func(name string) string // where a body is saved
	numbered       bool
	pupils         []pupil // in the order of the URLs, which is that of the jobs
	stop           func(cause error)
}

// pupil is one of the fetches.
type pupil struct {
	request fetch.Request
	sent    int   // bytes of it
	recvs   int   // calls that succeeded
	total   int64 // bytes they gave
	closed  bool  // the last of them gave none
}

func newLesson(stdout, stderr io.Writer, urls int, path func(string) string, stop func(error)) *lesson {
	return &lesson{stdout: stdout, stderr: stderr, path: path, numbered: urls > 1, stop: stop}
}

func (l *lesson) add(r fetch.Request) {
	r.Tag = len(l.pupils)
	l.pupils = append(l.pupils, pupil{request: r})
}

func (l *lesson) requests(yield func(fetch.Request) bool) {
	for _, p := range l.pupils {
		if !yield(p.request) {
			return
		}
	}
}

// event tells what a call of the loop did. Jobs are numbered from 1, in the
// order in which they were asked for.
func (l *lesson) event(e fetch.Event) {
	if e.Job == 0 {
		return
	}
	n := int(e.Job) - 1
	p := &l.pupils[n]
	switch {
	case e.Kind == fetch.CallConnect && e.Remote.IsValid():
		l.aside(n, "connecting to %s", e.Remote)
	case e.Errno != 0:
		// EAGAIN is not worth telling here; any other error ends the fetch.
	case e.Kind == fetch.CallSend && strings.HasPrefix(p.request.URL, "https:"):
		l.aside(n, "sent %d of %d bytes of TLS", e.N, e.Of)
	case e.Kind == fetch.CallSend:
		l.aside(n, "sent %d of %d bytes: %q", e.N, e.Of, p.request.Raw[p.sent:p.sent+e.N])
		p.sent += e.N
	case e.Kind == fetch.CallRecv && e.N == 0:
		p.recvs++
		p.closed = true
		l.aside(n, "recv number %d returned 0: the server has closed the connection", p.recvs)
	case e.Kind == fetch.CallRecv:
		p.recvs++
		p.total += int64(e.N)
		l.print(n, fmt.Sprintf("%d %d\n", e.N, p.total))
	}
}

// tell ends the story of one fetch.
func (l *lesson) tell(res *fetch.Result, err error, end fetch.EndAt) {
	n := res.Request.Tag.(int)
	p := &l.pupils[n]
	if err != nil {
		l.aside(n, "%s", view.Plain(err.Error()))
		var late *fetch.TimeoutError
		if end == fetch.AtClose && errors.As(err, &late) && late.Deadline == "stall" {
			l.aside(n, "the server did not close the connection; --end-at length and --end-at timeout know the end in other ways")
		}
		return
	}
	head := res.Head.Raw()
	header := strings.TrimSuffix(strings.TrimSuffix(head, "\n"), "\r")
	l.print(n, fmt.Sprintf("Header length %d\n%s\n", len(header), latin1(header)))
	switch {
	case p.closed:
	case end == fetch.AtSilence:
		l.aside(n, "nothing more has come: that is taken for the end")
	default:
		l.aside(n, "the end was known before the server closed: by %s", res.End)
	}
	l.addUp(n, header, head, res)
	l.aside(n, "the body is saved as %s", view.Plain(l.path(res.Name)))
}

// addUp shows that all bytes are accounted for: the header, the two line ends
// after it, the body.
func (l *lesson) addUp(n int, header, head string, res *fetch.Result) {
	p := &l.pupils[n]
	ends := 2 * (len(head) - len(header))
	others := p.total - int64(len(header)+ends) - res.Bytes
	sum := fmt.Sprintf("total %d = header %d + %d + body %d", p.total, len(header), ends, res.Bytes)
	if others != 0 {
		sum += fmt.Sprintf(" + %d others", others) // interim responses, or what follows the end that the header tells
	}
	l.aside(n, "%s", sum)
	if ends != 4 {
		l.aside(n, "the lines of the header end in a bare LF: a program that looks for CRLF CRLF would not find its end")
	}
}

// print writes to stdout. Every line is marked when there are several fetches.
func (l *lesson) print(n int, text string) {
	if l.numbered {
		mark := fmt.Sprintf("[%d] ", n+1)
		text = mark + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+mark) + "\n"
	}
	_, err := io.WriteString(l.stdout, text)
	switch {
	case errors.Is(err, syscall.EPIPE): // the reader has had enough, as head(1) has
		l.stop(&halt{exitSignal + int(syscall.SIGPIPE), ""})
	case err != nil:
		l.stop(&halt{exitStopped, "standard output: " + err.Error()})
	}
}

// aside writes a line to stderr.
func (l *lesson) aside(n int, format string, args ...any) {
	mark := ""
	if l.numbered {
		mark = fmt.Sprintf("[%d] ", n+1)
	}
	fmt.Fprintf(l.stderr, "shoal: "+mark+format+"\n", args...)
}

// latin1 reads each byte as the character of that number, as the textbook's
// program does: header fields may have bytes that are not UTF-8 (RFC 9110
// section 5.5).
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
