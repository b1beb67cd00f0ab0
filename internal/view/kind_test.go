package view

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/robots"
	"github.com/shoalfetch/shoal/internal/tlsconn"
)

// failures of every kind, as the engine makes them.
var everyKind = []struct {
	kind  string
	phase fetch.Phase
	err   error
}{
	{"refused", fetch.PhaseDial, syscall.ECONNREFUSED},
	{"refused", fetch.PhaseDial, errors.Join(syscall.ENETUNREACH, syscall.ECONNREFUSED)},
	{"unreachable", fetch.PhaseDial, syscall.EHOSTUNREACH},
	{"unreachable", fetch.PhaseDial, syscall.ENETUNREACH},
	{"reset", fetch.PhaseAwait, syscall.ECONNRESET},
	{"reset", fetch.PhaseSend, syscall.EPIPE},
	{"timeout", fetch.PhaseDial, &fetch.TimeoutError{Deadline: "connect", After: time.Second}},
	{"timeout", fetch.PhaseReceive, syscall.ETIMEDOUT},
	{"timeout", fetch.PhaseLookup, &fetch.TimeoutError{Deadline: "lookup", After: time.Second}},
	{"timeout", fetch.PhaseReceive, context.DeadlineExceeded},
	{"dns", fetch.PhaseLookup, &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}},
	{"dns", fetch.PhaseLookup, errors.New("the name has no address")},
	{"certificate", fetch.PhaseTLS, fmt.Errorf("for another name: %w", &tlsconn.CertificateError{Err: x509.HostnameError{}})},
	{"tls", fetch.PhaseTLS, &tlsconn.Error{Text: "no TLS on this port", Err: tls.RecordHeaderError{}}},
	{"tls", fetch.PhaseTLS, errors.New("tls: a long message")},
	{"tls", fetch.PhaseAwait, &tlsconn.Error{Text: "a client certificate is asked for", Err: errors.New("alert")}},
	{"tls", fetch.PhaseReceive, &net.OpError{Op: "local error", Err: tls.AlertError(20)}},
	{"tls", fetch.PhaseReceive, tls.RecordHeaderError{Msg: "a strange version"}},
	{"truncated", fetch.PhaseReceive, tlsconn.ErrTruncated},
	{"reset", fetch.PhaseTLS, syscall.ECONNRESET},
	{"timeout", fetch.PhaseTLS, &fetch.TimeoutError{Deadline: "connect", After: time.Second}},
	{"status", fetch.PhaseStatus, &fetch.StatusError{Code: 404, Reason: "Not Found"}},
	{"truncated", fetch.PhaseReceive, &http1.TruncatedError{Part: http1.PartBody, Got: 1, Want: 2}},
	{"truncated", fetch.PhaseAwait, http1.ErrNoResponse},
	{"malformed", fetch.PhaseAwait, &http1.ParseError{In: "status line", Reason: "no version"}},
	{"coding", fetch.PhaseDecode, &fetch.CodingError{Coding: "br", Err: errors.New("an unknown coding")}},
	{"coding", fetch.PhaseDecode, &fetch.CodingError{Coding: "gzip", Err: io.ErrUnexpectedEOF}},
	{"limit", fetch.PhaseDecode, &fetch.LimitError{What: "body bytes", Limit: 1}},
	{"limit", fetch.PhaseReceive, &fetch.LimitError{What: "body bytes", Limit: 1}},
	{"limit", fetch.PhaseAwait, &http1.LimitError{What: "more than", Limit: 1, Unit: "fields"}},
	{"redirect", fetch.PhaseStatus, &fetch.RedirectError{Location: "ftp://h/", Reason: "scheme"}},
	{"disk", fetch.PhaseSave, fmt.Errorf("out/a: %w", syscall.ENOSPC)},
	{"disk", fetch.PhaseSave, errors.New("whatever a sink says")},
	{"private", fetch.PhaseLookup, &fetch.PrivateAddressError{Host: "h", Addrs: []netip.Addr{netip.IPv6Loopback()}}},
	{"host-down", fetch.PhaseQueue, &fetch.HostDownError{Tries: 20, Err: syscall.ECONNREFUSED}},
	{"robots", fetch.PhaseQueue, &robots.DisallowedError{Line: 3, Reason: "Disallow: /"}},
	{"robots", fetch.PhaseStatus, &robots.DisallowedError{Reason: "X-Robots-Tag: noai"}},
	{"shortage", fetch.PhaseDial, &fetch.ShortageError{After: time.Second, Err: syscall.EMFILE}},
	{"shortage", fetch.PhaseSave, &fetch.ShortageError{After: time.Second, Err: syscall.ENFILE}},
	{"shortage", fetch.PhaseDial, syscall.EADDRNOTAVAIL},
	{"stopped", fetch.PhaseQueue, fetch.ErrStopped},
	{"stopped", fetch.PhaseReceive, context.Canceled},
	{"request", fetch.PhaseRequest, errors.New("no host")},
	{"other", fetch.PhaseReceive, errors.New("nobody knows")},
}

func TestKindOf(t *testing.T) {
	for _, c := range everyKind {
		err := &fetch.Error{URL: "http://h/", Phase: c.phase, Attempt: 1, Err: c.err}
		require.Equal(t, c.kind, KindOf(err), "%v", err)
	}
	require.Equal(t, "refused", KindOf(syscall.ECONNREFUSED), "without a phase")
	require.Equal(t, "other", KindOf(fetch.ErrBusy))
	require.Empty(t, KindOf(nil))
}

func TestBreakdown(t *testing.T) {
	var b Breakdown
	fail := func(times int, phase fetch.Phase, cause error) {
		for n := range times {
			url := fmt.Sprintf("http://h/%v/%d", phase, n)
			b.Add(&fetch.Result{Request: fetch.Request{URL: url}}, &fetch.Error{URL: url, Phase: phase, Err: cause})
		}
	}
	b.Add(&fetch.Result{Outcome: fetch.Fetched}, nil)
	require.Empty(t, b.String())
	fail(2, fetch.PhaseStatus, &fetch.StatusError{Code: 404})
	fail(2, fetch.PhaseStatus, &fetch.StatusError{Code: 503})
	fail(1200, fetch.PhaseDial, syscall.ECONNREFUSED)
	fail(2, fetch.PhaseLookup, &net.DNSError{})
	fail(3, fetch.PhaseReceive, &http1.TruncatedError{})
	require.Equal(t, ""+
		"  failed  phase    cause        for example\n"+
		"    1200  dial     refused      http://h/dial/0\n"+
		"       3  receive  truncated    http://h/receive/0\n"+
		"       2  lookup   dns          http://h/lookup/0\n"+
		"       2  status   status 404   http://h/status/0\n"+
		"       2  status   status 503   http://h/status/0\n", b.String())
}

func TestBreakdownIsHarmless(t *testing.T) {
	var b Breakdown
	b.Add(&fetch.Result{Request: fetch.Request{URL: "http://h/\x1b[2J\n"}}, fetch.ErrBusy)
	require.Regexp(t, `^( *failed .*\n *1 .*\\u001b\[2J\\u000a\n)$`, b.String())
	require.Equal(t, 2, strings.Count(b.String(), "\n"))
}
