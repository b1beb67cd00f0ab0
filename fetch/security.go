package fetch

import (
	"crypto/x509"
	"runtime"

	"github.com/shoalfetch/shoal/internal/tlsconn"
)

const (
	// plainBytes is how much is decrypted at once, to be written at once, and
	// liftedBytes how much of it a proxy's layer gives that of an origin.
	plainBytes  = 256 << 10
	liftedBytes = 64 << 10

	// sessionsKept is how many origins' sessions are remembered.
	sessionsKept = 4096
)

// verifierBlocks says whether the system's own verifier of certificates may
// wait, for another process or for the network: then it runs beside the loop.
const verifierBlocks = runtime.GOOS == "darwin" || runtime.GOOS == "ios"

// verification is the judgement of a conn's certificate, made by a worker. The
// worker writes the error; the loop reads it when the work has finished.
type verification struct {
	conn token
	err  *error
}

// security is what all secure conns share. It is made when the first https URL
// is admitted: to read the system's roots takes some milliseconds, which runs
// without TLS are spared, and handshakes too.
type security struct {
	settings tlsconn.Settings
	configs  map[route]*tlsconn.Config
	proxies  tlsconn.Settings // with proxies
	pad      *tlsconn.Pad     // of the layer next to the protocol
	outerPad *tlsconn.Pad     // of a proxy's
	plain    []byte           // decrypted, on its way to a protocol
	lifted   []byte           // decrypted by a proxy's layer
	steps    int              // of handshakes, in this turn

	verifying map[uint64]verification // what is being judged, by the work
}

// secured gives what secure conns share.
func (l *loop) secured() *security {
	if l.security == nil {
		var t TLS
		if l.options.TLS != nil {
			t = *l.options.TLS
		}
		l.security = &security{
			settings:  l.tlsSettings(&t),
			configs:   map[route]*tlsconn.Config{},
			pad:       tlsconn.NewPad(),
			plain:     make([]byte, plainBytes),
			verifying: map[uint64]verification{},
		}
	}
	return l.security
}

// tlsSettings are the options in TLS's own terms.
func (l *loop) tlsSettings(t *TLS) tlsconn.Settings {
	s := tlsconn.Settings{
		Roots:        t.Roots,
		Insecure:     t.Insecure,
		Certificates: t.Certificates,
		MinVersion:   t.MinVersion,
		MaxVersion:   t.MaxVersion,
		Curves:       t.Curves,
		KeyLog:       t.KeyLog,
		Time:         l.kernel.Wall,
		Protocols:    []string{"http/1.1"},
		Sessions:     sessionsKept,
		Later:        l.verifyLater,
	}
	if s.Roots == nil && !s.Later {
		s.Roots, _ = x509.SystemCertPool() // an error shows when there is something to judge
	}
	for _, p := range t.Pins {
		s.Pins = append(s.Pins, p[:])
	}
	return s
}

// tlsConfig is an origin's part of the settings, or a proxy's. It outlives the
// origin, with the session that later conns go on with.
func (l *loop) tlsConfig(r route) *tlsconn.Config {
	s := l.secured()
	c := s.configs[r]
	if c == nil {
		if len(s.configs) >= sessionsKept {
			clear(s.configs)
		}
		settings := &s.settings
		if r.proxy == itself {
			settings = &s.proxies
		}
		c = settings.Config(r.host)
		s.configs[r] = c
	}
	return c
}

// itself marks the route to a proxy, as tlsConfig has it, apart from that to a
// server of the same name.
var itself = proxy{kind: httpsProxy}

// newProxyTLS makes the layer of TLS with a proxy.
func (l *loop) newProxyTLS(p *proxy) *tlsconn.Conn {
	s := l.secured()
	if s.outerPad == nil {
		t := l.options.ProxyTLS
		if t == nil {
			t = new(TLS)
			if own := l.options.TLS; own != nil {
				*t = *own
				t.Insecure, t.Certificates, t.Pins = false, nil, nil
			}
		}
		s.proxies, s.outerPad, s.lifted = l.tlsSettings(t), tlsconn.NewPad(), make([]byte, liftedBytes)
	}
	return tlsconn.New(l.tlsConfig(route{host: p.host, port: p.port, secure: true, proxy: itself}), s.outerPad)
}
