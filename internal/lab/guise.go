package lab

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
)

// guise is a name of a host under which the server is another one: with a
// certificate that nobody should believe, with other versions, with bad manners
// in the handshake. The name is the first label; the others are .localhost,
// which leads to this machine alone (RFC 6761, section 6.3).
type guise struct {
	name    string
	about   string                                              // one line for the index page
	certify func(*Authority, *x509.Certificate) tls.Certificate // nil: an honest certificate for the name
	settle  func(*Authority, *tls.Config)                       // nil: as usual
	answer  func(w *wire, hello []byte) (n int, err error)      // what is sent in the place of each piece of the handshake; nil: that piece
}

// guises are all there are.
var guises = []guise{
	{name: "expired", about: "a certificate whose time is over since a month", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		c.NotBefore, c.NotAfter = a.now.Add(-90*day), a.now.Add(-30*day)
		return a.sign(c, &a.own)
	}},
	{name: "not-yet", about: "a certificate whose time begins in a month", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		c.NotBefore, c.NotAfter = a.now.Add(30*day), a.now.Add(90*day)
		return a.sign(c, &a.own)
	}},
	{name: "wrong-name", about: "a certificate for another name", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		c.Subject.CommonName, c.DNSNames = "elsewhere.example", []string{"elsewhere.example", "www.elsewhere.example"}
		return a.sign(c, &a.own)
	}},
	{name: "no-name", about: "a certificate that names the host in the old way only, as its common name (RFC 9525)", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		c.DNSNames = nil
		return a.sign(c, &a.own)
	}},
	{name: "self-signed", about: "a certificate that nobody else has signed", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		return a.sign(c, nil)
	}},
	{name: "unknown-issuer", about: "a certificate of an authority that nobody has heard of", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		return a.sign(c, &a.stranger)
	}},
	{name: "chain", about: "a good certificate, and the one between it and the authority", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		return a.sign(c, &a.between)
	}},
	{name: "no-chain", about: "the same, but the one between is not sent", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		own := a.sign(c, &a.between)
		own.Certificate = own.Certificate[:1]
		return own
	}},
	{name: "huge-chain", about: "a good certificate with so many others that they are more than 256 KB", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		own := a.sign(c, &a.own)
		for range 260 << 10 / len(own.Certificate[0]) {
			own.Certificate = append(own.Certificate, own.Certificate[0])
		}
		return own
	}},
	{name: "wrong-usage", about: "a certificate for clients", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		return a.sign(c, &a.own)
	}},
	{name: "no-authority", about: "a certificate that is signed with one which is no authority's", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		pretender := a.sign(a.server("pretender.example"), &a.own)
		return a.sign(c, &pretender)
	}},
	{name: "sha1", about: "a certificate signed over its SHA-1", certify: func(a *Authority, c *x509.Certificate) tls.Certificate {
		c.SignatureAlgorithm = x509.ECDSAWithSHA1
		return a.sign(c, &a.own)
	}},

	{name: "tls11", about: "TLS 1.0 and 1.1 only", settle: func(_ *Authority, c *tls.Config) {
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}},
	{name: "tls12", about: "TLS 1.2 only", settle: func(_ *Authority, c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
	{name: "tls13", about: "TLS 1.3 only", settle: func(_ *Authority, c *tls.Config) { c.MinVersion = tls.VersionTLS13 }},
	{name: "p384", about: "exchanges keys over P-384 only: most clients must begin a second time (RFC 8446, section 4.1.4)", settle: func(_ *Authority, c *tls.Config) {
		c.CurvePreferences = []tls.CurveID{tls.CurveP384}
	}},
	{name: "client", about: "asks for a client's certificate, and goes no further without", settle: func(a *Authority, c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.Pool()
	}},
	{name: "mail", about: "speaks IMAP, as it says to those who ask for HTTP (RFC 7301)", settle: func(_ *Authority, c *tls.Config) { c.NextProtos = []string{"imap"} }},
	{name: "no-tickets", about: "remembers no session", settle: func(_ *Authority, c *tls.Config) { c.SessionTicketsDisabled = true }},
	{name: "unknown", about: "says that it does not know its name", settle: func(_ *Authority, c *tls.Config) { c.Certificates = nil }},

	{name: "drip", about: "a few bytes of the handshake at a time", answer: dripHandshake},
	{name: "stall", about: "falls silent in the handshake", answer: stallHandshake},
	{name: "fin", about: "closes instead of a handshake", answer: finHandshake},
	{name: "cut", about: "closes in the middle of the handshake", answer: cutHandshake},
	{name: "reset", about: "resets instead of a handshake", answer: resetHandshake},
	{name: "plain", about: "answers the handshake with HTTP, as a port does that has no TLS", answer: plainHandshake},
}

// host is the guise's whole name.
func (g *guise) host() string { return g.name + ".localhost" }

// disguise is a guise that is ready to be put on.
type disguise struct {
	config *tls.Config
	answer func(w *wire, hello []byte) (n int, err error)
}

// secured is what the server is to whoever asks for it over TLS.
type secured struct {
	usual *tls.Config
	other map[string]disguise // by host
}

func newSecured(a *Authority) *secured {
	s := &secured{
		usual: &tls.Config{Certificates: []tls.Certificate{a.ordinary()}, NextProtos: []string{"http/1.1"}},
		other: make(map[string]disguise),
	}
	for _, g := range guises {
		s.other[g.host()] = g.prepare(a, s.usual)
	}
	s.usual.GetConfigForClient = s.choose
	return s
}

func (g *guise) prepare(a *Authority, usual *tls.Config) disguise {
	certify := g.certify
	if certify == nil {
		certify = func(a *Authority, c *x509.Certificate) tls.Certificate { return a.sign(c, &a.own) }
	}
	c := usual.Clone()
	c.Certificates = []tls.Certificate{certify(a, a.server(g.host()))}
	if g.settle != nil {
		g.settle(a, c)
	}
	return disguise{c, g.answer}
}

// choose is called when a client has said whom it would like to speak to.
// Whoever asks for no name, or for one that is nobody's, gets the server itself.
func (s *secured) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	as, known := s.other[strings.ToLower(hello.ServerName)]
	if !known {
		return s.usual, nil
	}
	hello.Conn.(*wire).answer = as.answer
	return as.config, nil
}
