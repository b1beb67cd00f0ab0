package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/lab"
)

// zoo is a lab over TLS, and the files that are needed to speak to it.
type zoo struct {
	authority *lab.Authority
	ca, own   string // files
	port      string
}

func newZoo(t *testing.T) *zoo {
	t.Helper()
	z := &zoo{authority: lab.NewAuthority(time.Now())}
	z.ca, z.own = filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "own.pem")
	require.NoError(t, os.WriteFile(z.ca, z.authority.PEM(), 0o600))
	require.NoError(t, os.WriteFile(z.own, z.authority.ClientPEM(), 0o600))
	server := lab.New(lab.Options{Authority: z.authority})
	require.NoError(t, server.Listen("127.0.0.1:0"))
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, <-served)
	})
	z.port = portOf(server.URL())
	return z
}

// url is something of one of the lab's names.
func (z *zoo) url(host, path string) string { return "https://" + host + ":" + z.port + "/" + path }

// fetch fetches something of one of the lab's names to standard output.
func (z *zoo) fetch(t *testing.T, host, path string, args ...string) said {
	t.Helper()
	return shoal(t, append([]string{"-o", standard, "--cacert", z.ca, z.url(host, path)}, args...)...)
}

// verdict is how a fetch from a guise of the lab fails; in no phase: not at
// all.
type verdict struct {
	host, phase, kind string
	expect            []string // in the message
}

var verdicts = []verdict{
	{host: "localhost"},
	{host: "127.0.0.1"},
	{host: "expired.localhost", phase: "tls", kind: "certificate", expect: []string{`"expired.localhost"`, "expired at", "the clock says", "new one"}},
	{host: "not-yet.localhost", phase: "tls", kind: "certificate", expect: []string{`"not-yet.localhost"`, "not valid before", "the clock says", "check this machine's clock"}},
	{host: "wrong-name.localhost", phase: "tls", kind: "certificate", expect: []string{`is for "elsewhere.example", "www.elsewhere.example", not for "wrong-name.localhost"`}},
	{host: "no-name.localhost", phase: "tls", kind: "certificate", expect: []string{`"no-name.localhost" only as a common name`, "subject alternative name"}},
	{host: "self-signed.localhost", phase: "tls", kind: "certificate", expect: []string{`"self-signed.localhost"`, "self-signed", "--cacert"}},
	{host: "unknown-issuer.localhost", phase: "tls", kind: "certificate", expect: []string{`"unknown-issuer.localhost"`, `"a stranger"`, "--cacert"}},
	{host: "chain.localhost"},
	{host: "no-chain.localhost", phase: "tls", kind: "certificate", expect: []string{`"no-chain.localhost"`, `"shoal lab, between"`, "the server must send"}},
	{host: "huge-chain.localhost", phase: "tls", kind: "tls", expect: []string{"exceeds maximum of 262144 bytes"}},
	{host: "wrong-usage.localhost", phase: "tls", kind: "certificate", expect: []string{`"wrong-usage.localhost"`, "usage"}},
	{host: "no-authority.localhost", phase: "tls", kind: "certificate", expect: []string{`"no-authority.localhost"`, `issued by "pretender.example"`}},
	{host: "sha1.localhost", phase: "tls", kind: "certificate", expect: []string{`"sha1.localhost"`, "ECDSA-SHA1"}},
	{host: "tls11.localhost", phase: "tls", kind: "tls", expect: []string{"TLS 1.2 to TLS 1.3"}},
	{host: "tls12.localhost"},
	{host: "tls13.localhost"},
	{host: "p384.localhost"},
	{host: "client.localhost", phase: "await", kind: "tls", expect: []string{"client certificate", "--cert"}},
	{host: "mail.localhost", phase: "tls", kind: "tls", expect: []string{"http/1.1"}},
	{host: "no-tickets.localhost"},
	{host: "unknown.localhost", phase: "tls", kind: "tls", expect: []string{`"unknown.localhost"`}},
	{host: "drip.localhost"},
	{host: "stall.localhost", phase: "tls", kind: "timeout", expect: []string{"no connection within 2s (connect timeout)"}},
	{host: "fin.localhost", phase: "tls", kind: "truncated", expect: []string{"closed the connection during the TLS handshake"}},
	{host: "cut.localhost", phase: "tls", kind: "truncated", expect: []string{"closed the connection during the TLS handshake"}},
	{host: "reset.localhost", phase: "tls", kind: "reset", expect: []string{"connection reset by peer"}},
	{host: "plain.localhost", phase: "tls", kind: "tls", expect: []string{"does not speak TLS on this port", `"HTTP/1.1 400 Bad Request"`}},
}

