package fetch_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/coro"
	"github.com/shoalfetch/shoal/internal/sim"
)

// TestSimSecure runs seeds over TLS in the worst of worlds: a response that is
// cut off is never taken for whole, whatever its framing.
func TestSimSecure(t *testing.T) { simulateSecurely(t, worst()) }

// TestSimSecureMild runs seeds over TLS where every fetch that can end well
// must.
func TestSimSecureMild(t *testing.T) { simulateSecurely(t, sim.Mild()) }

// TestSimSecureReuse has servers close kept connections whenever they like, with
// a close_notify before the FIN.
func TestSimSecureReuse(t *testing.T) {
	c := sim.Mild()
	c.IdleClose, c.CloseOnReuse = 0.3, 0.2
	simulateSecurely(t, c)
}

func simulateSecurely(t *testing.T, chaos sim.Chaos) {
	simulateSome(t, simulation{chaos: chaos, secure: true})
}

// simulateSome runs a third of the seeds, each in a simulation like this one: most
// of their time goes into keys.
func simulateSome(t *testing.T, like simulation) {
	run := func(seed uint64, verbose bool) {
		s := like
		s.T, s.seed, s.verbose = t, seed, verbose
		s.run()
	}
	if *oneSeed != 0 {
		run(*oneSeed, true)
		return
	}
	for seed := uint64(1); seed <= max(1, uint64(*manySeeds)/3); seed++ {
		run(seed, false)
	}
}

// authority is who vouches for the servers of the simulations, and their one
// certificate: Ed25519, whose signatures are all of one length, so that what is
// random in a handshake changes nothing that a log shows.
var authority = sync.OnceValues(func() (*x509.CertPool, tls.Certificate) {
	names := []string{"proxy.test"}
	for name := range hosts {
		names = append(names, name)
	}
	return certify(time.Date(2025, time.December, 1, 0, 0, 0, 0, time.UTC), names, up)
})

// certify makes a certificate that is good for eleven years, and who believes it.
func certify(since time.Time, names, addresses []string) (*x509.CertPool, tls.Certificate) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "the simulated world"},
		NotBefore:             since,
		NotAfter:              since.AddDate(11, 0, 0),
		DNSNames:              names,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, a := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(netip.MustParseAddr(a).AsSlice()))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
}

// worldTLS is how a client of the simulations speaks TLS. The key exchange is
// the cheapest one: there are many.
func worldTLS() *fetch.TLS {
	roots, _ := authority()
	return &fetch.TLS{Roots: roots, Curves: []tls.CurveID{tls.X25519}}
}

// secureServers puts TLS in front of a world's servers. Without notify they
// close without a close_notify, as somebody on the way would cut.
func secureServers(t *testing.T, k *sim.Kernel, notify bool) {
	_, certificate := authority()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, Time: k.Wall}
	for _, a := range up {
		k.Listen(netip.AddrPortFrom(netip.MustParseAddr(a), 443), func(c *sim.Conn) sim.Peer {
			return newSecurePeer(t, c, config, notify, sim.HTTP(serve))
		})
	}
}

// securePeer is a server's TLS: stock crypto/tls over a socket that never
// blocks, as in the engine itself, but with the server's part.
type securePeer struct {
	c       *sim.Conn
	wire    *wire
	tls     *tls.Conn
	hand    *coro.Coro
	refusal error // why the handshake failed
	accept  sim.Accept
	inner   sim.Peer      // nil until the handshake is done
	last    func() []byte // what goes out before a FIN
	slow    time.Duration // how long its part of the handshake takes
	end     error         // of what the client says: io.EOF when it said so
}

func newSecurePeer(t *testing.T, c *sim.Conn, config *tls.Config, notify bool, accept sim.Accept) sim.Peer {
	s := &securePeer{c: c, wire: &wire{left: -1}, accept: accept}
	s.tls = tls.Server(s.wire, config)
	s.hand = coro.Start(func(y *coro.Coro) {
		s.wire.starved = y.Pause
		s.refusal = s.tls.Handshake()
		s.wire.starved = nil
	})
	t.Cleanup(s.hand.Stop)
	s.last = func() []byte {
		if notify && s.inner != nil {
			_ = s.tls.CloseWrite()
		}
		return s.wire.take()
	}
	return s
}

// Receive implements sim.Peer.
func (s *securePeer) Receive(p []byte) {
	s.wire.in = append(s.wire.in, p...)
	if s.inner == nil && !s.shakeHands() {
		return
	}
	plain := make([]byte, 16<<10)
	for {
		n, err := s.tls.Read(plain)
		if n > 0 {
			s.inner.Receive(append([]byte(nil), plain[:n]...))
		}
		if err != nil {
			if err != (errStarved{}) {
				s.end = err
			}
			return
		}
	}
}

// shakeHands goes on with the handshake, and says whether it is done.
func (s *securePeer) shakeHands() bool {
	more := s.hand.Resume()
	s.c.Send(s.slow, s.wire.take())
	switch {
	case more:
		return false
	case s.refusal != nil:
		s.c.Close(0)
		return false
	}
	s.c.Wrap(func(p []byte) []byte {
		if _, err := s.tls.Write(p); err != nil {
			panic(err)
		}
		return s.wire.take()
	}, s.last)
	s.inner = s.accept(s.c)
	return true
}

// Closed implements sim.Peer.
func (s *securePeer) Closed() {
	s.hand.Stop()
	if s.inner != nil {
		s.inner.Closed()
	}
}

// wire is the net.Conn of a securePeer: two buffers.
type wire struct {
	net.Conn // its other methods are never called
	in, out  []byte
	starved  func() bool // waits for more; nil: there is no waiting
	left     int         // how many bytes still go out; negative: all
	cut      func()      // called when none is left
}

func (w *wire) Read(p []byte) (int, error) {
	for len(w.in) == 0 {
		if w.starved == nil {
			return 0, errStarved{}
		}
		if !w.starved() {
			return 0, io.ErrClosedPipe
		}
	}
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

func (w *wire) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

func (w *wire) SetWriteDeadline(time.Time) error { return nil }

func (w *wire) take() []byte {
	out := w.out
	w.out = nil
	if w.left < 0 {
		return out
	}
	n := min(len(out), w.left)
	if w.left -= n; w.left == 0 && w.cut != nil {
		w.cut()
		w.cut = nil
	}
	return out[:n]
}

// errStarved is a temporary net.Error: crypto/tls goes on after it.
type errStarved struct{}

func (errStarved) Error() string   { return "nothing has come" }
func (errStarved) Timeout() bool   { return true }
func (errStarved) Temporary() bool { return true }
