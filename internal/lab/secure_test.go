package lab

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

// trusted is an authority of now, for clients whose clock is the same.
func trusted() *Authority { return NewAuthority(time.Now()) }

// ear is a connection that remembers whether its end has been heard. A TLS
// client that is told of the end by TLS does not listen for that of TCP.
type ear struct {
	net.Conn
	heard bool
}

func (e *ear) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	e.heard = e.heard || err == io.EOF
	return n, err
}

// dialAs connects to a server by a name, and believes its authority.
func dialAs(s *Server, host string, settle ...func(*tls.Config)) (*tls.Conn, error) {
	tcp, err := net.Dial("tcp", s.address())
	if err != nil {
		return nil, err
	}
	silence := patient
	if host == "stall.localhost" {
		silence = brief
	}
	tcp.SetDeadline(time.Now().Add(silence))
	config := &tls.Config{ServerName: host, RootCAs: s.options.Authority.Pool(), NextProtos: []string{"http/1.1"}}
	for _, f := range settle {
		f(config)
	}
	c := tls.Client(&ear{Conn: tcp}, config)
	if err := c.Handshake(); err != nil {
		tcp.Close()
		return nil, err
	}
	tcp.SetDeadline(time.Time{})
	return c, nil
}

// Over TLS every endpoint does what is claimed of it without, but for those
// that are about TLS.
func TestEndpointsOverTLS(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Options{Authority: trusted()})
	require.NoError(t, s.Listen("127.0.0.1:0"))
	go s.Serve()
	content := string(contentOf(t, s, small))
	all := lookAll(s, "GET")
	s.Close()
	leaktest.Settled(t, before)
	for path, got := range all {
		t.Run(path, func(t *testing.T) {
			switch path {
			case "tls":
				require.Equal(t, "version        TLS 1.3\nkey exchange   X25519MLKEM768\ncipher suite   TLS_AES_128_GCM_SHA256\n"+
					"server name    localhost\nprotocol       http/1.1\nresumed        false\nclient         none\n", got.body)
			case "tls/garbage":
				require.ErrorContains(t, got.err, "bad record MAC")
				got.err = nil
				claims[path].holds(t, got, content)
			default:
				claims[path].holds(t, got, content)
			}
		})
	}
}

// Whoever reads to the end is told by TLS that it is the end, unless the
// endpoint is there to leave that out.
func TestCloseNotify(t *testing.T) {
	s := started(t, Options{Authority: trusted()})
	for path, mute := range map[string]bool{"ok": false, "close": false, "fin/body": false, "http10": false, "tls/cut": true, "tls/mute": true} {
		c, err := dialAs(s, "localhost")
		require.NoError(t, err)
		_, err = c.Write([]byte(get("/" + path)))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, c)
		require.NoError(t, err)
		require.Equal(t, mute, c.NetConn().(*ear).heard, path)
		c.Close()
	}
}

// Each guise is what it says, to a client that was not written for it. An empty
// text: all is well.
func TestGuises(t *testing.T) {
	verdicts := map[string]string{
		"expired":        "certificate has expired or is not yet valid: current time ",
		"not-yet":        "is before ",
		"wrong-name":     "certificate is valid for elsewhere.example, www.elsewhere.example, not wrong-name.localhost",
		"no-name":        "relies on legacy Common Name field",
		"self-signed":    "certificate signed by unknown authority",
		"unknown-issuer": "certificate signed by unknown authority",
		"chain":          "",
		"no-chain":       "certificate signed by unknown authority",
		"huge-chain":     "exceeds maximum of",
		"wrong-usage":    "incompatible key usage",
		"no-authority":   "certificate signed by unknown authority",
		"sha1":           "ECDSA-SHA1",
		"tls11":          "protocol version not supported",
		"tls12":          "",
		"tls13":          "",
		"p384":           "",
		"client":         "certificate required",
		"mail":           "no application protocol",
		"no-tickets":     "",
		"unknown":        "unrecognized name",
		"drip":           "",
		"stall":          "i/o timeout",
		"fin":            "EOF",
		"cut":            "EOF",
		"reset":          syscall.ECONNRESET.Error(),
		"plain":          "first record does not look like a TLS handshake",
	}
	require.Len(t, verdicts, len(guises))
	s := started(t, Options{Authority: trusted()})
	for _, g := range guises {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			verdict, known := verdicts[g.name]
			require.True(t, known)
			got, err := askGuise(s, g)
			if verdict != "" {
				require.ErrorContains(t, err, verdict)
				return
			}
			require.NoError(t, err)
			require.Contains(t, got, "server name    "+g.host()+"\n")
		})
	}
}

