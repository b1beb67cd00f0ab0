package tlsconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Error is a failure of TLS in words, over the error that crypto/tls returned.
type Error struct {
	Text string // one line
	Err  error
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Err }

// explain puts an error of crypto/tls into words. What says enough by itself
// stays as it is.
func (c *Conn) explain(err error) error {
	if e, ok := c.asCertificateError(err); ok {
		return e
	}
	var (
		header tls.RecordHeaderError
		op     *net.OpError
	)
	open := c.status == Done
	switch {
	case errors.As(err, &header) && header.Conn != nil:
		header.Conn = nil // or the error would keep the conn's memory
		return &Error{c.noTLS(header.RecordHeader), header}
	case errors.As(err, &op) && op.Op == "remote error":
		return &Error{c.refused(op.Err), err}
	case errors.As(err, &op) && op.Op == "local error" && is(op.Err, noRenegotiation):
		return &Error{"the server asked to negotiate TLS anew, which is refused", err}
	case errors.As(err, &op) && op.Op == "local error" && is(op.Err, badRecordMAC):
		return &Error{"what came cannot be decrypted (bad record MAC): it was changed on the way, or the server is at fault", err}
	case errors.As(err, &op) && op.Op == "local error":
		return &Error{"the server breaks the rules of TLS (" + nameOf(op.Err) + ")", err}
	case (err == io.EOF || err == io.ErrUnexpectedEOF) && open && c.wire.ended:
		return ErrTruncated
	case (err == io.EOF || err == io.ErrUnexpectedEOF) && !open && c.wire.ended:
		return &Error{"the server closed the connection during the TLS handshake", io.ErrUnexpectedEOF}
	}
	if text, ok := strings.CutPrefix(err.Error(), "tls: "); ok {
		return &Error{text, err} // that it is TLS is said by whoever asks
	}
	return err
}

// noTLS quotes an answer that is no TLS, as far as it has come.
func (c *Conn) noTLS(header [headerLen]byte) string {
	line, _, _ := bytes.Cut(append(header[:], c.wire.in...), []byte("\n"))
	return "the server does not speak TLS on this port: it answered " + quote(strings.TrimSuffix(string(line), "\r"))
}

// The alerts of which there is something to say (RFC 8446, 6.2).
const (
	badRecordMAC          tls.AlertError = 20
	handshakeFailure      tls.AlertError = 40
	badCertificate        tls.AlertError = 42
	unsupportedCert       tls.AlertError = 43
	revokedCertificate    tls.AlertError = 44
	expiredCertificate    tls.AlertError = 45
	unknownCertificate    tls.AlertError = 46
	unknownAuthority      tls.AlertError = 48
	protocolVersion       tls.AlertError = 70
	insufficientSecurity  tls.AlertError = 71
	noRenegotiation       tls.AlertError = 100
	unrecognizedName      tls.AlertError = 112
	certificateRequired   tls.AlertError = 116
	noApplicationProtocol tls.AlertError = 120
)

// is recognises an alert by its text: its type is not exported.
func is(err error, alerts ...tls.AlertError) bool {
	for _, alert := range alerts {
		if err.Error() == alert.Error() {
			return true
		}
	}
	return false
}

// nameOf is an alert in the words of crypto/tls.
func nameOf(alert error) string { return strings.TrimPrefix(alert.Error(), "tls: ") }

// refused says what the server's alert means, given what was offered.
func (c *Conn) refused(alert error) string {
	name := nameOf(alert)
	switch {
	case is(alert, certificateRequired), len(c.config.tls.Certificates) == 0 && is(alert, badCertificate):
		return fmt.Sprintf("the server asks for a client certificate (%s); give it one (--cert, Certificates)", name)
	case is(alert, badCertificate, unsupportedCert, revokedCertificate, expiredCertificate, unknownCertificate, unknownAuthority):
		return fmt.Sprintf("the server does not accept the client's certificate (%s)", name)
	case is(alert, protocolVersion):
		return fmt.Sprintf("the server speaks none of the TLS versions offered, which were %s", c.config.versions())
	case is(alert, handshakeFailure, insufficientSecurity):
		return fmt.Sprintf("the server accepts no cipher or curve of those offered with %s, or wants a client certificate (%s)", c.config.versions(), name)
	case is(alert, noApplicationProtocol):
		return fmt.Sprintf("the server speaks none of the protocols offered, which were %s", strings.Join(c.config.tls.NextProtos, ", "))
	case is(alert, unrecognizedName):
		return fmt.Sprintf("the server knows no host named %s", quote(c.config.name))
	}
	return fmt.Sprintf("the server ended TLS with the alert %q", name)
}

// versions are the versions of TLS that are offered.
func (c *Config) versions() string {
	lowest, highest := c.tls.MinVersion, c.tls.MaxVersion
	if lowest == 0 {
		lowest = tls.VersionTLS12
	}
	if highest == 0 {
		highest = tls.VersionTLS13
	}
	if lowest == highest {
		return tls.VersionName(lowest)
	}
	return fmt.Sprintf("%s to %s", tls.VersionName(lowest), tls.VersionName(highest))
}
