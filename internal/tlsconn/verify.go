package tlsconn

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
)

// verification returns a function that does what crypto/tls would have done, and
// may run on another goroutine.
func (c *Config) verification(state tls.ConnectionState) func() error {
	return func() error {
		if err := c.verify(state.PeerCertificates); err != nil {
			return certificateError(c, state.PeerCertificates, err)
		}
		return c.checkPins(state)
	}
}

// verify checks a server's certificates as crypto/tls does.
func (c *Config) verify(sent []*x509.Certificate) error {
	options := x509.VerifyOptions{
		Roots:         c.tls.RootCAs,
		DNSName:       c.name,
		Intermediates: x509.NewCertPool(),
	}
	if c.tls.Time != nil {
		options.CurrentTime = c.tls.Time()
	}
	for _, cert := range sent[1:] {
		options.Intermediates.AddCert(cert)
	}
	_, err := sent[0].Verify(options)
	return err
}

// checkPins asks for one of the pinned keys. It is the server's own key that
// counts: anybody can send any other certificate along. With no pins any will
// do. It is called for resumed sessions too.
func (c *Config) checkPins(state tls.ConnectionState) error {
	if len(c.pins) == 0 {
		return nil
	}
	key := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
	for _, pin := range c.pins {
		if bytes.Equal(pin, key[:]) {
			return nil
		}
	}
	return certificateError(c, state.PeerCertificates, &PinError{Key: key[:], Pins: len(c.pins)})
}

// PinError says that a server's key is none of those pinned.
type PinError struct {
	Key  []byte // SHA-256 of the server's public key (SPKI)
	Pins int    // how many are pinned
}

func (e *PinError) Error() string {
	return fmt.Sprintf("the key sha256//%s is none of the %d pinned", base64.StdEncoding.EncodeToString(e.Key), e.Pins)
}
