package tlsconn

import (
	"bytes"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

// TestVerificationElsewhere: the handshake stops for the question, keeps what it
// was fed, and goes on with the answer, which another goroutine has found.
func TestVerificationElsewhere(t *testing.T) {
	leaktest.Check(t)
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		for _, step := range []int{0, 1, 100} {
			w := newWorld(t, version)
			looks := 0
			w.client.Later, w.client.Time = true, func() time.Time { looks++; return today }
			c, asked := newClient(t, w.conn(), forLife), 0
			c.verify = func(question func() error) error {
				asked++
				before := looks
				defer func() { require.Equal(t, before, looks, "the loop's clock is read on the loop") }()
				clear(c.scratch) // the loop serves others meanwhile
				for range 2 {
					status, err := c.Handshake()
					require.Equal(t, []any{NeedVerification, nil}, []any{status, err}, "it waits")
				}
				answer := make(chan error)
				go func() { answer <- question() }()
				return <-answer
			}
			talk(c, serve(t, w.server, answer(body(1000))), step)
			requireBody(t, body(1000), c)
			require.Equal(t, 1, asked)
			require.Nil(t, c.Verification())
		}
	})
}

// The verdicts are those of crypto/tls, in the same words; the server is told.
func TestVerificationElsewhereRefuses(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		w.client.Roots = x509.NewCertPool()
		here := newClient(t, w.conn(), forLife)
		talk(here, serve(t, w.server, answer(nil)), 0)
		w.client.Later = true
		later := newClient(t, w.conn(), forLife)
		later.verify = func(question func() error) error { return question() }
		p := serve(t, w.server, answer(nil))
		talk(later, p, 0)
		require.EqualError(t, later.err, here.err.Error())
		var unknown x509.UnknownAuthorityError
		require.ErrorAs(t, later.err, &unknown)
		require.EqualError(t, p.err, "remote error: tls: bad certificate")
	})
}

// A conn may be stopped while its question is open; the answer then comes late.
func TestStopDuringVerification(t *testing.T) {
	leaktest.Check(t)
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		w.client.Later = true
		c, p := w.conn(), serve(t, w.server, answer(nil))
		c.forLife = forLife
		status, err := c.Handshake()
		for ; status == NeedData; status, err = c.Handshake() {
			require.NoError(t, err)
			c.Feed(p.turn(bytes.Clone(c.Outgoing())))
		}
		require.Equal(t, NeedVerification, status)
		question := c.Verification()
		other := w.conn()
		c.Outgoing()
		_, err = other.Handshake()
		require.NoError(t, err)
		c.Stop() // with the other's ciphertext in the pad
		require.NoError(t, question())
		require.Nil(t, c.Verification())
		require.NotEmpty(t, other.Outgoing())
		other.Stop()
	})
}

// Who trusts any certificate is not asked.
func TestInsecureNeedsNoVerification(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		w.client.Roots, w.client.Insecure, w.client.Later = nil, true, true
		c := newClient(t, w.conn(), forLife)
		c.verify = func(func() error) error { return errors.New("asked") }
		talk(c, serve(t, w.server, answer(nil)), 0)
		requireBody(t, []byte{}, c)
	})
}
