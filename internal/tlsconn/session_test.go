package tlsconn

import (
	"crypto/tls"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// fetch makes a conn, gets a body through it, and says whether it was resumed.
func (w *world) fetch(t *testing.T, config *Config, forLife bool) (resumed bool) {
	c := newClient(t, New(config, w.pad), forLife)
	talk(c, serve(t, w.server, answer(body(100))), 0)
	requireBody(t, body(100), c)
	return c.State().DidResume
}

func TestResumption(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16, forLife bool) {
		w := newWorld(t, version)
		config := w.client.Config("a.example")
		require.False(t, w.fetch(t, config, forLife))
		for range 20 {
			require.True(t, w.fetch(t, config, forLife))
		}
	})
}

// Two ports of a host are two origins, with servers of different keys: neither
// puts its session in the place of the other's.
func TestSessionsOfTwoPorts(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := newWorld(t, version)
		other := *w
		other.server = w.server.Clone()
		other.server.SetSessionTicketKeys([][32]byte{{1}})
		one, two := w.client.Config("a.example"), w.client.Config("a.example")
		require.False(t, w.fetch(t, one, false))
		require.False(t, other.fetch(t, two, false))
		for range 3 {
			require.True(t, w.fetch(t, one, false))
			require.True(t, other.fetch(t, two, false))
		}
	}
}

// The sessions used last are kept, as many as there is room for.
func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	w.client.Sessions = 2
	a, b, c := w.client.Config("a.example"), w.client.Config("a.example"), w.client.Config("a.example")
	for _, config := range []*Config{a, b, c} {
		require.False(t, w.fetch(t, config, false))
	}
	require.True(t, w.fetch(t, c, false))
	require.True(t, w.fetch(t, b, false))
	require.False(t, w.fetch(t, a, false), "the oldest is gone")
}

func TestNoSessions(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	w.client.Sessions = -1
	config := w.client.Config("a.example")
	for range 3 {
		require.False(t, w.fetch(t, config, false))
	}
}

// A resumed session has sent no certificate, and its key is asked about all the
// same.
func TestPinsOfAResumedSession(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := newWorld(t, version)
		w.client.Pins = [][]byte{make([]byte, 32), pinOf(t, w.server.Certificates[0])}
		config := w.client.Config("a.example")
		require.False(t, w.fetch(t, config, false))
		require.True(t, w.fetch(t, config, false))
		config.pins = config.pins[:1]
		c := newClient(t, New(config, w.pad), false)
		talk(c, serve(t, w.server, answer(nil)), 0)
		var pin *PinError
		require.ErrorAs(t, c.err, &pin)
	}
}

// The verification elsewhere is asked for each time, also for a session of one
// that was trusted before.
func TestVerificationElsewhereOfAResumedSession(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := newWorld(t, version)
		w.client.Later = true
		config := w.client.Config("a.example")
		for i, verdict := range []error{nil, nil, errors.New("no longer")} {
			c, asked := newClient(t, New(config, w.pad), false), 0
			c.verify = func(question func() error) error {
				asked++
				require.NoError(t, question())
				return verdict
			}
			talk(c, serve(t, w.server, answer(nil)), 0)
			require.Equal(t, 1, asked)
			if verdict != nil {
				require.ErrorIs(t, c.err, verdict)
				continue
			}
			requireBody(t, []byte{}, c)
			require.Equal(t, i > 0, c.State().DidResume)
		}
	}
}