// askGuise fetches /tls. In TLS 1.3 a client hears only with the first answer
// that its own certificate was found wanting.
func askGuise(s *Server, g guise) (answer string, err error) {
	c, err := dialAs(s, g.host(), func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 })
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err = c.Write([]byte(get("/tls"))); err != nil {
		return "", err
	}
	text, err := io.ReadAll(c)
	return string(text), err
}

// What guises do is not only how a client fails: these are seen from the other
// side of the wire.
func TestGuisesSettle(t *testing.T) {
	s := started(t, Options{Authority: trusted()})
	for host, holds := range map[string]func(tls.ConnectionState) bool{
		"tls12.localhost": func(c tls.ConnectionState) bool { return c.Version == tls.VersionTLS12 },
		"tls13.localhost": func(c tls.ConnectionState) bool { return c.Version == tls.VersionTLS13 },
		"p384.localhost":  func(c tls.ConnectionState) bool { return c.CurveID == tls.CurveP384 && c.HelloRetryRequest },
		"chain.localhost": func(c tls.ConnectionState) bool { return len(c.PeerCertificates) == 2 },
		"LOCALHOST":       func(c tls.ConnectionState) bool { return c.PeerCertificates[0].DNSNames[0] == "localhost" },
		"127.0.0.1":       func(c tls.ConnectionState) bool { return len(c.PeerCertificates) == 1 },
		"::1":             func(c tls.ConnectionState) bool { return len(c.PeerCertificates) == 1 },
	} {
		c, err := dialAs(s, host)
		require.NoError(t, err, host)
		require.True(t, holds(c.ConnectionState()), host)
		c.Close()
	}
	c, err := dialAs(s, "127.0.0.1", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	require.NoError(t, err)
	require.EqualValues(t, tls.VersionTLS12, c.ConnectionState().Version)
	c.Close()
}

// A client that the lab has given a certificate is let in, and nobody else.
func TestClientCertificate(t *testing.T) {
	a := trusted()
	s := started(t, Options{Authority: a})
	c, err := dialAs(s, "client.localhost", func(c *tls.Config) { c.Certificates = []tls.Certificate{a.Client()} })
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte(get("/tls")))
	require.NoError(t, err)
	require.Contains(t, listen(c, patient, patient).body, "client         CN=a client of shoal lab\n")

	other := trusted().Client()
	c, err = dialAs(s, "client.localhost", func(c *tls.Config) {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &other, nil }
	})
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "unknown certificate authority")
	c.Close()
}

// A second handshake is resumed, but for the guise that remembers nothing.
func TestResumption(t *testing.T) {
	s := started(t, Options{Authority: trusted()})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for host, resumes := range map[string]bool{"localhost": true, "no-tickets.localhost": false} {
			cache := tls.NewLRUClientSessionCache(1)
			for nth := range 2 {
				c, err := dialAs(s, host, func(c *tls.Config) { c.ClientSessionCache, c.MaxVersion = cache, version })
				require.NoError(t, err)
				require.Equal(t, nth == 1 && resumes, c.ConnectionState().DidResume)
				_, err = c.Write([]byte(get("/tls")))
				require.NoError(t, err)
				require.NoError(t, listen(c, patient, patient).err) // tickets come with the answer
				c.Close()
			}
		}
	}
}

