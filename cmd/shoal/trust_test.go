package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/lab"
)

// papers are files of certificates and keys, good and bad, by name.
type papers struct {
	dir    string
	client tls.Certificate
	pool   *x509.CertPool
}

func newPapers(t *testing.T) *papers {
	t.Helper()
	a := lab.NewAuthority(time.Now())
	p := &papers{t.TempDir(), a.Client(), a.Pool()}
	keys := blocks(a.ClientPEM(), pemPrivateKey)
	require.Len(t, keys, 1)
	other, err := x509.MarshalPKCS8PrivateKey(lab.NewAuthority(time.Now()).Client().PrivateKey)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(p.client.PrivateKey.(*ecdsa.PrivateKey).Public())
	require.NoError(t, err)
	old := &pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("secret")}
	for name, text := range map[string][]byte{
		"ca.pem":         a.PEM(),
		"both.pem":       a.ClientPEM(),
		"own.pem":        pemOf(pemCertificate, p.client.Certificate[0]),
		"key.pem":        pem.EncodeToMemory(keys[0]),
		"other-key.pem":  pemOf(pemPrivateKey, other),
		"locked.pem":     pemOf(pemEncrypted, []byte("secret")),
		"locked-old.pem": pem.EncodeToMemory(old),
		"bad.pem":        pemOf(pemCertificate, []byte("no certificate")),
		"own.der":        p.client.Certificate[0],
		"public.pem":     pemOf(pemPublicKey, spki),
		"public.der":     spki,
		"words":          []byte("There is nothing to see here.\n"),
	} {
		require.NoError(t, os.WriteFile(p.path(name), text, 0o600))
	}
	require.NoError(t, os.Mkdir(p.path("empty"), 0o700))
	return p
}

func (p *papers) path(name string) string { return filepath.Join(p.dir, name) }

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// TestTrustFiles: what the flags name is read, in each form that it may have.
func TestTrustFiles(t *testing.T) {
	p := newPapers(t)
	pin := fetch.Pin(sha256.Sum256(p.client.Leaf.RawSubjectPublicKeyInfo))
	hash := pinPrefix + base64.StdEncoding.EncodeToString(pin[:])
	for _, c := range []struct {
		name string
		is   trust
		want fetch.TLS
	}{
		{"nothing", trust{}, fetch.TLS{}},
		{"a bundle", trust{bundle: p.path("ca.pem")}, fetch.TLS{Roots: p.pool}},
		{"one file", trust{cert: p.path("both.pem")}, fetch.TLS{Certificates: []tls.Certificate{p.client}}},
		{"two files", trust{cert: p.path("own.pem"), key: p.path("key.pem")}, fetch.TLS{Certificates: []tls.Certificate{p.client}}},
		{"a hash", trust{pins: hash}, fetch.TLS{Pins: []fetch.Pin{pin}}},
		{"hashes", trust{pins: pinPrefix + strings.Repeat("A", 43) + "=;" + hash}, fetch.TLS{Pins: []fetch.Pin{{}, pin}}},
		{"a key's text", trust{pins: p.path("public.pem")}, fetch.TLS{Pins: []fetch.Pin{pin}}},
		{"a key's bytes", trust{pins: p.path("public.der")}, fetch.TLS{Pins: []fetch.Pin{pin}}},
		{"a certificate's text", trust{pins: p.path("own.pem")}, fetch.TLS{Pins: []fetch.Pin{pin}}},
		{"a certificate's bytes", trust{pins: p.path("own.der")}, fetch.TLS{Pins: []fetch.Pin{pin}}},
		{"the rest", trust{insecure: true, least: tls.VersionTLS12, most: tls.VersionTLS13, curves: curvesValue{tls.X25519}},
			fetch.TLS{Insecure: true, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13, Curves: []tls.CurveID{tls.X25519}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.is.read()
			require.NoError(t, err)
			require.True(t, c.want.Roots.Equal(got.Roots))
			c.want.Roots, got.Roots = nil, nil
			require.Equal(t, c.want, *got)
		})
	}
}

