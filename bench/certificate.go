package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificate is what the servers show, and what clients check it by: names of
// PEM files.
type certificate struct {
	authority  string // believed by every client that can be told so
	chain, key string // the server's, for 127.0.0.1, signed by the authority
}

// newCertificate makes an authority and a certificate, with keys on the curve
// P-256 as most servers have them.
func newCertificate(dir string) (certificate, error) {
	c := certificate{filepath.Join(dir, "authority.pem"), filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")}
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shoal bench"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	if err := writeSigned(c.authority, authority, authority, &authorityKey.PublicKey, authorityKey); err != nil {
		return c, err
	}
	if err := writeSigned(c.chain, leaf, authority, &key.PublicKey, authorityKey); err != nil {
		return c, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return c, err
	}
	return c, writePEM(c.key, "PRIVATE KEY", der)
}

// writeSigned writes a certificate, signed with its issuer's key.
func writeSigned(name string, of, by *x509.Certificate, key *ecdsa.PublicKey, issuer *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, of, by, key, issuer)
	if err != nil {
		return err
	}
	return writePEM(name, "CERTIFICATE", der)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
