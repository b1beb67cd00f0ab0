package tlsconn

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// forge makes and opens the records of one direction, with keys that the client
// has logged: a tls.Server never sends a KeyUpdate or a HelloRequest.
type forge struct {
	t       testing.TB
	version uint16
	secret  []byte // TLS 1.3: the traffic secret
	aead    cipher.AEAD
	iv      []byte
	seq     uint64
}

// The types of records and of handshake messages that tests make.
const (
	alertRecord     = 21
	handshakeRecord = 22
	dataRecord      = 23

	helloRequest     = 0
	newSessionTicket = 4
	keyUpdate        = 24
)

// message is a handshake message.
func message(kind byte, body ...byte) []byte {
	return append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// openForged makes a conn whose handshake is done, with both directions in the
// hands of the test.
func (w *world) openForged(t testing.TB, forLife bool) (c *Conn, server, client *forge) {
	var log bytes.Buffer
	w.client.KeyLog = &log
	w.server.SessionTicketsDisabled = true // so that the server has sent no record but what the keys below say
	w.server.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	c, sent, p := w.open(t, forLife, send())
	require.Empty(t, sent)
	if c.State().Version == tls.VersionTLS12 {
		server, client = forged12(t, log.String(), p.random())
		return c, server, client
	}
	if c.State().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		t.Skip("NOT TESTED: this machine prefers another cipher")
	}
	return c, forged13(t, logged(t, log.String(), "SERVER_TRAFFIC_SECRET_0")), forged13(t, logged(t, log.String(), "CLIENT_TRAFFIC_SECRET_0"))
}

// logged finds a secret in a key log.
func logged(t testing.TB, log, label string) []byte {
	for line := range strings.Lines(log) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == label {
			secret, err := hex.DecodeString(fields[2])
			require.NoError(t, err)
			return secret
		}
	}
	require.Fail(t, "no secret logged", "%s in %s", label, log)
	return nil
}

// forged13 is a direction of TLS 1.3 (RFC 8446, 7.3).
func forged13(t testing.TB, secret []byte) *forge {
	f := &forge{t: t, version: tls.VersionTLS13, secret: secret, iv: expandLabel(t, secret, "iv", 12)}
	f.aead = gcm(t, expandLabel(t, secret, "key", 16))
	return f
}

// updated is the direction after a KeyUpdate (RFC 8446, 7.2).
func (f *forge) updated() *forge {
	return forged13(f.t, expandLabel(f.t, f.secret, "traffic upd", sha256.Size))
}

// expandLabel is HKDF-Expand-Label without a context (RFC 8446, 7.1).
func expandLabel(t testing.TB, secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := string([]byte{byte(n >> 8), byte(n), byte(len(label))}) + label + "\x00"
	key, err := hkdf.Expand(sha256.New, secret, info, n)
	require.NoError(t, err)
	return key
}

// forged12 are both directions of TLS 1.2 after the handshake, in which each
// has sent one record under its key (RFC 5246, 6.3; RFC 5288, 3).
func forged12(t testing.TB, log string, serverRandom []byte) (server, client *forge) {
	_, rest, _ := strings.Cut(log, "CLIENT_RANDOM ")
	clientRandom, err := hex.DecodeString(rest[:64])
	require.NoError(t, err)
	seed := append(append([]byte("key expansion"), serverRandom...), clientRandom...)
	keys := prf12(logged(t, log, "CLIENT_RANDOM"), seed, 40)
	client = &forge{t: t, version: tls.VersionTLS12, aead: gcm(t, keys[:16]), iv: keys[32:36], seq: 1}
	server = &forge{t: t, version: tls.VersionTLS12, aead: gcm(t, keys[16:32]), iv: keys[36:40], seq: 1}
	return server, client
}

// prf12 is P_SHA256 (RFC 5246, 5).
func prf12(secret, seed []byte, n int) (out []byte) {
	sum := func(b []byte) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write(b)
		return h.Sum(nil)
	}
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(append(bytes.Clone(a), seed...))...)
	}
	return out[:n]
}

func gcm(t testing.TB, key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	return aead
}

// record makes the next record.
func (f *forge) record(kind byte, payload []byte) []byte {
	defer func() { f.seq++ }()
	if f.version == tls.VersionTLS13 {
		inner := append(bytes.Clone(payload), kind)
		header := []byte{dataRecord, 3, 3, 0, byte(len(inner) + 16)}
		return f.aead.Seal(header, f.nonce(), inner, header)
	}
	explicit := binary.BigEndian.AppendUint64(nil, f.seq)
	header := append([]byte{kind, 3, 3, 0, byte(8 + len(payload) + 16)}, explicit...)
	return f.aead.Seal(header, append(bytes.Clone(f.iv), explicit...), payload, f.extra12(kind, len(payload)))
}

// open opens the next record.
func (f *forge) open(record []byte) (kind byte, payload []byte) {
	defer func() { f.seq++ }()
	require.Greater(f.t, len(record), headerLen)
	if f.version == tls.VersionTLS13 {
		inner, err := f.aead.Open(nil, f.nonce(), record[headerLen:], record[:headerLen])
		require.NoError(f.t, err)
		return inner[len(inner)-1], inner[:len(inner)-1]
	}
	explicit, sealed := record[headerLen:headerLen+8], record[headerLen+8:]
	payload, err := f.aead.Open(nil, append(bytes.Clone(f.iv), explicit...), sealed, f.extra12(record[0], len(sealed)-16))
	require.NoError(f.t, err)
	return record[0], payload
}

func (f *forge) nonce() []byte {
	nonce := bytes.Clone(f.iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, f.seq) {
		nonce[4+i] ^= b
	}
	return nonce
}

func (f *forge) extra12(kind byte, n int) []byte {
	return append(binary.BigEndian.AppendUint64(nil, f.seq), kind, 3, 3, byte(n>>8), byte(n))
}

// random is the one in the ServerHello, which is the first message of the first
// record.
func (p *peer) random() []byte { return p.said[headerLen+4+2:][:32] }
