package tlsconn

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A specimen of the zoo: a server's certificates, the host that is asked for,
// and what is said of them: nothing if they are good.
type specimen struct {
	name string
	host string // a.example if empty
	cert func(z *zoo) tls.Certificate
	says string
}

// zoo is what the specimens are made of.
type zoo struct {
	t                          *testing.T
	root, between, old, nobody *authority
	roots                      *x509.CertPool
}

func newZoo(t *testing.T) *zoo {
	z := &zoo{t: t, root: newAuthority(t, "Root", nil), nobody: newAuthority(t, "Nobody", nil)}
	z.between = newAuthority(t, "Between", z.root)
	z.old = &authority{key: ecdsaKey(t)}
	expired := caTemplate("Old")
	expired.NotAfter = today.AddDate(0, 0, -1)
	z.old.cert = parse(t, sign(t, expired, z.old.key, z.root))
	z.roots = roots(z.root)
	return z
}

// leaf is a certificate of the root's for a.example, with a change.
func (z *zoo) leaf(change func(*x509.Certificate)) tls.Certificate {
	what := template("a.example")
	if change != nil {
		change(what)
	}
	return z.root.issue(z.t, what, ed25519Key(z.t))
}

func (z *zoo) named(names ...string) tls.Certificate {
	return z.leaf(func(c *x509.Certificate) { c.DNSNames = names })
}

func (z *zoo) addressed(ips ...string) tls.Certificate {
	return z.leaf(func(c *x509.Certificate) {
		for _, ip := range ips {
			c.IPAddresses = append(c.IPAddresses, net.ParseIP(ip))
		}
	})
}

func (z *zoo) selfSigned() tls.Certificate {
	what, key := template("a.example"), ecdsaKey(z.t)
	return (&authority{what, key}).issue(z.t, what, key)
}

const (
	byRoot = ` ("leaf", issued by "Root", valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC)`
	byHost = "; check the host of the URL"
)

