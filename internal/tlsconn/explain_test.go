package tlsconn

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the server's alerts mean depends on what was offered.
func TestAlertsInWords(t *testing.T) {
	tests := []struct {
		name string
		set  func(w *world)
		says string
	}{
		{"version", func(w *world) { w.client.MinVersion, w.server.MaxVersion = tls.VersionTLS13, tls.VersionTLS12 },
			"the server speaks none of the TLS versions offered, which were TLS 1.3"},
		{"versions", func(w *world) { w.client.MaxVersion, w.server.MinVersion = tls.VersionTLS12, tls.VersionTLS13 },
			"the server speaks none of the TLS versions offered, which were TLS 1.2"},
		{"protocol", func(w *world) { w.client.Protocols = []string{"h2", "spdy/3"} },
			"the server speaks none of the protocols offered, which were h2, spdy/3"},
		{"curve", func(w *world) {
			w.client.Curves, w.server.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP256}
		}, "the server accepts no cipher or curve of those offered with TLS 1.2 to TLS 1.3, or wants a client certificate (handshake failure)"},
		{"name", func(w *world) { w.server.Certificates = nil; w.server.GetCertificate = noCertificate },
			`the server knows no host named "a.example"`},
		{"client certificate", func(w *world) { w.server.ClientAuth = tls.RequireAnyClientCert },
			"the server asks for a client certificate (certificate required); give it one (--cert, Certificates)"},
		{"client certificate, TLS 1.2", func(w *world) {
			w.server.ClientAuth, w.server.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
		}, "the server accepts no cipher or curve of those offered with TLS 1.2 to TLS 1.3, or wants a client certificate (handshake failure)"},
		{"another", func(w *world) {
			w.server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("broken") }
		}, `the server ended TLS with the alert "internal error"`},
	}
	for _, test := range tests {
		for _, step := range []int{0, 1} {
			w := newWorld(t, 0)
			test.set(w)
			c, p := newClient(t, w.conn(), false), serve(t, w.server, answer(nil))
			talk(c, p, step)
			require.EqualError(t, c.err, test.says)
			var op *net.OpError
			require.ErrorAs(t, c.err, &op, "the cause is kept")
			require.Error(t, p.err)
			_, again := c.Handshake()
			require.Equal(t, c.err, again)
		}
	}
}

// What crypto/tls says for itself is said without its name in front: whoever
// reports it has said that it is about TLS.
func TestTooLongAMessage(t *testing.T) {
	c := newClient(t, newWorld(t, tls.VersionTLS13).conn(), false)
	c.turn(nil)
	c.turn([]byte{22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff})
	require.ErrorContains(t, c.err, "handshake message of length 16777215 bytes exceeds maximum")
	require.False(t, strings.HasPrefix(c.err.Error(), "tls: "), "%v", c.err)
	require.ErrorContains(t, errors.Unwrap(c.err), "tls: ")
}

func noCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }

func TestClientCertificate(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		w.server.ClientAuth, w.server.ClientCAs = tls.RequireAndVerifyClientCert, roots(w.root)
		mine := template()
		mine.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		w.client.Certificates = []tls.Certificate{w.root.issue(t, mine, ecdsaKey(t))}
		c := newClient(t, w.conn(), forLife)
		talk(c, serve(t, w.server, answer(body(10))), 0)
		requireBody(t, body(10), c)

		// Expired: the server that asked for it says so.
		mine.NotAfter = today.AddDate(0, 0, -1)
		settings := *w.client
		settings.Certificates = []tls.Certificate{w.root.issue(t, mine, ecdsaKey(t))}
		settings.sessions = nil
		c = newClient(t, New(settings.Config("a.example"), w.pad), forLife)
		talk(c, serve(t, w.server, answer(nil)), 0)
		require.EqualError(t, c.err, "the server does not accept the client's certificate (expired certificate)")
	})
}

