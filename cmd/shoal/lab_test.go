package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// labUnderWay is `shoal lab` in this process.
type labUnderWay struct {
	url    string
	ended  chan int // the exit status
	stderr *bytes.Buffer
}

// startLab runs the command up to its first line, which is its URL.
func startLab(t *testing.T, args ...string) *labUnderWay {
	t.Helper()
	l := &labUnderWay{ended: make(chan int, 1), stderr: new(bytes.Buffer)}
	r, w := io.Pipe()
	go func() {
		l.ended <- run(append([]string{"lab", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w, l.stderr)
		w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	l.url = strings.TrimSuffix(line, "\n")
	return l
}

// end sends this process a signal, and gives what the lab has logged. The
// signal is the lab's alone: no other test runs meanwhile.
func (l *labUnderWay) end(t *testing.T, s syscall.Signal) string {
	t.Helper()
	require.NoError(t, syscall.Kill(os.Getpid(), s))
	select {
	case status := <-l.ended:
		require.Equal(t, exitOK, status, l.stderr)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the lab did not end")
	}
	return l.stderr.String()
}

// TestLab: it serves, logs, and ends in order at a signal, even with a client
// that hangs.
func TestLab(t *testing.T) {
	l := startLab(t)
	page, err := http.Get(l.url)
	require.NoError(t, err)
	text, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), "/drip")
	hung := make(chan error, 1)
	go func() {
		r, err := http.Get(l.url + "endless/body")
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		hung <- err
	}()
	time.Sleep(50 * time.Millisecond)
	log := l.end(t, syscall.SIGINT)
	<-hung
	require.Regexp(t, `(?m)^ +\d+\.\d{3} ms  #1 +"GET / HTTP/1.1"$`, log)
	require.Contains(t, log, "the lab is closed")
	_, err = http.Get(l.url)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// TestLabTLS: what it writes is enough to speak to it, and to a name that asks
// for a certificate; another lab may write in the same folder.
func TestLabTLS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	startLab(t, "--tls", "--tls-dir", dir, "-q").end(t, syscall.SIGTERM)
	l := startLab(t, "--tls", "--tls-dir", dir)
	require.Regexp(t, `^https://127\.0\.0\.1:\d+/$`, l.url)
	require.Equal(t, []string{"ca.pem", "client.pem"}, names(t, dir))
	info, err := os.Stat(filepath.Join(dir, "client.pem"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode(), "it has a private key in it")

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(content(t, dir, "ca.pem"))))
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.pem"))
	require.NoError(t, err)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "client.localhost", Certificates: []tls.Certificate{own}},
	}
	page, err := (&http.Client{Transport: transport}).Get(l.url + "tls")
	require.NoError(t, err)
	text, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), "CN=a client of shoal lab")
	transport.CloseIdleConnections()
	log := l.end(t, syscall.SIGINT)
	require.Contains(t, log, "--cacert "+filepath.Join(dir, "ca.pem")+" "+l.url)
	require.Contains(t, log, `for "client.localhost"`)
}

// TestLabSparesOthers: a file that no lab has written is left as it is.
func TestLabSparesOthers(t *testing.T) {
	for _, name := range []string{"ca.pem", "client.pem"} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
		got := shoal(t, "lab", "--tls", "--tls-dir", dir)
		require.Equal(t, exitUsage, got.status)
		require.Contains(t, got.stderr, "--tls-dir")
		require.Equal(t, "mine", content(t, dir, name))
	}
}

// TestLabBook: --book makes it the other end of --textbook, and -q silent.
func TestLabBook(t *testing.T) {
	l := startLab(t, "--book", "--send-buffer", "8192", "-q")
	got := shoal(t, "--textbook", "-o", os.DevNull, l.url)
	log := l.end(t, syscall.SIGTERM)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stdout, "\n1681 70301\nHeader length 240\n")
	require.NotContains(t, log, "#1")
	require.Contains(t, log, "shoal --textbook")
}

func TestLabUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		expect string
	}{
		{[]string{"--listen", ":8080"}, "127.0.0.1:8080"},
		{[]string{"--listen", "8080"}, "--listen 127.0.0.1:8080"},
		{[]string{"--send-buffer", "8192"}, "--book"},
		{[]string{"--book", "--send-buffer", "-1"}, "from 1"},
		{[]string{"--book", "--tls"}, "--tls and --book"},
		{[]string{"--tls", "--tls-dir", "lab_test.go"}, "lab_test.go"},
		{[]string{"--seed", "x"}, "--seed"},
		{[]string{"http://127.0.0.1/"}, "no URL"},
		{[]string{"--listen", "127.0.0.1:99999"}, "99999"},
	} {
		got := shoal(t, append([]string{"lab"}, c.args...)...)
		require.Equal(t, exitUsage, got.status, "%q", c.args)
		require.Contains(t, got.stderr, c.expect)
		require.Empty(t, got.stdout)
	}
}

// TestLabWarns when others can reach it.
func TestLabWarns(t *testing.T) {
	for address, warns := range map[string]bool{
		"127.0.0.1:1": false, "127.9.9.9:1": false, "[::1]:1": false, "localhost:1": false,
		"0.0.0.0:1": true, "[::]:1": true, "192.0.2.1:1": true, "example.com:1": true,
	} {
		var stderr bytes.Buffer
		r := labRun{listen: address, stdout: io.Discard, stderr: &stderr}
		r.greet("http://" + address)
		require.Equal(t, warns, strings.Contains(stderr.String(), "not a loopback address"), address)
	}
}
