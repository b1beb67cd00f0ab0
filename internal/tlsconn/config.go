package tlsconn

import (
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"io"
	"strings"
	"time"
)

// Settings say how connections are secured. The zero value is what the standard
// library does: TLS 1.2 and 1.3, the system's roots.
type Settings struct {
	Roots        *x509.CertPool    // the certificates to trust; nil for the system's, which are read when first needed
	Insecure     bool              // trust any certificate; Pins still hold
	Certificates []tls.Certificate // what to show a server that asks
	Pins         [][]byte          // SHA-256 of the public keys (SPKI) of which a server must have one; none: any
	MinVersion   uint16            // 0: TLS 1.2
	MaxVersion   uint16            // 0: TLS 1.3
	Curves       []tls.CurveID     // for the key exchange; none: the standard library's
	KeyLog       io.Writer         // gets the keys of every connection, for Wireshark; nil: nobody does
	Time         func() time.Time  // the clock that certificates are judged by; nil: the world's
	Rand         io.Reader         // nil: crypto/rand
	Protocols    []string          // to offer (ALPN), the best first; none: do not offer

	// Sessions is how many sessions to remember for resumption, one for each
	// Config; 0 means DefaultSessions, and a negative number none.
	Sessions int

	// Later has certificates verified by the caller: Handshake says
	// NeedVerification. It is for systems whose own verifier may block.
	Later bool

	sessions tls.ClientSessionCache // of all Configs
	configs  int                    // how many have been made
}

// Config is what the conns of one origin share: settings, which never change, and
// what has been found out about its certificates. It belongs to one goroutine.
type Config struct {
	tls   *tls.Config
	name  string
	pins  [][]byte
	later bool
	keeps bool // a verdict, which is made here then
	proof *proof
}

// Config makes the Config for an origin. The name is that of its URL: a host
// name, whose trailing dot is dropped, or an address, whose zone is, without
// brackets. For an address no name is sent, and the certificate must be for the
// address (RFC 6066, 3; RFC 9110, 4.3.5).
//
// Sessions belong to the Config, so make it once for each origin and keep it.
// The settings must not change after the first call.
func (s *Settings) Config(name string) *Config {
	name = serverName(name)
	c := &Config{name: name, pins: s.Pins, later: s.Later && !s.Insecure}
	// Under FIPS 140 crypto/tls has conditions of its own for what leads to a root.
	c.keeps = !s.Insecure && !c.later && !fips140.Enabled()
	c.tls = &tls.Config{
		ServerName:         name,
		RootCAs:            s.Roots,
		InsecureSkipVerify: s.Insecure || c.later || c.keeps,
		Certificates:       s.Certificates,
		MinVersion:         s.MinVersion,
		MaxVersion:         s.MaxVersion,
		CurvePreferences:   s.Curves,
		KeyLogWriter:       s.KeyLog,
		Time:               s.Time,
		Rand:               s.Rand,
		NextProtos:         s.Protocols,
		ClientSessionCache: s.cache(),
	}
	if c.keeps || len(s.Pins) > 0 {
		// Unlike VerifyPeerCertificate it is called for resumed sessions too.
		c.tls.VerifyConnection = func(state tls.ConnectionState) error { return c.judge(state.PeerCertificates) }
	}
	return c
}

// serverName is the name that a certificate must have.
func serverName(host string) string {
	if strings.Contains(host, ":") {
		host, _, _ = strings.Cut(host, "%")
		return host
	}
	return strings.TrimSuffix(host, ".")
}