// TestZoo: what the lab is under its names is believed or refused, as by the
// client of the standard library; what is refused is told in one line, and what
// is not comes whole.
func TestZoo(t *testing.T) {
	z := newZoo(t)
	z.everyName(t)
	var urls []string
	for _, v := range verdicts {
		urls = append(urls, z.url(v.host, "bytes/5000.jpg?token="+v.host))
	}
	got := shoal(t, "--cacert", z.ca, "--connect-timeout", "2", "-d", t.TempDir(), "--json", "-i", listFile(t, urls...))
	require.Equal(t, exitFailed, got.status, got.stderr)
	all := records(t, got.stdout)
	for i, v := range verdicts {
		t.Run(v.host, func(t *testing.T) {
			r := all[i+1]
			if v.phase == "" {
				require.Nil(t, r.Error)
				require.Equal(t, []any{"saved", int64(5000)}, []any{r.Outcome, r.Bytes})
				require.Positive(t, r.Timings.TLS)
				require.NoError(t, z.judge(urls[i], time.Minute))
				return
			}
			require.NotNil(t, r.Error)
			require.Equal(t, []string{v.phase, v.kind}, []string{r.Error.Phase, r.Error.Kind}, r.Error.Message)
			for _, part := range v.expect {
				require.Contains(t, r.Error.Message, part)
			}
			require.NotContains(t, r.Error.Message, "\n")
			require.Contains(t, got.stderr, urls[i]+": "+v.phase+": "+r.Error.Message+"\n")
			require.Error(t, z.judge(urls[i], 2*time.Second), "the standard library would believe it")
		})
	}
}

// everyName holds the verdicts to the lab's own list of names.
func (z *zoo) everyName(t *testing.T) {
	t.Helper()
	list := z.fetch(t, "localhost", "index.json")
	require.Equal(t, exitOK, list.status, list.stderr)
	for _, v := range verdicts[2:] {
		require.Contains(t, list.stdout, `"host": "`+v.host+":"+z.port+`"`)
	}
	require.Equal(t, len(verdicts)-2, strings.Count(list.stdout, `"host": "`))
}

// judge fetches as the standard library does, for at most so long.
func (z *zoo) judge(url string, timeout time.Duration) error {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: z.authority.Pool(), NextProtos: []string{"http/1.1"}},
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+z.port)
		},
	}
	res, err := (&http.Client{Transport: transport, Timeout: timeout}).Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// TestBelieved: what is asked of a certificate can be had otherwise, or waived.
