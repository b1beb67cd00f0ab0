package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Few descriptors lower the default of -j, which nobody asked for, and refuse a
// -j that somebody did.
func TestFewDescriptors(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer server.Close()
	limited := func(args ...string) (string, error) {
		command := append([]string{"-c", `ulimit -n 150; exec "$@"`, "sh", program(t)}, args...)
		said, err := exec.Command("sh", command...).CombinedOutput()
		return string(said), err
	}
	out := filepath.Join(t.TempDir(), "out")

	said, err := limited("-d", out, server.URL+"/a.txt")
	require.NoError(t, err, said)
	require.Equal(t, "hello", content(t, out, "a.txt"))

	said, err = limited("-d", out, "-j", "128", server.URL+"/b.txt")
	require.Error(t, err)
	require.Contains(t, said, "-j 128 is too many")
	require.Contains(t, said, "limit of 150 leaves room for 40 connections")

	said, err = limited("-d", out, "--loops", "2", server.URL+"/c.txt", server.URL+"/d.txt")
	require.NoError(t, err, said)
	require.Equal(t, "hello", content(t, out, "d.txt"))

	said, err = limited("-d", out, "--loops", "2", "-j", "6", server.URL+"/e.txt", server.URL+"/f.txt")
	require.Error(t, err)
	require.Contains(t, said, "limit of 150 leaves room for 4 connections")
}
