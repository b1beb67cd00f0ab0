package tlsconn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Certificates of the tests. The clock stands still, so that they never expire
// but where they should.
var today = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return today }

// authority is an issuer of certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var serials int64

// template is a server's certificate that is good today.
func template(names ...string) *x509.Certificate {
	serials++
	return &x509.Certificate{
		SerialNumber: big.NewInt(serials),
		Subject:      pkix.Name{CommonName: "leaf"},
		DNSNames:     names,
		NotBefore:    today.AddDate(0, -1, 0),
		NotAfter:     today.AddDate(0, 1, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// caTemplate is an issuer's.
func caTemplate(name string) *x509.Certificate {
	c := template()
	c.Subject.CommonName = name
	c.ExtKeyUsage = nil
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	return c
}

func ecdsaKey(t testing.TB) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func ed25519Key(t testing.TB) crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key
}

// newAuthority makes one that signs itself, or that another signs.
func newAuthority(t testing.TB, name string, by *authority) *authority {
	key := ecdsaKey(t)
	made := &authority{key: key}
	if by == nil {
		by = &authority{caTemplate(name), key}
	}
	made.cert = parse(t, sign(t, caTemplate(name), key, by))
	return made
}

func sign(t testing.TB, what *x509.Certificate, key crypto.Signer, by *authority) []byte {
	der, err := x509.CreateCertificate(rand.Reader, what, by.cert, key.Public(), by.key)
	require.NoError(t, err)
	return der
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// issue makes a certificate for a server, with what leads to the root.
func (a *authority) issue(t testing.TB, what *x509.Certificate, key crypto.Signer, between ...*authority) tls.Certificate {
	chain := [][]byte{sign(t, what, key, a)}
	for _, ca := range between {
		chain = append(chain, ca.cert.Raw)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: key}
}

// roots is a pool of them.
func roots(of ...*authority) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, a := range of {
		pool.AddCert(a.cert)
	}
	return pool
}

// world is a server's settings and those of a client that trusts it.
type world struct {
	root   *authority
	server *tls.Config
	client *Settings
	pad    *Pad
}

// newWorld makes one for a version of TLS.
func newWorld(t testing.TB, version uint16) *world {
	root := newAuthority(t, "Root", nil)
	return &world{
		root: root,
		server: &tls.Config{
			Certificates: []tls.Certificate{root.issue(t, template("a.example"), ecdsaKey(t))},
			MaxVersion:   version,
			Time:         clock,
			NextProtos:   []string{"http/1.1"},
		},
		client: &Settings{Roots: roots(root), Time: clock, Protocols: []string{"http/1.1"}},
		pad:    NewPad(),
	}
}

// conn makes a conn to a.example.
func (w *world) conn() *Conn { return New(w.client.Config("a.example"), w.pad) }

// eachVersion runs a test with TLS 1.2 and 1.3, and with the coroutine for the
// handshake only and for life.
func eachVersion(t *testing.T, f func(t *testing.T, version uint16, forLife bool)) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, forLife := range []bool{false, true} {
			name := tls.VersionName(version)
			if forLife {
				name += " in a coroutine for life"
			}
			t.Run(name, func(t *testing.T) { f(t, version, forLife) })
		}
	}
}

// pinOf is the SHA-256 of a certificate's public key.
func pinOf(t testing.TB, cert tls.Certificate) []byte {
	sum := sha256.Sum256(parse(t, cert.Certificate[0]).RawSubjectPublicKeyInfo)
	return sum[:]
}
