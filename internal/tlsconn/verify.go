package tlsconn

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"
)

// verification returns a function that does what crypto/tls would have done, and
// may run on another goroutine: the clock, which may be the loop's, is read here.
func (c *Config) verification(chain []*x509.Certificate) func() error {
	now := c.now()
	return func() error {
		if err := c.verify(chain, now); err != nil {
			std := &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
			return certificateError(c.name, chain, now, std)
		}
		return c.checkPins(chain)
	}
}

// verify checks a server's certificates as crypto/tls does.
func (c *Config) verify(chain []*x509.Certificate, now time.Time) error {
	options := x509.VerifyOptions{
		Roots:         c.tls.RootCAs,
		CurrentTime:   now,
		DNSName:       c.name,
		Intermediates: x509.NewCertPool(),
	}
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(options)
	return err
}

// now is the time by the clock of the settings; zero if there is none.
func (c *Config) now() time.Time {
	if c.tls.Time == nil {
		return time.Time{}
	}
	return c.tls.Time()
}

// checkPins asks for one of the pinned keys. It is the server's own key that
// counts: anybody can send any other certificate along. With no pins any will
// do.
func (c *Config) checkPins(chain []*x509.Certificate) error {
	if len(c.pins) == 0 {
		return nil
	}
	key := sha256.Sum256(chain[0].RawSubjectPublicKeyInfo)
	for _, pin := range c.pins {
		if bytes.Equal(pin, key[:]) {
			return nil
		}
	}
	return certificateError(c.name, chain, time.Time{}, &PinError{Key: key[:], Pins: len(c.pins)})
}

// PinError says that a server's key is none of those pinned.
type PinError struct {
	Key  []byte // SHA-256 of the server's public key (SPKI)
	Pins int    // how many are pinned
}

func (e *PinError) Error() string {
	return fmt.Sprintf("the key sha256//%s is none of the %d pinned", base64.StdEncoding.EncodeToString(e.Key), e.Pins)
}
