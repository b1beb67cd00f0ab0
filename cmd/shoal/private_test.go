package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDenyPrivate: a list of a stranger reaches nothing on this machine, however
// it is written, and says so in records.
func TestDenyPrivate(t *testing.T) {
	s := site(t)
	_, port, _ := strings.Cut(host(s.URL), ":")
	urls := []string{s.URL + "/plain/a", "http://localhost:" + port + "/plain/a", "http://x.localhost:" + port + "/plain/a",
		"http://[::ffff:7f00:1]:" + port + "/plain/a", "http://given.invalid:" + port + "/plain/a"}
	for _, conns := range []string{"1", "50"} {
		args := append([]string{"--deny-private", "--json", "--resolve", "given.invalid:" + port + ":127.0.0.1", "-j", conns, "-o", os.DevNull}, urls...)
		got := shoal(t, args...)
		require.Equal(t, exitFailed, got.status)
		require.Equal(t, len(urls), strings.Count(got.stdout, `"phase":"lookup","kind":"private"`), got.stdout)
		require.Equal(t, exitOK, shoal(t, args[1:]...).status)
	}
	require.Contains(t, shoal(t, "--deny-private", "-o", os.DevNull, s.URL).stderr, "127.0.0.1 is a private address, which is denied")
}
