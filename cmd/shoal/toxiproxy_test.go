package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// share is how much of a list must come over a way to a server.
type share int

const (
	everything share = iota
	something        // of what is cut off, retries may bring the rest
	nothing
)

// toxics are what may be wrong with a way to a server, as toxiproxy has them:
// times are in ms (of slicer in µs), rates in KB/s, amounts in bytes.
var toxics = []struct {
	name, toxic string
	comes       share
}{
	{"latency", `{"type": "latency", "attributes": {"latency": 20, "jitter": 15}}`, everything},
	{"latency of requests", `{"type": "latency", "stream": "upstream", "attributes": {"latency": 20}}`, everything},
	{"bandwidth", `{"type": "bandwidth", "attributes": {"rate": 500}}`, everything},
	{"slow_close", `{"type": "slow_close", "attributes": {"delay": 100}}`, everything},
	{"slicer", `{"type": "slicer", "attributes": {"average_size": 300, "size_variation": 200, "delay": 10}}`, everything},
	{"limit_data", `{"type": "limit_data", "attributes": {"bytes": 20000}}`, something},
	{"reset_peer", `{"type": "reset_peer", "attributes": {"timeout": 10}}`, nothing},
	{"timeout", `{"type": "timeout", "attributes": {"timeout": 20}}`, nothing},
}

// TestToxics: over ways that are slow, thin, or cut, each file comes byte by
// byte, or fails with a reason and leaves nothing.
func TestToxics(t *testing.T) {
	for _, toxic := range toxics {
		for _, retry := range []string{"0", "5"} {
			t.Run(toxic.name+" --retry "+retry, func(t *testing.T) {
				s := newToxicSite(t, toxic.toxic)
				dir := t.TempDir()
				got := shoal(t, s.args(t, dir, 8, "--retry", retry, "--retry-delay", "1ms", "--no-host-down")...)
				s.requireSavedOrFailed(t, dir, records(t, got.stdout))
				switch saved := len(names(t, dir)); {
				case toxic.comes == everything:
					require.Equal(t, exitOK, got.status, got.stderr)
				case toxic.comes == nothing:
					require.Equal(t, exitFailed, got.status, got.stderr)
					require.Zero(t, saved)
				case retry == "0":
					require.Equal(t, exitFailed, got.status, got.stderr)
					require.NotZero(t, saved)
				}
			})
		}
	}
}

// newToxicSite is a site whose address is that of a proxy with one toxic.
func newToxicSite(t *testing.T, toxic string) *realSite {
	t.Helper()
	s := newRealSite(t, 60, lowKeepAlive)
	server := httptest.NewServer(http.FileServer(http.Dir(s.root)))
	t.Cleanup(server.Close)
	control := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(control, t.Name(), s.address, host(server.URL))
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(t, err)
	return s
}
