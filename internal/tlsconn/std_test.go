package tlsconn

import (
	"bytes"
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"
)

// changed is what to do if crypto/tls no longer does what this package rests on.
const changed = "crypto/tls has changed: %s. Set coroutineForLife in conn.go, " +
	"with which only what the documentation promises is needed; then tell what changed in doc.go"

// TestStandardLibrary pins what crypto/tls does and its documentation does not
// promise: after an error that is temporary (net.Error), Read goes on where it
// was. It is asked here without anything of ours between but the wire.
func TestStandardLibrary(t *testing.T) {
	type part struct {
		name string
		kind byte
		sent []byte
	}
	data := part{"a record of data", dataRecord, []byte("data")}
	tests := map[uint16][]part{
		tls.VersionTLS12: {data, data},
		tls.VersionTLS13: {data, {"a ticket", handshakeRecord, ticket()}, data,
			{"a half ticket", handshakeRecord, ticket()[:9]}, {"the rest of the ticket", handshakeRecord, ticket()[9:]},
			{"a KeyUpdate", handshakeRecord, message(keyUpdate, 1)}, data},
	}
	for version, parts := range tests {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			c, server, _ := newWorld(t, version).openForged(t, false)
			buf, got, want := make([]byte, 100), "", ""
			for _, p := range parts {
				if p.kind == dataRecord {
					want += string(p.sent)
				}
				for i, b := range server.record(p.kind, p.sent) {
					where := "body"
					if i < headerLen {
						where = "header"
					}
					c.wire.in = []byte{b}
					n, err := c.tls.Read(buf)
					got += string(buf[:n])
					if err != nil {
						require.Equal(t, wouldBlock{}, err, changed, "Read does not go on after a temporary error in the "+where+" of "+p.name)
					}
					c.Outgoing()
				}
				if bytes.HasPrefix(p.sent, []byte{keyUpdate}) {
					server = server.updated()
				}
				require.Equal(t, want, got, changed, "Read loses bytes after a temporary error in "+p.name)
			}
		})
	}
}

// TestStandardLibraryHandshake: the handshake can be paused wherever it reads.
func TestStandardLibraryHandshake(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		w := newWorld(t, version)
		c := newClient(t, w.conn(), false)
		talk(c, serve(t, w.server, answer(nil)), 1)
		require.Equal(t, Done, c.status, "crypto/tls has changed: its handshake does not run in a coroutine: %v", c.err)
	}
}

// TestStandardLibraryWrite: a Write whose conn takes everything takes everything.
func TestStandardLibraryWrite(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		want := body(1 << 20)
		var got []byte
		c, _, p := newWorld(t, version).open(t, false, func(s *tls.Conn) error {
			buf := make([]byte, 64<<10)
			for {
				n, err := s.Read(buf)
				if got = append(got, buf[:n]...); err != nil {
					return err
				}
			}
		})
		n, err := c.tls.Write(want)
		require.Equal(t, []any{len(want), nil}, []any{n, err}, "crypto/tls has changed: Write fails though the conn took everything")
		p.turn(bytes.Clone(c.Outgoing()))
		require.True(t, bytes.Equal(want, got))
	}
}