func TestBelieved(t *testing.T) {
	z := newZoo(t)
	pin := z.pin(t, "localhost")
	folder := filepath.Dir(z.ca)
	for _, c := range []struct {
		name string
		args []string
		host string
		kind string // how it fails; empty: it does not
	}{
		{"the system does not know the authority", nil, "localhost", "certificate"},
		{"--capath", []string{"--capath", folder}, "localhost", ""},
		{"-k, a stranger", []string{"-k"}, "unknown-issuer.localhost", ""},
		{"-k, too late", []string{"-k"}, "expired.localhost", ""},
		{"-k, a wrong name", []string{"-k"}, "wrong-name.localhost", ""},
		{"-k, a weak signature", []string{"-k"}, "sha1.localhost", ""},
		{"its key", []string{"--cacert", z.ca, "--pinnedpubkey", pin}, "localhost", ""},
		{"one of two keys", []string{"--cacert", z.ca, "--pinnedpubkey", z.pin(t, "chain.localhost") + ";" + pin}, "localhost", ""},
		{"another key", []string{"--cacert", z.ca, "--pinnedpubkey", pin}, "chain.localhost", "certificate"},
		{"its key alone does not make it known", []string{"--pinnedpubkey", pin}, "localhost", "certificate"},
		{"-k and its key", []string{"-k", "--pinnedpubkey", pin}, "localhost", ""},
		{"-k and another key", []string{"-k", "--pinnedpubkey", pin}, "wrong-name.localhost", "certificate"},
		{"a certificate", []string{"--cacert", z.ca, "--cert", z.own}, "client.localhost", ""},
		{"versions", []string{"--cacert", z.ca, "--tls-min", "1.3"}, "tls12.localhost", "tls"},
		{"versions, the other way", []string{"--cacert", z.ca, "--tls-max", "1.2"}, "tls13.localhost", "tls"},
		{"curl's versions", []string{"--cacert", z.ca, "--tlsv1.3"}, "tls12.localhost", "tls"},
		{"key exchanges", []string{"--cacert", z.ca, "--curves", "X25519:P-256"}, "p384.localhost", "tls"},
		{"the right one", []string{"--cacert", z.ca, "--curves", "secp384r1"}, "p384.localhost", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := shoal(t, append(c.args, "-o", os.DevNull, "--json", z.url(c.host, "tls"))...)
			r := records(t, got.stdout)[1]
			if c.kind == "" {
				require.Equal(t, exitOK, got.status, got.stderr)
				require.Equal(t, 200, r.Status)
				return
			}
			require.Equal(t, exitFailed, got.status)
			require.Equal(t, c.kind, r.Error.Kind, got.stderr)
		})
	}
}

