package proxytest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProxies has another client than ours go through each proxy: what a test
// of ours will find there is then no fault of the proxy's configuration.
func TestProxies(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "It's there") }))
	t.Cleanup(site.Close)
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	require.NoError(t, err)
	login := Terms{User: "carp", Password: "net5"}
	for name, c := range map[string]struct {
		scheme string
		terms  Terms
		start  func(testing.TB, Terms) *Proxy
	}{
		"squid":             {"http", Terms{}, Squid},
		"squid, login":      {"http", login, Squid},
		"tinyproxy":         {"http", Terms{}, Tinyproxy},
		"tinyproxy, login":  {"http", login, Tinyproxy},
		"microsocks":        {"socks5", Terms{}, Microsocks},
		"microsocks, login": {"socks5", login, Microsocks},
		"dante":             {"socks5", Terms{}, func(t testing.TB, _ Terms) *Proxy { return Dante(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.start(t, c.terms)
			through := &url.URL{Scheme: c.scheme, Host: p.Address}
			if c.terms.User != "" {
				require.NotEqual(t, "It's there", get(t, through, site.URL), "it let somebody in without credentials")
				through.User = url.UserPassword(c.terms.User, c.terms.Password)
			}
			require.Equal(t, "It's there", get(t, through, site.URL))
			p.RequireLogged(t, port)
		})
	}
}

// get is what a GET through a proxy brings, or why it brings nothing.
func get(t *testing.T, proxy *url.URL, site string) string {
	t.Helper()
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get(site)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return response.Status
	}
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}
