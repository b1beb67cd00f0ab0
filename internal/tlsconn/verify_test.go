package tlsconn

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProof: what a server showed once is not verified again, as long as it
// shows that and all of it is valid. The roots that are taken away here tell.
func TestProof(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		root := newAuthority(t, "Root", nil)
		between := newAuthority(t, "Between", root)
		now := today
		settings := &Settings{Roots: roots(root), Time: func() time.Time { return now }, Sessions: -1}
		config, pad := settings.Config("a.example"), NewPad()
		fetch := func(certificate tls.Certificate) *client {
			server := &tls.Config{Certificates: []tls.Certificate{certificate}, Time: func() time.Time { return now }, MaxVersion: version}
			c := newClient(t, New(config, pad), false)
			talk(c, serve(t, server, answer(body(10))), 0)
			return c
		}
		key := ecdsaKey(t)
		shown := between.issue(t, template("a.example"), key, between)
		other := between.issue(t, template("a.example"), key, between)
		first := fetch(shown)
		requireBody(t, body(10), first)
		chains := first.State().VerifiedChains
		require.Len(t, chains, 1)
		require.Len(t, chains[0], 3)
		require.True(t, root.cert.Equal(chains[0][2]))

		config.tls.RootCAs = x509.NewCertPool()
		again := fetch(shown)
		requireBody(t, body(10), again)
		require.Equal(t, chains, again.State().VerifiedChains)
		var unknown x509.UnknownAuthorityError
		require.ErrorAs(t, fetch(other).err, &unknown)
		requireBody(t, body(10), fetch(shown))
		for _, moment := range []time.Time{config.proof.from.Add(-time.Second), config.proof.until.Add(time.Second)} {
			now = moment
			var invalid x509.CertificateInvalidError
			require.ErrorAs(t, fetch(shown).err, &invalid)
			require.Equal(t, x509.Expired, invalid.Reason)
		}
	}
}
