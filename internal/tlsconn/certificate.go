package tlsconn

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"time"
)

// CertificateError says why a server's certificate was refused, which one it
// is, and what would help.
type CertificateError struct {
	Name  string              // what the certificate should be for
	Chain []*x509.Certificate // what the server sent, its own first
	Err   error               // an error of crypto/x509, or a *PinError

	text string
}

func (e *CertificateError) Error() string { return e.text }
func (e *CertificateError) Unwrap() error { return e.Err }

// certificateError puts an error of the verification into words. now is zero if
// nobody but the verifier knows the time.
func certificateError(name string, chain []*x509.Certificate, now time.Time, err error) *CertificateError {
	e := &CertificateError{Name: name, Chain: chain, Err: err}
	cert, problem, remedy := chain[0], "", ""
	var (
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		pin     *PinError
	)
	switch {
	case errors.As(err, &host):
		problem, remedy = wrongName(host.Certificate, name)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		cert = invalid.Cert
		problem, remedy = wrongTime(invalid, now)
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		cert = invalid.Cert
		problem, remedy = "may not be used by a server (key usage)", "the server needs another one"
	case errors.As(err, &unknown):
		problem, remedy = unknownIssuer(chain, unknown)
	case errors.As(err, &pin):
		problem, remedy = "is not one to accept: "+pin.Error(), "if the server has a new key, pin that one"
	default:
		_, text, _ := strings.Cut(err.Error(), "x509: ")
		problem = "cannot be verified: " + text
	}
	e.text = fmt.Sprintf("the %s %s (%s)", part(cert, chain), problem, describe(cert))
	if remedy != "" {
		e.text += "; " + remedy
	}
	return e
}

// part says which of the certificates it is.
func part(cert *x509.Certificate, chain []*x509.Certificate) string {
	if cert.Equal(chain[0]) {
		return "server's certificate"
	}
	return "issuer's certificate"
}

// wrongName is for a certificate for other names.
func wrongName(cert *x509.Certificate, name string) (problem, remedy string) {
	names := namesOf(cert)
	if len(names) == 0 && cert.Subject.CommonName != "" {
		return fmt.Sprintf("names %s only as a common name, which has not counted since RFC 6125", quote(cert.Subject.CommonName)),
			"the server needs one with a subject alternative name"
	}
	return fmt.Sprintf("is for %s, not for %s", enumerate(names), quote(name)), "check the host of the URL"
}

// wrongTime is for a certificate that is not valid now.
func wrongTime(invalid x509.CertificateInvalidError, now time.Time) (problem, remedy string) {
	cert := invalid.Cert
	if now.IsZero() {
		now = judgedAt(invalid)
	}
	switch {
	case now.IsZero():
		return "has expired or is not valid yet", "check this machine's clock"
	case now.Before(cert.NotBefore):
		return fmt.Sprintf("is not valid before %s, and the clock says %s", moment(cert.NotBefore), moment(now)), "check this machine's clock"
	}
	return fmt.Sprintf("expired at %s, and the clock says %s", moment(cert.NotAfter), moment(now)), "the server needs a new one"
}

// judgedAt is the time at which the verifier looked at a certificate. It stands
// in the error's text only, and not in that of macOS's.
func judgedAt(invalid x509.CertificateInvalidError) time.Time {
	text, _ := strings.CutPrefix(invalid.Detail, "current time ")
	text, _, _ = strings.Cut(text, " ")
	now, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return now
}

// unknownIssuer is for a chain that leads to none of the roots. crypto/x509 keeps
// what it knows of the reason in its text only.
func unknownIssuer(chain []*x509.Certificate, err x509.UnknownAuthorityError) (problem, remedy string) {
	for _, cert := range chain {
		if weak(cert.SignatureAlgorithm) && !selfSigned(cert) {
			return fmt.Sprintf("relies on a signature with %s, which can be forged", cert.SignatureAlgorithm), "the server needs a new one"
		}
	}
	if selfSigned(chain[0]) {
		return "is self-signed", "if you know it to be the server's, trust it (--cacert, Roots)"
	}
	if _, hint, ok := strings.Cut(err.Error(), "unknown authority "); ok {
		if signer := unfitSigner(hint); signer != "" {
			return fmt.Sprintf("relies on the signature of %s, which may not sign certificates", signer), "the server needs one of an authority's"
		}
		return "leads to no issuer that is known here " + hint, ""
	}
	return fmt.Sprintf("comes from an issuer that is not known here, %s", issuer(chain[len(chain)-1])),
		"trust that issuer (--cacert, Roots), or the server must send what leads to a known one"
}

// unfitSigner is the name, in quotes, of a certificate that is no authority's and
// has signed another; empty if that is not what was found.
func unfitSigner(hint string) string {
	if !strings.Contains(hint, x509.ConstraintViolationError{}.Error()) {
		return ""
	}
	_, name, _ := strings.Cut(hint, "candidate authority certificate ")
	return strings.TrimSuffix(name, ")")
}

// weak says whether crypto/x509 believes no signature of this kind.
func weak(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return true
	}
	return false
}

// selfSigned says whether a certificate is signed with its own key, rather than
// by another of the same name.
func selfSigned(cert *x509.Certificate) bool {
	if !bytes.Equal(cert.RawSubject, cert.RawIssuer) {
		return false
	}
	err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure)
}

// describe names a certificate.
func describe(cert *x509.Certificate) string {
	return fmt.Sprintf("%s, issued by %s, valid from %s to %s",
		subject(cert), issuer(cert), moment(cert.NotBefore), moment(cert.NotAfter))
}

func subject(cert *x509.Certificate) string {
	if names := namesOf(cert); cert.Subject.CommonName == "" && len(names) > 0 {
		return "for " + enumerate(names)
	}
	return distinguished(cert.Subject)
}

func issuer(cert *x509.Certificate) string { return distinguished(cert.Issuer) }

// distinguished is the part of a distinguished name that people know.
func distinguished(name pkix.Name) string {
	switch {
	case name.CommonName != "":
		return quote(name.CommonName)
	case len(name.Organization) > 0:
		return quote(name.Organization[0])
	}
	return quote(name.String())
}

// namesOf are the names and addresses that a certificate is for.
func namesOf(cert *x509.Certificate) []string {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// maxNames is how many of a certificate's names a message tells.
const maxNames = 4

func enumerate(names []string) string {
	if len(names) == 0 {
		return "no name at all"
	}
	var quoted []string
	for _, name := range names[:min(len(names), maxNames)] {
		quoted = append(quoted, quote(name))
	}
	text := strings.Join(quoted, ", ")
	if more := len(names) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// maxQuoted bounds what is told of a text that somebody else wrote, in bytes.
const maxQuoted = 80

// quote makes a text of the server's safe to show.
func quote(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "…"
	}
	return fmt.Sprintf("%q", text)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// asCertificateError recognises an error of the verification.
func (c *Conn) asCertificateError(err error) (*CertificateError, bool) {
	var (
		ours *CertificateError
		std  *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &ours):
		return ours, true
	case errors.As(err, &std):
		return certificateError(c.config.name, std.UnverifiedCertificates, c.config.now(), std), true
	}
	return nil, false
}