var specimens = []specimen{
	{name: "good", cert: func(z *zoo) tls.Certificate { return z.leaf(nil) }},
	{name: "host in capitals, with a dot", host: "A.EXAMPLE.", cert: func(z *zoo) tls.Certificate { return z.leaf(nil) }},
	{name: "wildcard", host: "b.a.example", cert: func(z *zoo) tls.Certificate { return z.named("*.a.example") }},
	{name: "wildcard over two labels", host: "c.b.a.example", cert: func(z *zoo) tls.Certificate { return z.named("*.a.example") },
		says: `the server's certificate is for "*.a.example", not for "c.b.a.example"` + byRoot + byHost},
	{name: "wrong name", host: "b.example", cert: func(z *zoo) tls.Certificate { return z.leaf(nil) },
		says: `the server's certificate is for "a.example", not for "b.example"` + byRoot + byHost},
	{name: "many names", host: "z", cert: func(z *zoo) tls.Certificate { return z.named("a", "b", "c", "d", "e", "f") },
		says: `the server's certificate is for "a", "b", "c", "d" and 2 more, not for "z"` + byRoot + byHost},
	{name: "no name", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.DNSNames, c.EmailAddresses = nil, []string{"me@a.example"} })
	}, says: `the server's certificate names "leaf" only as a common name, which has not counted since RFC 6125` + byRoot + "; the server needs one with a subject alternative name"},
	{name: "common name", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = "a.example", nil })
	}, says: `the server's certificate names "a.example" only as a common name, which has not counted since RFC 6125 ("a.example", issued by "Root", ` +
		`valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); the server needs one with a subject alternative name`},
	{name: "address", host: "192.0.2.1", cert: func(z *zoo) tls.Certificate { return z.addressed("192.0.2.1") }},
	{name: "IPv6 address", host: "2001:db8::1", cert: func(z *zoo) tls.Certificate { return z.addressed("2001:db8::1") }},
	{name: "another address", host: "192.0.2.2", cert: func(z *zoo) tls.Certificate { return z.addressed("192.0.2.1", "2001:db8::1") },
		says: `the server's certificate is for "a.example", "192.0.2.1", "2001:db8::1", not for "192.0.2.2"` + byRoot + byHost},
	{name: "expired", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.NotAfter = today.AddDate(0, 0, -1) })
	}, says: `the server's certificate expired at 2026-06-14 12:00 UTC, and the clock says 2026-06-15 12:00 UTC ` +
		`("leaf", issued by "Root", valid from 2026-05-15 12:00 UTC to 2026-06-14 12:00 UTC); the server needs a new one`},
	{name: "not valid yet", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.NotBefore = today.AddDate(0, 0, 1) })
	}, says: `the server's certificate is not valid before 2026-06-16 12:00 UTC, and the clock says 2026-06-15 12:00 UTC ` +
		`("leaf", issued by "Root", valid from 2026-06-16 12:00 UTC to 2026-07-15 12:00 UTC); check this machine's clock`},
	{name: "self-signed", cert: (*zoo).selfSigned,
		says: `the server's certificate is self-signed ("leaf", issued by "leaf", valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); ` +
			`if you know it to be the server's, trust it (--cacert, Roots)`},
	{name: "self-signed and trusted", cert: func(z *zoo) tls.Certificate {
		cert := z.selfSigned()
		z.roots.AddCert(parse(z.t, cert.Certificate[0]))
		return cert
	}},
	{name: "unknown issuer", cert: func(z *zoo) tls.Certificate { return z.nobody.issue(z.t, template("a.example"), ecdsaKey(z.t)) },
		says: `the server's certificate comes from an issuer that is not known here, "Nobody" ("leaf", issued by "Nobody", ` +
			`valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); trust that issuer (--cacert, Roots), or the server must send what leads to a known one`},
	{name: "over another", cert: func(z *zoo) tls.Certificate {
		return z.between.issue(z.t, template("a.example"), ecdsaKey(z.t), z.between)
	}},
	{name: "over one that is not sent", cert: func(z *zoo) tls.Certificate { return z.between.issue(z.t, template("a.example"), ecdsaKey(z.t)) },
		says: `the server's certificate comes from an issuer that is not known here, "Between" ("leaf", issued by "Between", ` +
			`valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); trust that issuer (--cacert, Roots), or the server must send what leads to a known one`},
	{name: "over an expired one", cert: func(z *zoo) tls.Certificate { return z.old.issue(z.t, template("a.example"), ecdsaKey(z.t), z.old) },
		says: `the issuer's certificate expired at 2026-06-14 12:00 UTC, and the clock says 2026-06-15 12:00 UTC ` +
			`("Old", issued by "Root", valid from 2026-05-15 12:00 UTC to 2026-06-14 12:00 UTC); the server needs a new one`},
	{name: "for clients", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	}, says: `the server's certificate may not be used by a server (key usage)` + byRoot + `; the server needs another one`},
	{name: "for anything", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} })
	}},
	{name: "SHA-1", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	}, says: `the server's certificate relies on a signature with ECDSA-SHA1, which can be forged` + byRoot + `; the server needs a new one`},
	{name: "signed by one that must not", cert: func(z *zoo) tls.Certificate {
		key, what := ecdsaKey(z.t), template("b.example")
		what.Subject.CommonName = "Middle"
		cert := z.root.issue(z.t, what, key)
		middle := &authority{parse(z.t, cert.Certificate[0]), key}
		return middle.issue(z.t, template("a.example"), ecdsaKey(z.t), middle)
	}, says: `the server's certificate relies on the signature of "Middle", which may not sign certificates ("leaf", issued by "Middle", ` +
		`valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); the server needs one of an authority's`},
	{name: "signed by one that is trusted and must not", cert: func(z *zoo) tls.Certificate {
		other := z.selfSigned()
		signer := &authority{parse(z.t, other.Certificate[0]), other.PrivateKey.(crypto.Signer)}
		z.roots.AddCert(signer.cert)
		what := template("a.example")
		what.Subject.CommonName = "Lower"
		return signer.issue(z.t, what, ecdsaKey(z.t))
	}, says: `the server's certificate relies on the signature of "leaf", which may not sign certificates ("Lower", issued by "leaf", `},
	{name: "of another by the same name", cert: func(z *zoo) tls.Certificate {
		return newAuthority(z.t, "leaf", z.nobody).issue(z.t, template("a.example"), ecdsaKey(z.t))
	}, says: `the server's certificate comes from an issuer that is not known here, "leaf" (`},
	{name: "by an authority for other names", cert: func(z *zoo) tls.Certificate {
		key, what := ecdsaKey(z.t), caTemplate("Narrow")
		what.PermittedDNSDomains, what.PermittedDNSDomainsCritical = []string{"b.example"}, true
		narrow := &authority{parse(z.t, sign(z.t, what, key, z.root)), key}
		return narrow.issue(z.t, template("a.example"), ecdsaKey(z.t), narrow)
	}, says: `the server's certificate cannot be verified: `},
	{name: "control characters", cert: func(z *zoo) tls.Certificate {
		what, key := template("a.example"), ecdsaKey(z.t)
		what.Subject = pkix.Name{CommonName: "\x1b[31mred"}
		return (&authority{what, key}).issue(z.t, what, key)
	}, says: `the server's certificate is self-signed ("\x1b[31mred", issued by "\x1b[31mred", valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); ` +
		`if you know it to be the server's, trust it (--cacert, Roots)`},
	{name: "without any name", cert: func(z *zoo) tls.Certificate {
		return z.leaf(func(c *x509.Certificate) { c.DNSNames, c.Subject = nil, pkix.Name{Organization: []string{"Company"}} })
	}, says: `the server's certificate is for no name at all, not for "a.example" ("Company", issued by "Root", ` +
		`valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC)` + byHost},
	{name: "without a subject", cert: func(z *zoo) tls.Certificate {
		return z.nobody.issue(z.t, func() *x509.Certificate { c := template("a.example"); c.Subject = pkix.Name{}; return c }(), ecdsaKey(z.t))
	}, says: `the server's certificate comes from an issuer that is not known here, "Nobody" (for "a.example", issued by "Nobody", ` +
		`valid from 2026-05-15 12:00 UTC to 2026-07-15 12:00 UTC); trust that issuer (--cacert, Roots), or the server must send what leads to a known one`},
}

