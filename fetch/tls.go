package fetch

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
)

// TLS says how https is spoken and which servers are believed. The zero value
// believes what the system believes and speaks as crypto/tls does by default.
//
// A Fetcher keeps what it is given and changes none of it; the caller must not
// change it either until Close.
type TLS struct {
	// Roots are the authorities whose certificates are believed. Nil: the
	// system's; crypto/x509 says where they are.
	Roots *x509.CertPool

	// Insecure believes every certificate, whoever made it and whatever it
	// names: anyone on the way can then read and change everything. Pins still
	// count.
	Insecure bool

	// Certificates are what a server is shown that asks for one; the first
	// that suits what it asks for is taken, and none when none suits. Each needs
	// its private key.
	Certificates []tls.Certificate

	// Pins are the public keys of which a server's own certificate must have
	// one, besides all else that is asked of it. None: any key.
	Pins []Pin

	// MinVersion and MaxVersion bound the version of TLS: tls.VersionTLS12 or
	// tls.VersionTLS13. Zero: from 1.2, and up to 1.3.
	MinVersion, MaxVersion uint16

	// Curves are the key exchanges that are offered; which of them is wanted most
	// is for crypto/tls to say. Nil: its default.
	Curves []tls.CurveID

	// KeyLog is where the secrets of every connection are written, a line each,
	// as the NSS key log format has it: whoever has them can read the
	// connection. It is for looking at one's own traffic, and is called on the
	// loop. Nil: nowhere.
	KeyLog io.Writer
}

// Pin is the SHA-256 of a public key as it stands in a certificate: DER of the
// SubjectPublicKeyInfo (RFC 5280, section 4.1), as HPKP had it (RFC 7469,
// section 2.4).
type Pin [sha256.Size]byte