// Servers of other protocols are quoted, as far as they have spoken.
func TestAnswersThatAreNoTLS(t *testing.T) {
	tests := map[string]string{
		"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n": `"HTTP/1.1 400 Bad Request"`,
		"SSH-2.0-OpenSSH_9.2p1\r\n":                         `"SSH-2.0-OpenSSH_9.2p1"`,
		"\x1b[2J\x00\x01\x02":                               `"\x1b[2J\x00\x01\x02"`,
		"220 " + strings.Repeat("x", 200):                   `"220 ` + strings.Repeat("x", 76) + `…"`,
	}
	for said, quoted := range tests {
		c := newClient(t, newWorld(t, 0).conn(), false)
		c.turn(nil)
		c.turn([]byte(said))
		require.EqualError(t, c.err, "the server does not speak TLS on this port: it answered "+quoted)
		var header tls.RecordHeaderError
		require.ErrorAs(t, c.err, &header)
		require.Nil(t, header.Conn, "which would keep the conn in memory")

		c = newClient(t, newWorld(t, 0).conn(), false)
		c.turn(nil)
		for i := range len(said) {
			c.turn([]byte(said[i : i+1]))
		}
		require.ErrorContains(t, c.err, "the server does not speak TLS on this port: it answered \"")
	}
}

// An error that somebody keeps does not keep the conn.
func TestErrorsAreSmall(t *testing.T) {
	var kept []error
	freed := make(chan bool, 1)
	func() {
		c := newWorld(t, 0).conn()
		runtime.AddCleanup(c, func(freed chan bool) { freed <- true }, freed)
		_, err := c.Handshake()
		require.NoError(t, err)
		c.Outgoing()
		c.Feed([]byte("HTTP/1.1 400 Bad Request\r\n"))
		_, err = c.Handshake()
		require.Error(t, err)
		kept = append(kept, err)
		c.Stop()
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-freed:
			require.Len(t, kept, 1)
			return
		default:
		}
	}
	require.Fail(t, "the conn is kept", "by %v", kept)
}

// Nothing at all is no handshake either.
func TestSilentServer(t *testing.T) {
	for _, said := range []string{"", "\x16", "\x16\x03\x03\x00\x10\x02"} {
		c := newClient(t, newWorld(t, 0).conn(), false)
		require.NotEmpty(t, c.turn(nil))
		c.turn([]byte(said))
		require.NoError(t, c.err)
		c.end()
		require.EqualError(t, c.err, "the server closed the connection during the TLS handshake")
		require.ErrorIs(t, c.err, io.ErrUnexpectedEOF)
	}
}

// The record that is too long, the type that there is none of: crypto/tls's own
// words, and the alert for the server.
func TestBrokenRecords(t *testing.T) {
	for said, want := range map[string]string{
		"\x16\x03\x03\xff\xff":                 "oversized record",
		"\x16\x03\x03\x00\x04\xff\x00\x00\x00": "unexpected message",
		"\x16\x03\x03\x00\x00":                 "unexpected message",
		"\x80\x03\x03\x00\x00":                 "SSLv2",
	} {
		c := newClient(t, newWorld(t, 0).conn(), false)
		c.turn(nil)
		alert := c.turn([]byte(said))
		require.ErrorContains(t, c.err, want)
		require.True(t, bytes.HasPrefix(alert, []byte{alertRecord}), "%q", alert)
	}
}

func TestVersionsInWords(t *testing.T) {
	for want, s := range map[string]Settings{
		"TLS 1.2 to TLS 1.3": {}, "TLS 1.3": {MinVersion: tls.VersionTLS13}, "TLS 1.0 to TLS 1.1": {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
	} {
		require.Equal(t, want, s.Config("a").versions())
	}
}

// TestAlertTexts pins by what alerts are recognised: crypto/tls exports their
// type for QUIC only, with the same texts.
func TestAlertTexts(t *testing.T) {
	for said, want := range map[string]tls.AlertError{
		"\x15\x03\x03\x00\x02\x02\x46": protocolVersion, "\x15\x03\x03\x00\x02\x02\x78": noApplicationProtocol,
		"\x15\x03\x03\x00\x02\x02\x74": certificateRequired, "\x15\x03\x03\x00\x02\x02\x2a": badCertificate, "\x15\x03\x03\x00\x02\x02\x28": handshakeFailure,
	} {
		c := newClient(t, newWorld(t, 0).conn(), false)
		c.turn(nil)
		c.turn([]byte(said))
		var op *net.OpError
		require.ErrorAs(t, c.err, &op)
		if want == badCertificate { // there was none to be bad
			require.ErrorContains(t, c.err, "the server asks for a client certificate (bad certificate)")
		}
		require.True(t, is(op.Err, want), "crypto/tls's alert %d has another text than tls.AlertError: %s", want, op.Err)
	}
}
