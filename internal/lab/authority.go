package lab

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"time"
)

// Authority is a certificate authority that is made for one lab. Its key is
// never written anywhere: when the program has ended, nobody can use the trust
// that was put in it.
type Authority struct {
	now      time.Time
	own      tls.Certificate
	between  tls.Certificate // an intermediate authority of it
	stranger tls.Certificate // another authority, which nobody believes
	client   tls.Certificate
}

const (
	day       = 24 * time.Hour
	validFrom = -time.Hour // from now, as some clocks go after others
	validTo   = 365 * day
)

// NewAuthority makes one. Its certificates are valid for a year from now, but
// for those that shall not be.
func NewAuthority(now time.Time) *Authority {
	a := &Authority{now: now}
	a.own = a.sign(a.authority("shoal lab"), nil)
	a.between = a.sign(a.authority("shoal lab, between"), &a.own)
	a.stranger = a.sign(a.authority("a stranger"), nil)
	client := a.template("a client of shoal lab")
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	a.client = a.sign(client, &a.own)
	return a
}

// Pool has the authority in it, for clients that are to believe the lab.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.own.Leaf)
	return pool
}

// PEM is the authority's certificate as text.
func (a *Authority) PEM() []byte { return certificatePEM(a.own) }

// Client is a certificate that the lab accepts of a client, with its key.
func (a *Authority) Client() tls.Certificate { return a.client }

// ClientPEM is the same as text: the certificate, then the key.
func (a *Authority) ClientPEM() []byte {
	key, err := x509.MarshalPKCS8PrivateKey(a.client.PrivateKey)
	if err != nil {
		panic("lab: " + err.Error()) // the key is ours
	}
	return append(certificatePEM(a.client), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
}

func certificatePEM(c tls.Certificate) []byte {
	var text bytes.Buffer
	for _, der := range c.Certificate {
		pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return text.Bytes()
}

// template is what certificates have in common.
func (a *Authority) template(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             a.now.Add(validFrom),
		NotAfter:              a.now.Add(validTo),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
}

func (a *Authority) authority(name string) *x509.Certificate {
	c := a.template(name)
	c.IsCA = true
	c.KeyUsage = x509.KeyUsageCertSign
	return c
}

// server is what is to become the certificate of a server with some names.
func (a *Authority) server(names ...string) *x509.Certificate {
	c := a.template(names[0])
	c.DNSNames = names
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return c
}

// ordinary is the certificate of the server itself.
func (a *Authority) ordinary() tls.Certificate {
	c := a.server("localhost")
	c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return a.sign(c, &a.own)
}

// sign makes a certificate, and a key for it. Nil: it is signed with that key.
// It is shown with those between it and its root.
func (a *Authority) sign(c *x509.Certificate, by *tls.Certificate) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("lab: " + err.Error()) // see crypto/rand
	}
	issuer, signer, between := c, any(key), [][]byte(nil)
	if by != nil {
		issuer, signer = by.Leaf, by.PrivateKey
		if !bytes.Equal(issuer.RawIssuer, issuer.RawSubject) {
			between = by.Certificate
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, &key.PublicKey, signer)
	if err != nil {
		panic("lab: " + err.Error()) // the template is ours
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic("lab: " + err.Error())
	}
	return tls.Certificate{Certificate: append([][]byte{der}, between...), PrivateKey: key, Leaf: leaf}
}
