package tlsconn

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// verification returns a function that does what crypto/tls would have done, and
// may run on another goroutine: the clock, which may be the loop's, is read here.
func (c *Config) verification(chain []*x509.Certificate) func() error {
	now := c.now()
	return func() error {
		if _, err := c.verify(chain, now); err != nil {
			std := &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
			return certificateError(c.name, chain, now, std)
		}
		return c.checkPins(chain)
	}
}

// verify checks a server's certificates as crypto/tls does, and gives the chains
// from the server's to a trusted one.
func (c *Config) verify(chain []*x509.Certificate, now time.Time) ([][]*x509.Certificate, error) {
	options := x509.VerifyOptions{
		Roots:         c.tls.RootCAs,
		CurrentTime:   now,
		DNSName:       c.name,
		Intermediates: x509.NewCertPool(),
	}
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	return chain[0].Verify(options)
}

// proof is a good verdict that is kept. A server shows the same certificates at
// each handshake, and to follow their signatures again takes as long as a sixth
// of it. The verdict follows from them, the roots, the name and the time, of which
// only the time changes.
type proof struct {
	shown       []*x509.Certificate
	chains      [][]*x509.Certificate
	from, until time.Time // all of the first chain are valid then
}

func newProof(shown []*x509.Certificate, chains [][]*x509.Certificate) *proof {
	p := &proof{shown: shown, chains: chains, from: shown[0].NotBefore, until: shown[0].NotAfter}
	for _, cert := range chains[0] {
		if cert.NotBefore.After(p.from) {
			p.from = cert.NotBefore
		}
		if cert.NotAfter.Before(p.until) {
			p.until = cert.NotAfter
		}
	}
	return p
}

func (p *proof) covers(shown []*x509.Certificate, now time.Time) bool {
	return p != nil && slices.EqualFunc(p.shown, shown, (*x509.Certificate).Equal) &&
		!now.Before(p.from) && !now.After(p.until)
}

// trust is verify, or what it found before.
func (c *Config) trust(shown []*x509.Certificate) ([][]*x509.Certificate, error) {
	now := c.now()
	if c.proof.covers(shown, now) {
		return c.proof.chains, nil
	}
	chains, err := c.verify(shown, now)
	if err != nil {
		return nil, &tls.CertificateVerificationError{UnverifiedCertificates: shown, Err: err}
	}
	c.proof = newProof(shown, chains)
	return chains, nil
}

// now is the time by the clock of the settings; zero if there is none.
func (c *Config) now() time.Time {
	if c.tls.Time == nil {
		return time.Time{}
	}
	return c.tls.Time()
}

// judge says whether a server is to be trusted.
func (c *Config) judge(shown []*x509.Certificate) error {
	if c.keeps {
		if _, err := c.trust(shown); err != nil {
			return err
		}
	}
	return c.checkPins(shown)
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
