package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// echoPeer answers with the address that a request came from.
func echoPeer(t *testing.T, network, address string) *httptest.Server {
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		_, _ = w.Write([]byte(r.Host + " " + from))
	}))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// ownInterface is the name of the interface of this machine with itself.
func ownInterface(t *testing.T) string {
	all, err := net.Interfaces()
	require.NoError(t, err)
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	t.Skip("no loopback interface")
	return ""
}

// TestInterface: servers see the address that was asked for.
func TestInterface(t *testing.T) {
	s := echoPeer(t, "tcp4", "127.0.0.1:0")
	wanted := map[string]string{ownInterface(t): "127.0.0.1", "127.0.0.1": "127.0.0.1"}
	if runtime.GOOS == "linux" { // all of 127.0.0.0/8 is this machine's
		wanted["127.0.0.7"], wanted["::ffff:127.0.0.8"] = "127.0.0.7", "127.0.0.8"
	}
	for given, from := range wanted {
		for _, conns := range []string{"1", "50"} {
			got := shoal(t, "--interface", given, "-j", conns, "-o", "-", s.URL)
			require.Equal(t, said{exitOK, host(s.URL) + " " + from, ""}, got, given)
		}
	}
}

// TestInterfaceRefused: an address of another machine (RFC 5737) and one of
// another family fail the fetch, with what is wrong; no interface is a mistake.
func TestInterfaceRefused(t *testing.T) {
	s := echoPeer(t, "tcp4", "127.0.0.1:0")
	for given, text := range map[string]string{"192.0.2.1": "192.0.2.1: it is no address of this machine", "::1": "of another family"} {
		got := shoal(t, "--interface", given, "--json", "-o", os.DevNull, s.URL)
		require.Equal(t, exitFailed, got.status)
		require.Contains(t, got.stderr, text)
		require.Contains(t, got.stdout, `"phase":"dial","kind":"unreachable"`)
	}
	got := shoal(t, "--interface", "nothing9", s.URL)
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "no interface of that name")
}

// TestUnixSocket: URLs of any host come from the server at the path.
func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // a short path
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	path := filepath.Join(dir, "web")
	echoPeer(t, "unix", path)
	for _, conns := range []string{"1", "50"} {
		got := shoal(t, "--unix-socket", path, "--json", "-j", conns, "-d", t.TempDir(), "http://a.invalid/1", "http://b.invalid:81/2", "http://a.invalid/3")
		require.Equal(t, exitOK, got.status, got.stderr)
		for _, line := range lines(got.stdout) {
			var record struct{ Remote string }
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			require.Equal(t, "unix:"+path, record.Remote)
		}
	}
	got := shoal(t, "--unix-socket", path, "-v", "-o", "-", "http://a.invalid/")
	require.Equal(t, "a.invalid ", got.stdout)
	require.Contains(t, got.stderr, "connect to "+path+": connected at once")

	got = shoal(t, "--unix-socket", path+"x", "--json", "--retry", "0", "-o", os.DevNull, "http://a.invalid/")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "dial: "+path+"x: no such file or directory")
}

// TestUnixSocketRefused: what leads elsewhere too, and what is no path.
func TestUnixSocketRefused(t *testing.T) {
	for want, flags := range map[string][]string{
		"and -x do not":             {"-x", "http://h:1/"},
		"and --interface do not":    {"--interface", "127.0.0.1"},
		"and --connect-to do not":   {"--connect-to", "::h:"},
		"and --deny-private do not": {"--deny-private"},
		"at most 103 bytes":         {"--unix-socket", strings.Repeat("/x", 100)},
	} {
		got := shoal(t, append([]string{"--unix-socket", "/run/web", "http://h/"}, flags...)...)
		require.Equal(t, exitUsage, got.status)
		require.Contains(t, got.stderr, want)
	}
}
