package view

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/robots"
	"github.com/shoalfetch/shoal/internal/tlsconn"
)

// The kinds of causes, in one word each.
const (
	kindRefused     = "refused"     // the host answered that nobody listens there
	kindUnreachable = "unreachable" // no way to the host or its network
	kindReset       = "reset"       // the connection was broken off
	kindTimeout     = "timeout"     // a deadline passed, here or in the kernel
	kindDNS         = "dns"         // the name could not be looked up, or has no address
	kindCertificate = "certificate" // the server's certificate is not believed
	kindTLS         = "tls"         // no TLS was agreed on, or it was broken
	kindStatus      = "status"      // the server answered with a status that is no success
	kindPrivate     = "private"     // the host leads to private addresses, which are denied
	kindHostDown    = "host-down"   // not tried: the host could not be reached too often
	kindTruncated   = "truncated"   // the connection ended before the response did
	kindMalformed   = "malformed"   // the response breaks the protocol
	kindCoding      = "coding"      // the body is not in the coding that it says
	kindLimit       = "limit"       // something was longer, or more, than is allowed
	kindRedirect    = "redirect"    // a redirect that is not followed
	kindDisk        = "disk"        // the body could not be saved
	kindShortage    = "shortage"    // descriptors or local ports had run out, and stayed so
	kindRobots      = "robots"      // the site does not want it fetched
	kindStopped     = "stopped"     // the run was stopped before it was done
	kindProxy       = "proxy"       // the proxy was reached, and brings nobody to the server
	kindRequest     = "request"     // the URL or the request makes no sense
	kindOther       = "other"
)

// Retriable are the kinds of failures of servers and of the network, which the
// next try may not meet.
var Retriable = []string{kindDNS, kindRefused, kindUnreachable, kindReset, kindTimeout, kindTLS, kindCertificate,
	kindStatus, kindTruncated, kindMalformed, kindRedirect, kindProxy}

// KindOf is what a fetch failed of, in a word that programs can rely on:
// refused, unreachable, reset, timeout, dns, private, host-down, certificate, tls,
// status, truncated, malformed, coding, limit, redirect, disk, shortage, robots,
// stopped, proxy, request or other. It is empty without an error.
func KindOf(err error) string {
	if err == nil {
		return ""
	}
	if kind := kindOfType(err); kind != "" {
		return kind
	}
	if kind := kindOfPhase(err); kind != "" {
		return kind
	}
	return kindOfErrno(err)
}

// kindOfType knows the errors that have a type or a name of their own.
func kindOfType(err error) string {
	switch {
	case errors.Is(err, fetch.ErrStopped), errors.Is(err, context.Canceled):
		return kindStopped
	case is[*fetch.PrivateAddressError](err):
		return kindPrivate
	case is[*fetch.HostDownError](err):
		return kindHostDown
	case is[*fetch.BindError](err):
		return kindUnreachable
	case is[*fetch.ShortageError](err):
		return kindShortage
	case is[*robots.DisallowedError](err):
		return kindRobots
	case is[*fetch.TimeoutError](err), errors.Is(err, context.DeadlineExceeded):
		return kindTimeout
	case phaseOf(err) == fetch.PhaseProxy && is[*fetch.StatusError](err):
		return kindProxy
	case is[*fetch.StatusError](err):
		return kindStatus
	case is[*fetch.LimitError](err), is[*http1.LimitError](err):
		return kindLimit
	case is[*fetch.RangeError](err):
		return kindMalformed
	case is[*fetch.RedirectError](err):
		return kindRedirect
	case is[*fetch.CodingError](err):
		return kindCoding
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http1.ErrNoResponse):
		return kindTruncated
	case is[*http1.ParseError](err):
		return kindMalformed
	case is[*net.DNSError](err):
		return kindDNS
	case is[*tlsconn.CertificateError](err):
		return kindCertificate
	case is[*tlsconn.Error](err), isOfTLS(err):
		return kindTLS
	}
	return ""
}

// kindOfPhase knows the phases in which only one kind of thing is left to fail.
func kindOfPhase(err error) string {
	if !is[*fetch.Error](err) {
		return ""
	}
	switch phaseOf(err) {
	case fetch.PhaseRequest:
		return kindRequest
	case fetch.PhaseLookup:
		return kindDNS
	case fetch.PhaseSave:
		return kindDisk
	}
	return ""
}

// phaseOf is the phase of an error; of what failed on the way to a proxy, the
// phase there.
func phaseOf(err error) fetch.Phase {
	if e, ok := errors.AsType[*fetch.ProxyError](err); ok {
		return e.Phase
	}
	if e, ok := errors.AsType[*fetch.Error](err); ok {
		return e.Phase
	}
	return fetch.PhaseRequest
}

// isOfTLS knows the errors that crypto/tls makes of a broken record, and those
// that it has been told of, or tells the server: alerts.
func isOfTLS(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "local error" || op.Op == "remote error") || is[tls.RecordHeaderError](err)
}

// errnoKinds are the errnos of sockets (connect(2), recv(2), send(2)), what
// says most first: of several addresses each may have failed in its own way.
var errnoKinds = []struct {
	errno syscall.Errno
	kind  string
}{
	{syscall.ECONNREFUSED, kindRefused},
	{syscall.ECONNRESET, kindReset},
	{syscall.EPIPE, kindReset},
	{syscall.ECONNABORTED, kindReset},
	{syscall.ETIMEDOUT, kindTimeout},
	{syscall.EHOSTUNREACH, kindUnreachable},
	{syscall.ENETUNREACH, kindUnreachable},
	{syscall.ENETDOWN, kindUnreachable},
	{syscall.EMFILE, kindShortage},
	{syscall.ENFILE, kindShortage},
	{syscall.EADDRNOTAVAIL, kindShortage},
}

func kindOfErrno(err error) string {
	for _, k := range errnoKinds {
		if errors.Is(err, k.errno) {
			return k.kind
		}
	}
	switch phaseOf(err) {
	case fetch.PhaseTLS:
		return kindTLS
	case fetch.PhaseProxy:
		return kindProxy
	}
	return kindOther
}

// is says whether an error, or one that it wraps, has a type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