// pin is the key of a name of the lab, as --pinnedpubkey has it.
func (z *zoo) pin(t *testing.T, host string) string {
	t.Helper()
	c, err := tls.Dial("tcp", "127.0.0.1:"+z.port, &tls.Config{ServerName: host, RootCAs: z.authority.Pool()})
	require.NoError(t, err)
	defer c.Close()
	hash := sha256.Sum256(c.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return pinPrefix + base64.StdEncoding.EncodeToString(hash[:])
}

// TestAgreed: the server has the last word on what was agreed.
func TestAgreed(t *testing.T) {
	z := newZoo(t)
	for _, c := range []struct {
		host   string
		args   []string
		expect []string
	}{
		{"localhost", nil, []string{"version        TLS 1.3\n", "server name    localhost\n", "protocol       http/1.1\n", "client         none\n"}},
		{"127.0.0.1", nil, []string{"server name    none\n"}}, // RFC 6066 section 3: no addresses
		{"localhost", []string{"--tls-max", "1.2"}, []string{"version        TLS 1.2\n"}},
		{"tls12.localhost", nil, []string{"version        TLS 1.2\n"}},
		{"localhost", []string{"--curves", "P-256"}, []string{"key exchange   CurveP256\n"}},
		{"localhost", []string{"--curves", "X25519MLKEM768"}, []string{"key exchange   X25519MLKEM768\n"}},
		{"client.localhost", []string{"--cert", z.own}, []string{"client         CN=a client of shoal lab\n"}},
		{"localhost", []string{"--cert", z.own}, []string{"client         none\n"}}, // nobody asked
	} {
		got := z.fetch(t, c.host, "tls", c.args...)
		require.Equal(t, exitOK, got.status, got.stderr)
		for _, part := range c.expect {
			require.Contains(t, got.stdout, part)
		}
	}
}

// TestEnds: over TLS a body that ends with its connection is whole only if TLS
// says so (RFC 9112 section 9.8).
func TestEnds(t *testing.T) {
	z := newZoo(t)
	for path, want := range map[string]string{
		"close": "", "tls/mute": "", "chunked": "", "http10": "", "bytes/70057.jpg": "", "drip/tile/7.jpg?bytes=50&pause=0": "",
		"tls/cut": "truncated", "fin/body": "truncated", "chunked/cut": "truncated", "tls/garbage": "tls", "reset/body": "reset",
	} {
		dir := t.TempDir()
		got := shoal(t, "--cacert", z.ca, "-d", dir, "--json", z.url("localhost", path))
		r := records(t, got.stdout)[1]
		if want == "" {
			require.Equal(t, exitOK, got.status, "%s: %s", path, got.stderr)
			require.Len(t, names(t, dir), 1, path)
			continue
		}
		require.Equal(t, exitFailed, got.status, path)
		require.Equal(t, want, r.Error.Kind, path)
		require.Empty(t, names(t, dir), path)
	}
}

// TestReuseOverTLS: a list goes over few connections, and only the first fetch
// of each agrees on keys.
func TestReuseOverTLS(t *testing.T) {
	z := newZoo(t)
	var urls []string
	for n := range 200 {
		urls = append(urls, z.url("localhost", fmt.Sprintf("tile/%d.jpg", n)))
	}
	dir := t.TempDir()
	got := shoal(t, "--cacert", z.ca, "-d", dir, "--json", "--max-per-host", "4", "-i", listFile(t, urls...))
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Len(t, names(t, dir), 200)
	agreed := 0
	for n, r := range records(t, got.stdout) {
		if !r.Reused {
			agreed++
		}
		requireTile(t, n-1, content(t, r.Path))
	}
	require.LessOrEqual(t, agreed, 4)
}

// TestKeyLogOfBothEnds: the file is in the NSS key log format, and has the
// secrets that the server has.
func TestKeyLogOfBothEnds(t *testing.T) {
	var theirs lockedBuffer
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{KeyLogWriter: &theirs}
	s.StartTLS()
	name := filepath.Join(t.TempDir(), "keys")
	t.Setenv(keyLogVariable, name)
	for _, version := range []string{"1.2", "1.3"} {
		require.Equal(t, exitFailed, shoal(t, "-k", "-s", "-o", os.DevNull, "--tls-min", version, "--tls-max", version, s.URL).status)
	}
	s.Close()
	ours, want := lines(content(t, name)), lines(theirs.String())
	require.Len(t, ours, 1+4)
	require.Regexp(t, `^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}$`, ours[0])
	for _, line := range ours[1:] {
		require.Regexp(t, `^(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0) [0-9a-f]{64} [0-9a-f]{64,96}$`, line)
	}
	slices.Sort(ours)
	slices.Sort(want)
	require.Equal(t, want, ours)
}

// TestSystemRoots: without --cacert the system is asked, which on these systems
// can be told by the environment (crypto/x509).
func TestSystemRoots(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("NOT TESTED the system's authorities: the environment does not change them on macOS")
	}
	z := newZoo(t)
	for file, want := range map[string]int{z.ca: exitOK, os.DevNull: exitFailed} {
		p := startShoalIn(t, []string{"SSL_CERT_FILE=" + file, "SSL_CERT_DIR=" + t.TempDir()}, "-o", os.DevNull, z.url("localhost", "tls"))
		require.Equal(t, want, p.end(t), p.stderr.String())
	}
}

// TestExplainTLS: -v tells what was agreed.
func TestExplainTLS(t *testing.T) {
	z := newZoo(t)
	got := z.fetch(t, "localhost", "tls", "-v")
	require.Equal(t, exitOK, got.status)
	require.Contains(t, got.stderr, "TLS begins")
	require.Contains(t, got.stderr, "TLS 1.3 agreed on with TLS_AES_128_GCM_SHA256")
}
