package view

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
)

// tell prints one line. 0 is no fetch's number.
func (e *Explain) tell(job uint64, format string, args ...any) {
	e.tellAt(e.now, job, format, args...)
}

func (e *Explain) tellAt(at time.Duration, job uint64, format string, args ...any) {
	number := ""
	if job != 0 {
		number = fmt.Sprintf("#%d", job)
	}
	fmt.Fprintf(e.w, "%12s  %-4s %s\n", milliseconds(at-e.began), number, Plain(fmt.Sprintf(format, args...)))
}

// milliseconds is a time to the microsecond.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}

// ofReceipt tells of bytes that came.
func (e *Explain) ofReceipt(ev fetch.Event, j *journey) {
	j.received += max(0, ev.N)
	e.tell(ev.Job, "%s", received(ev, j.received))
}

// received is what one call brought, and how many bytes that makes in all.
func received(ev fetch.Event, total int) string {
	switch {
	case ev.Errno == syscall.EAGAIN:
		return fmt.Sprintf("%v: EAGAIN, nothing is there yet", ev.Kind)
	case ev.Errno == syscall.ENOTSUP:
		return fmt.Sprintf("%v: cannot be done here, goes on with recv", ev.Kind)
	case ev.Errno != 0:
		return fmt.Sprintf("%v: %s", ev.Kind, errnoText(ev.Errno))
	case ev.N == 0:
		return fmt.Sprintf("%v 0: the server sends no more", ev.Kind)
	}
	return fmt.Sprintf("%v %d, %d in all", ev.Kind, ev.N, total)
}

// sent is what one send took of what it was offered.
func sent(ev fetch.Event) string {
	switch {
	case ev.Errno == syscall.EAGAIN:
		return fmt.Sprintf("send 0 of %d: EAGAIN, the socket is full", ev.Of)
	case ev.Errno != 0:
		return "send: " + errnoText(ev.Errno)
	}
	return fmt.Sprintf("send %d of %d", ev.N, ev.Of)
}

// errnoText is an errno in words; 0 stands for an error that has none.
func errnoText(errno syscall.Errno) string {
	if errno == 0 {
		return "failed"
	}
	return errno.Error()
}

// Result tells what became of a fetch. It wants each result, in the order in
// which they are yielded.
func (e *Explain) Result(res *fetch.Result, err error) {
	end := ending{at: e.now}
	if len(e.done) > 0 {
		end = e.done[0]
		e.done = e.done[1:]
	}
	e.tellAt(end.at, end.job, "%s", outcome(res, err))
}

func outcome(res *fetch.Result, err error) string {
	if fe, ok := err.(*fetch.Error); ok {
		return fmt.Sprintf("failed: %v: %v", fe.Phase, fe.Err)
	}
	switch {
	case err != nil:
		return "failed: " + err.Error()
	case res.Outcome == fetch.Skipped:
		return "skipped: it is there already"
	case res.Outcome == fetch.NotModified:
		return "not modified: what is there is still the same"
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", res.Head.Status, res.Head.Reason()))
	text := fmt.Sprintf("done: %s, %d bytes of body, %s", status, res.Bytes, ends[res.End])
	switch {
	case res.Redirects == 1:
		text += fmt.Sprintf(", after a redirect to %s", res.URL)
	case res.Redirects > 1:
		text += fmt.Sprintf(", after %d redirects, the last to %s", res.Redirects, res.URL)
	}
	return text
}

// ends are how the end of a body is known.
var ends = map[fetch.Framing]string{
	http1.NoBody:     "which this response cannot have",
	http1.Length:     "the end known by Content-Length",
	http1.Chunked:    "the end known by the last chunk",
	http1.UntilClose: "the end known by the server's close",
}