// TestCertificateZoo: every verdict is net/http's, in words that help, whether
// the question is answered here or elsewhere; the server is told.
func TestCertificateZoo(t *testing.T) {
	for _, s := range specimens {
		t.Run(s.name, func(t *testing.T) {
			z := newZoo(t)
			if s.host == "" {
				s.host = "a.example"
			}
			server := &tls.Config{Certificates: []tls.Certificate{s.cert(z)}, Time: clock}
			reference := httpVerdict(t, s.host, server, z.roots)
			for _, later := range []bool{false, true} {
				settings := &Settings{Roots: z.roots, Time: clock, Later: later}
				c := newClient(t, New(settings.Config(s.host), NewPad()), false)
				c.verify = func(question func() error) error { return question() }
				p := serve(t, server, answer(body(10)))
				talk(c, p, 0)
				if s.says == "" {
					require.NoError(t, reference)
					requireBody(t, body(10), c)
					continue
				}
				require.Error(t, reference)
				require.Contains(t, c.err.Error(), s.says)
				require.NotContains(t, c.err.Error(), "\n")
				var ours *CertificateError
				require.ErrorAs(t, c.err, &ours)
				requireSameCause(t, reference, c.err)
				require.EqualError(t, p.err, "remote error: tls: bad certificate")
			}
		})
	}
}

// requireSameCause asks that errors.As finds in one what it finds in the other.
func requireSameCause(t *testing.T, want, got error) {
	t.Helper()
	var (
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
	)
	for _, target := range []any{&host, &invalid, &unknown} {
		require.Equal(t, errors.As(want, target), errors.As(got, target), "%T", target)
	}
}

// httpVerdict is what net/http says of a server.
func httpVerdict(t *testing.T, host string, config *tls.Config, roots *x509.CertPool) error {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	server := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Time: clock},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
		},
	}
	defer transport.CloseIdleConnections()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/", nil)
	require.NoError(t, err)
	response, err := transport.RoundTrip(request)
	if err == nil {
		require.NoError(t, response.Body.Close())
	}
	return err
}

