package fetch_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/tlsconn"
)

// TestTransientStatuses asks of every status there can be.
func TestTransientStatuses(t *testing.T) {
	again := []int{408, 425, 429, 500, 502, 503, 504, 522, 524}
	for status := 100; status < 1000; status++ {
		e := &fetch.Error{Phase: fetch.PhaseStatus, Err: &fetch.StatusError{Code: status}}
		require.Equal(t, slices.Contains(again, status), fetch.Transient(e, &fetch.Head{}), "status %d", status)
	}
}

// TestTransientFailures asks of every other way in which a fetch can fail, in
// the phase in which it does.
func TestTransientFailures(t *testing.T) {
	wrapped := func(errno syscall.Errno) error { return fmt.Errorf("10.1.0.1:80: %w", errno) }
	for _, c := range []struct {
		phase fetch.Phase
		err   error
		again bool
	}{
		{fetch.PhaseRequest, errors.New("the URL names no host"), false},
		{fetch.PhaseQueue, &fetch.TimeoutError{Deadline: "total"}, false},

		{fetch.PhaseLookup, &net.DNSError{IsNotFound: true}, false},
		{fetch.PhaseLookup, &net.DNSError{IsTemporary: true}, true},
		{fetch.PhaseLookup, &net.DNSError{IsTimeout: true}, true},
		{fetch.PhaseLookup, syscall.ECONNREFUSED, true},
		{fetch.PhaseLookup, &fetch.TimeoutError{Deadline: "lookup"}, true},
		{fetch.PhaseLookup, &fetch.ShortageError{Err: syscall.EMFILE}, false},

		{fetch.PhaseDial, wrapped(syscall.ECONNREFUSED), true},
		{fetch.PhaseDial, errors.Join(syscall.ENETUNREACH, wrapped(syscall.ETIMEDOUT)), true},
		{fetch.PhaseDial, wrapped(syscall.EHOSTUNREACH), true},
		{fetch.PhaseDial, &fetch.TimeoutError{Deadline: "connect"}, true},
		{fetch.PhaseDial, &fetch.ShortageError{Err: syscall.EADDRNOTAVAIL}, false},

		{fetch.PhaseTLS, wrapped(syscall.ECONNRESET), true},
		{fetch.PhaseTLS, io.ErrUnexpectedEOF, true},
		{fetch.PhaseTLS, &tlsconn.CertificateError{Err: x509.UnknownAuthorityError{}}, false},
		{fetch.PhaseTLS, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
		{fetch.PhaseTLS, x509.HostnameError{Certificate: new(x509.Certificate), Host: "a.test"}, false},
		{fetch.PhaseTLS, tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, false},
		{fetch.PhaseTLS, &net.OpError{Op: "remote error", Err: tls.AlertError(40)}, false},

		{fetch.PhaseSend, syscall.EPIPE, true},
		{fetch.PhaseSend, &fetch.TimeoutError{Deadline: "send"}, true},
		{fetch.PhaseAwait, http1.ErrNoResponse, true},
		{fetch.PhaseAwait, &http1.TruncatedError{}, true},
		{fetch.PhaseAwait, syscall.ECONNRESET, true},
		{fetch.PhaseAwait, &fetch.TimeoutError{Deadline: "first byte"}, true},
		{fetch.PhaseAwait, &http1.ParseError{}, false},
		{fetch.PhaseAwait, &http1.LimitError{}, false},

		{fetch.PhaseStatus, &fetch.RedirectError{}, false},
		{fetch.PhaseStatus, &fetch.LimitError{What: "redirects"}, false},
		{fetch.PhaseReceive, &http1.TruncatedError{}, true},
		{fetch.PhaseReceive, tlsconn.ErrTruncated, true},
		{fetch.PhaseReceive, syscall.ECONNRESET, true},
		{fetch.PhaseReceive, &fetch.TimeoutError{Deadline: "stall"}, true},
		{fetch.PhaseReceive, &fetch.TimeoutError{Deadline: "total"}, false},
		{fetch.PhaseReceive, &http1.ParseError{}, false},
		{fetch.PhaseReceive, &fetch.LimitError{What: "body bytes"}, false},
		{fetch.PhaseSave, syscall.ENOSPC, false},
		{fetch.PhaseSave, syscall.EIO, false},
		{fetch.PhaseReceive, context.Canceled, false},
	} {
		e := &fetch.Error{Phase: c.phase, Err: c.err}
		require.Equal(t, c.again, fetch.Transient(e, &fetch.Head{}), "%v: %T %v", c.phase, c.err, c.err)
	}
}