// TestTrustFolder: --capath passes over what is no certificate, and adds to
// --cacert.
func TestTrustFolder(t *testing.T) {
	p, other := newPapers(t), newPapers(t)
	require.NoError(t, os.Symlink(other.path("ca.pem"), p.path("empty/0a1b2c3d.0"))) // as OpenSSL has it
	require.NoError(t, os.Symlink("nowhere", p.path("empty/dangling")))
	require.NoError(t, os.WriteFile(p.path("empty/README"), []byte("About\n"), 0o600))
	got, err := (&trust{folder: p.path("empty")}).read()
	require.NoError(t, err)
	require.True(t, got.Roots.Equal(other.pool))
	got, err = (&trust{folder: p.path("empty"), bundle: p.path("ca.pem")}).read()
	require.NoError(t, err)
	for _, c := range []*papers{p, other} {
		_, err = c.client.Leaf.Verify(x509.VerifyOptions{Roots: got.Roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		require.NoError(t, err)
	}
}

// TestTrustUsage has what is refused; the message names the file and what to
// do.
func TestTrustUsage(t *testing.T) {
	p := newPapers(t)
	for _, c := range []struct {
		args   []string // names of papers follow @
		expect []string
	}{
		{[]string{"--cacert", "@missing"}, []string{"--cacert", "@missing", "no such file"}},
		{[]string{"--cacert", "@words"}, []string{"--cacert", "@words", "no certificate in", "BEGIN CERTIFICATE"}},
		{[]string{"--cacert", "@bad.pem"}, []string{"--cacert", "@bad.pem", "no certificate in"}},
		{[]string{"--cacert", "@own.der"}, []string{"--cacert", "@own.der", "DER", "openssl x509 -inform DER -in @own.der"}},
		{[]string{"--cacert", "@empty"}, []string{"--cacert", "@empty", "is a directory"}},
		{[]string{"--capath", "@missing"}, []string{"--capath", "@missing", "no such file"}},
		{[]string{"--capath", "@empty"}, []string{"--capath", "@empty", "no file in"}},
		{[]string{"--cert", "@missing"}, []string{"--cert", "@missing", "no such file"}},
		{[]string{"--cert", "@words"}, []string{"--cert", "@words", "no certificate in", "openssl pkcs12"}},
		{[]string{"--cert", "@own.pem"}, []string{"--cert", "@own.pem", "no private key in", "--key"}},
		{[]string{"--cert", "@both.pem:secret"}, []string{"--cert", "passwords are not supported", "openssl pkey -in @both.pem"}},
		{[]string{"--cert", "@missing:secret"}, []string{"--cert", "@missing:secret", "no such file"}},
		{[]string{"--key", "@key.pem"}, []string{"--key @key.pem", "--cert"}},
		{[]string{"--cert", "@own.pem", "--key", "@missing"}, []string{"--key", "@missing", "no such file"}},
		{[]string{"--cert", "@own.pem", "--key", "@words"}, []string{"--key", "@words", "no private key in"}},
		{[]string{"--cert", "@own.pem", "--key", "@locked.pem"}, []string{"--key", "encrypted", "not supported", "openssl pkey -in @locked.pem"}},
		{[]string{"--cert", "@own.pem", "--key", "@locked-old.pem"}, []string{"--key", "encrypted", "openssl pkey -in @locked-old.pem"}},
		{[]string{"--cert", "@own.pem", "--key", "@other-key.pem"}, []string{"--cert @own.pem", "@other-key.pem", "private key does not match public key"}},
		{[]string{"--cert", "@bad.pem", "--key", "@key.pem"}, []string{"--cert @bad.pem", "x509: "}},
		{[]string{"--pinnedpubkey", "@missing"}, []string{"--pinnedpubkey", "@missing", "no such file", "sha256//BASE64"}},
		{[]string{"--pinnedpubkey", "@words"}, []string{"--pinnedpubkey", "@words", "no public key"}},
		{[]string{"--pinnedpubkey", "@key.pem"}, []string{"--pinnedpubkey", "@key.pem", "PRIVATE KEY"}},
		{[]string{"--pinnedpubkey", "sha256//AAAA"}, []string{"--pinnedpubkey", "sha256//AAAA", "44 characters"}},
		{[]string{"--pinnedpubkey", "sha256//" + strings.Repeat("A", 43) + "=;md5"}, []string{"--pinnedpubkey", `"md5"`}},
		{[]string{"--tls-min", "1.1"}, []string{"--tls-min", "RFC 8996", "1.2 and 1.3"}},
		{[]string{"--tls-max", "2"}, []string{"--tls-max", "1.2 or 1.3"}},
		{[]string{"--tls-min", "1.3", "--tls-max", "1.2"}, []string{"at least TLS 1.3 and at most TLS 1.2"}},
		{[]string{"--tlsv1.3", "--tls-max", "1.2"}, []string{"at least TLS 1.3 and at most TLS 1.2"}},
		{[]string{"--curves", "X25519:ed25519"}, []string{"--curves", `"ed25519"`, "X25519, P-256"}},
		{[]string{"--curves", ""}, []string{"--curves"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			fill := func(s string) string { return strings.ReplaceAll(s, "@", p.dir+"/") }
			args := []string{"-o", os.DevNull, "http://127.0.0.1:9/a"}
			for _, a := range c.args {
				args = append(args, fill(a))
			}
			got := shoal(t, args...)
			require.Equal(t, exitUsage, got.status, got.stderr)
			for _, part := range c.expect {
				require.Contains(t, got.stderr, fill(part))
			}
		})
	}
}

func TestVersionValue(t *testing.T) {
	for _, c := range []struct {
		args        []string
		least, most uint16
	}{
		{nil, 0, 0},
		{[]string{"--tls-min", "1.2"}, tls.VersionTLS12, 0},
		{[]string{"--tlsv1.3"}, tls.VersionTLS13, 0},
		{[]string{"--tlsv1.2", "--tls-max", "1.2"}, tls.VersionTLS12, tls.VersionTLS12},
		{[]string{"--tlsv1.2", "--tlsv1.3"}, tls.VersionTLS13, 0},
	} {
		var s settings
		require.NoError(t, command(&s, func() error { return nil }).ParseFlags(c.args))
		got, err := s.trust.read()
		require.NoError(t, err)
		require.Equal(t, []uint16{c.least, c.most}, []uint16{got.MinVersion, got.MaxVersion}, "%q", c.args)
	}
}

// TestCurvesValue: the names of curl, OpenSSL and Go.
func TestCurvesValue(t *testing.T) {
	for text, want := range map[string]curvesValue{
		"X25519:P-256":              {tls.X25519, tls.CurveP256},
		"prime256v1:secp384r1":      {tls.CurveP256, tls.CurveP384},
		"CurveP521:p-521:SECP521R1": {tls.CurveP521},
		"x25519mlkem768":            {tls.X25519MLKEM768},
	} {
		var v curvesValue
		require.NoError(t, v.Set(text))
		require.Equal(t, want, v)
	}
	for _, c := range curveNames {
		require.True(t, strings.HasSuffix(c.curve.String(), strings.ReplaceAll(c.names[0], "-", "")), c.curve.String())
	}
}

// TestInsecureIsLoud: -k is warned of in each run, and only -s is more silent.
func TestInsecureIsLoud(t *testing.T) {
	s := site(t)
	for args, want := range map[string]bool{"": false, "-k": true, "--insecure": true, "-k -s": false} {
		got := shoal(t, append(strings.Fields(args), "-o", os.DevNull, s.URL+"/plain/a")...)
		require.Equal(t, exitOK, got.status)
		require.Equal(t, want, strings.Contains(got.stderr, "WARNING: -k: nothing of a server's certificate is checked:"), got.stderr)
	}
	got := shoal(t, "-k", "--pinnedpubkey", pinPrefix+strings.Repeat("A", 43)+"=", "-o", os.DevNull, s.URL+"/plain/a")
	require.Contains(t, got.stderr, "nothing of a server's certificate is checked but its public key:")
}

// TestKeyLogFile: it is made for its owner alone, told of, and kept when it is
// there; where it cannot be, the run goes on without.
func TestKeyLogFile(t *testing.T) {
	s := site(t)
	name := filepath.Join(t.TempDir(), "keys")
	t.Setenv(keyLogVariable, name)
	got := shoal(t, "-o", os.DevNull, s.URL+"/plain/a")
	require.Equal(t, exitOK, got.status)
	require.Contains(t, got.stderr, "WARNING: SSLKEYLOGFILE is set: whoever reads "+name)
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	require.NoError(t, os.WriteFile(name, []byte("CLIENT_RANDOM 00 00\n"), 0o600))
	require.Empty(t, shoal(t, "-s", "-o", os.DevNull, s.URL+"/plain/a").stderr)
	require.Equal(t, "CLIENT_RANDOM 00 00\n", content(t, name))

	t.Setenv(keyLogVariable, filepath.Join(name, "keys"))
	got = shoal(t, "-o", os.DevNull, s.URL+"/plain/a")
	require.Equal(t, exitOK, got.status)
	require.Contains(t, got.stderr, "not a directory: the secrets of connections are not written")
}

// TestKeyLogLost: what cannot be written is told once, and fails nobody.
func TestKeyLogLost(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "keys"))
	require.NoError(t, err)
	var told []error
	k := &keyLog{file: f, lost: func(err error) { told = append(told, err) }}
	_, err = k.Write([]byte("a\n"))
	require.NoError(t, err)
	require.Empty(t, told)
	f.Close()
	for range 2 {
		n, err := k.Write([]byte("b\n"))
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}
	require.Len(t, told, 1)
	require.True(t, errors.Is(told[0], fs.ErrClosed))
	require.Equal(t, "a\n", content(t, f.Name()))
}