// The zone of an address is no part of what a certificate is for, nor is a
// trailing dot (RFC 6874, 4; RFC 6066, 3).
func TestServerName(t *testing.T) {
	for host, want := range map[string]string{
		"a.example": "a.example", "a.example.": "a.example", "192.0.2.1": "192.0.2.1",
		"fe80::1%eth0": "fe80::1", "2001:db8::1": "2001:db8::1", "xn--bcher-kva.example": "xn--bcher-kva.example",
	} {
		require.Equal(t, want, new(Settings).Config(host).tls.ServerName)
	}
}

// Only a name is sent, never an address (RFC 6066, 3).
func TestServerNameIndication(t *testing.T) {
	for host, want := range map[string]string{"a.example.": "a.example", "192.0.2.1": "", "fe80::1%eth0": ""} {
		w := newWorld(t, tls.VersionTLS13)
		got := "nothing"
		w.server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			got = hello.ServerName
			return nil, nil
		}
		talk(newClient(t, New(w.client.Config(host), w.pad), false), serve(t, w.server, answer(nil)), 0)
		require.Equal(t, want, got)
	}
}

func TestInsecure(t *testing.T) {
	for _, s := range specimens {
		z := newZoo(t)
		settings := &Settings{Roots: z.roots, Time: clock, Insecure: true}
		c := newClient(t, New(settings.Config(s.host), NewPad()), false)
		talk(c, serve(t, &tls.Config{Certificates: []tls.Certificate{s.cert(z)}, Time: clock}, answer(nil)), 0)
		require.Equal(t, io.EOF, c.err, s.name)
	}
}

// Pins hold with and without trust, here and elsewhere; it is the server's own
// key that counts.
func TestPins(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		good, ca := pinOf(t, w.server.Certificates[0]), pinOf(t, tls.Certificate{Certificate: [][]byte{w.root.cert.Raw}})
		w.server.Certificates[0].Certificate = append(w.server.Certificates[0].Certificate, w.root.cert.Raw)
		for _, insecure := range []bool{false, true} {
			for _, later := range []bool{false, true} {
				for _, pins := range [][][]byte{{good}, {ca}, {good[:31]}, {ca, good}, {{}}} {
					settings := &Settings{Roots: w.client.Roots, Time: clock, Insecure: insecure, Later: later, Pins: pins}
					c := newClient(t, New(settings.Config("a.example"), w.pad), forLife)
					c.verify = func(question func() error) error { return question() }
					talk(c, serve(t, w.server, answer(nil)), 0)
					if last := pins[len(pins)-1]; string(last) == string(good) {
						requireBody(t, []byte{}, c)
						continue
					}
					require.ErrorContains(t, c.err, "the server's certificate is not one to accept: the key sha256//")
					var pin *PinError
					require.ErrorAs(t, c.err, &pin)
					require.Equal(t, good, pin.Key)
				}
			}
		}
	})
}

// Without a clock of ours the time is the verifier's, as its text tells it.
func TestTimeOfTheVerifier(t *testing.T) {
	cert := parse(t, sign(t, template("a.example"), ecdsaKey(t), newAuthority(t, "Root", nil)))
	for detail, want := range map[string]string{
		"current time 2030-01-02T03:04:05Z is after 2026-07-15T12:00:00Z":       "expired at 2026-07-15 12:00 UTC, and the clock says 2030-01-02 03:04 UTC",
		"current time 1970-01-02T01:00:00+01:00 is before 2026-05-15T12:00:00Z": "is not valid before 2026-05-15 12:00 UTC, and the clock says 1970-01-02 00:00 UTC",
		"": "has expired or is not valid yet",
	} {
		err := certificateError("", []*x509.Certificate{cert}, time.Time{}, x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired, Detail: detail})
		require.ErrorContains(t, err, want)
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: x509.NewCertPool(), CurrentTime: today.AddDate(1, 0, 0)})
	require.ErrorContains(t, certificateError("", []*x509.Certificate{cert}, time.Time{}, err), "expired at 2026-07-15 12:00 UTC, and the clock says 2027-06-15 12:00 UTC",
		"crypto/x509 tells the time in other words than judgedAt expects")
}