// Who speaks HTTP where TLS is spoken is told so.
func TestPlainClient(t *testing.T) {
	s := started(t, Options{Authority: trusted()})
	c, err := net.Dial("tcp", s.address())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte(get("/")))
	require.NoError(t, err)
	got := listen(c, patient, patient)
	require.NoError(t, got.err)
	require.True(t, strings.HasPrefix(got.all, "HTTP/1.1 400 Bad Request\r\n"), got.all)
	require.Contains(t, got.body, "https://")
}

// The log tells what was agreed, and why nothing was.
func TestLogTellsOfHandshakes(t *testing.T) {
	a := trusted()
	for _, c := range []struct {
		host   string
		settle func(*tls.Config)
		kind   Kind
		text   string
	}{
		{"localhost", func(*tls.Config) {}, Agreed, `TLS 1.3, X25519MLKEM768, TLS_AES_128_GCM_SHA256, for "localhost"`},
		{"localhost", func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }, Closed,
			"no TLS was agreed on (remote error: tls: bad certificate), the lab closed after 0 bytes"},
		{"localhost", func(c *tls.Config) { c.NextProtos = []string{"smtp"} }, Closed,
			`no TLS was agreed on (tls: client requested unsupported application protocols (["smtp"])), the lab closed after 0 bytes`},
		{"fin.localhost", func(*tls.Config) {}, Closed, "the lab closed after 0 bytes"},
		{"reset.localhost", func(*tls.Config) {}, Closed, "the lab reset after 0 bytes"},
	} {
		var d diary
		s := started(t, Options{Log: d.add, Authority: a})
		if client, err := dialAs(s, c.host, c.settle); err == nil {
			client.Close()
		}
		require.Eventually(t, func() bool { return len(d.all(Closed)) == 1 }, 5*time.Second, time.Millisecond)
		require.Len(t, d.all(c.kind), 1)
		require.Equal(t, c.text, d.all(c.kind)[0].Text)
	}
}

// Close waits for no handshake.
func TestCloseEndsHandshakes(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Options{Authority: trusted()})
	s.linger = time.Hour
	require.NoError(t, s.Listen("127.0.0.1:0"))
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	clients := make(chan error, 3)
	for _, host := range []string{"stall.localhost", "stall.localhost", "client.localhost"} {
		go func() {
			_, err := dialAs(s, host, func(c *tls.Config) {
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					<-s.closing // the server waits for the client
					return &tls.Certificate{}, context.Canceled
				}
			})
			clients <- err
		}()
	}
	silent, err := net.Dial("tcp", s.address())
	require.NoError(t, err)
	defer silent.Close()
	require.Eventually(t, func() bool { return s.stats.accepted.Load() == 4 }, 5*time.Second, time.Millisecond)
	s.Close() // which waits for no client
	require.NoError(t, <-served)
	for range cap(clients) {
		err := <-clients
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	leaktest.Settled(t, before)
}

// What an authority gives as text is what it gives otherwise.
func TestAuthorityPEM(t *testing.T) {
	a := trusted()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(a.PEM()))
	require.True(t, pool.Equal(a.Pool()))
	own, err := tls.X509KeyPair(a.ClientPEM(), a.ClientPEM())
	require.NoError(t, err)
	require.Equal(t, a.Client().Certificate, own.Certificate)
	require.False(t, bytes.Contains(a.PEM(), []byte("PRIVATE")))
	require.False(t, trusted().Pool().Equal(pool), "another authority is the same")
}

func TestIndexNamesGuises(t *testing.T) {
	s := started(t, Options{Authority: trusted()})
	_, port, _ := net.SplitHostPort(s.address())
	page, list := look(s, get("/")).body, look(s, get("/index.json")).body
	for _, g := range guises {
		require.Contains(t, page, `<a href="https://`+g.host()+":"+port+`/">`)
		require.Contains(t, list, `"host": "`+g.host()+":"+port+`"`)
	}
	require.NotContains(t, look(started(t, Options{}), get("/")).body, ".localhost")
}

func TestNoTextbookOverTLS(t *testing.T) {
	require.Panics(t, func() { New(Options{Book: &Book{}, Authority: trusted()}) })
}
