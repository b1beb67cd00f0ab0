package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/bench/origin"
)

// TestMain makes this program the server of bodies that drip, as main does.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == origin.Part {
		fmt.Fprintln(os.Stderr, origin.Serve(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestCertificate fetches over TLS by the certificate, and not without its
// authority.
func TestCertificate(t *testing.T) {
	proof, err := newCertificate(t.TempDir())
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	s, err := origin.Start(exec.Command(self, origin.Part, "127.0.0.1:0", proof.chain, proof.key))
	require.NoError(t, err)
	defer s.Stop()
	pem, err := os.ReadFile(proof.authority)
	require.NoError(t, err)
	believed := x509.NewCertPool()
	require.True(t, believed.AppendCertsFromPEM(pem))

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: believed}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get(s.URL(7, 250, 100, 0))
	require.NoError(t, err)
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	want := make([]byte, 250)
	origin.Body(7, want)
	require.Equal(t, want, got)
	require.Equal(t, "HTTP/1.1", res.Proto)
	require.EqualValues(t, tls.VersionTLS13, res.TLS.Version)
	require.Equal(t, tls.X25519, res.TLS.CurveID)

	_, err = http.Get(s.URL(7, 250, 100, 0))
	require.ErrorContains(t, err, "unknown authority")
}

// TestNginxConfig has nginx read what is written for it.
func TestNginxConfig(t *testing.T) {
	program, err := findNginx()
	if err != nil {
		t.Skip("NOT TESTED the server's configuration: there is no nginx here")
	}
	for _, load := range workloads {
		if load.drips() {
			continue
		}
		dir := t.TempDir()
		proof, err := newCertificate(dir)
		require.NoError(t, err)
		port, err := freePort()
		require.NoError(t, err)
		s := &nginx{load: load, listens: port}
		require.NoError(t, s.writeConfig(dir+"/nginx.conf", proof))
		said, err := exec.Command(program, "-t", "-p", dir, "-c", "nginx.conf", "-e", "stderr").CombinedOutput()
		require.NoError(t, err, "%s: %s", load.Name, said)
	}
}
