package tlsconn

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// readAll feeds ciphertext in pieces and returns what was read, what is to be
// sent, and the error that came first.
func readAll(c *Conn, in []byte, step int) (got, out []byte, err error) {
	buf := make([]byte, 100)
	for len(in) > 0 && err == nil {
		n := min(step, len(in))
		c.Feed(bytes.Clone(in[:n]))
		in = in[n:]
		for err == nil {
			n, err = c.Read(buf)
			got = append(got, buf[:n]...)
			out = append(out, c.Outgoing()...)
		}
		if err == ErrNeedData {
			err = nil
		}
	}
	return got, out, err
}

var steps = []int{1, 2, 3, 5, 6, 20, 1000}

// TestKeyUpdate: the server changes its keys between two pieces of data, and may
// ask for the same of the client (RFC 8446, 4.6.3).
func TestKeyUpdate(t *testing.T) {
	for _, forLife := range []bool{false, true} {
		for _, asked := range []byte{0, 1} {
			for _, step := range steps {
				t.Run(fmt.Sprintf("for life %t, asked %d, by %d", forLife, asked, step), func(t *testing.T) {
					c, server, client := newWorld(t, tls.VersionTLS13).openForged(t, forLife)
					in := append(server.record(dataRecord, []byte("before")), server.record(handshakeRecord, message(keyUpdate, asked))...)
					in = append(in, server.updated().record(dataRecord, []byte("after"))...)
					got, out, err := readAll(c, in, step)
					require.NoError(t, err)
					require.Equal(t, "beforeafter", string(got))
					if asked == 0 {
						require.Empty(t, out)
					} else {
						kind, reply := client.open(out)
						require.Equal(t, []any{byte(handshakeRecord), message(keyUpdate, 0)}, []any{kind, reply})
						client = client.updated()
					}
					require.NoError(t, c.Write([]byte("mine")))
					_, mine := client.open(c.Outgoing())
					require.Equal(t, "mine", string(mine))
				})
			}
		}
	}
}

// A server that does nothing but change its keys is stopped.
func TestEndlessKeyUpdates(t *testing.T) {
	c, server, _ := newWorld(t, tls.VersionTLS13).openForged(t, false)
	var in []byte
	for range 100 {
		in = append(in, server.record(handshakeRecord, message(keyUpdate, 1))...)
		server = server.updated()
	}
	_, out, err := readAll(c, in, 1000)
	require.EqualError(t, err, "too many non-advancing records")
	require.NotEmpty(t, out)
}

// ticket is a NewSessionTicket (RFC 8446, 4.6.1).
func ticket() []byte {
	b := binary.BigEndian.AppendUint32(nil, 3600)
	b = append(b, 1, 2, 3, 4) // ticket_age_add
	b = append(b, 1, 0)       // the nonce
	b = append(b, 0, 5)       // the ticket
	b = append(b, "abcde"...) //
	return message(newSessionTicket, append(b, 0, 0)...)
}

// TestTicketOverRecords: a message may be cut anywhere, and each record too.
func TestTicketOverRecords(t *testing.T) {
	for _, forLife := range []bool{false, true} {
		for at := 1; at < len(ticket()); at++ {
			for _, step := range []int{1, 7, 1000} {
				w := newWorld(t, tls.VersionTLS13)
				c, server, _ := w.openForged(t, forLife)
				_, known := w.client.sessions.Get("1")
				require.False(t, known)
				in := append(server.record(handshakeRecord, ticket()[:at]), server.record(handshakeRecord, ticket()[at:])...)
				got, out, err := readAll(c, append(in, server.record(dataRecord, []byte("data"))...), step)
				require.NoError(t, err)
				require.Equal(t, "data", string(got))
				require.Empty(t, out)
				_, known = w.client.sessions.Get("1")
				require.True(t, known, "the session is remembered, cut at %d", at)
				c.Stop()
			}
		}
	}
}

// TestRenegotiation: a HelloRequest is answered with the alert that TLS 1.2 has
// for it, and ends the conn.
func TestRenegotiation(t *testing.T) {
	for _, forLife := range []bool{false, true} {
		for _, step := range steps {
			c, server, client := newWorld(t, tls.VersionTLS12).openForged(t, forLife)
			in := append(server.record(dataRecord, []byte("before")), server.record(handshakeRecord, message(helloRequest))...)
			got, out, err := readAll(c, append(in, server.record(dataRecord, []byte("after"))...), step)
			require.EqualError(t, err, "the server asked to negotiate TLS anew, which is refused")
			require.Equal(t, "before", string(got))
			kind, alert := client.open(out)
			require.Equal(t, []any{byte(alertRecord), []byte{1, byte(noRenegotiation)}}, []any{kind, alert})
			_, again := c.Read(make([]byte, 10))
			require.Equal(t, err, again)
		}
	}
}
