package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
	"github.com/shoalfetch/shoal/internal/proxytest"
)

// realProxies are programs of others that stand between.
var realProxies = []struct {
	name   string
	scheme string
	terms  proxytest.Terms
	start  func(testing.TB, proxytest.Terms) *proxytest.Proxy
}{
	{"squid", "http", proxytest.Terms{}, proxytest.Squid},
	{"squid with a login", "http", proxytest.Terms{User: "carp", Password: "net5"}, proxytest.Squid},
	{"tinyproxy", "http", proxytest.Terms{}, proxytest.Tinyproxy},
	{"tinyproxy with a login", "http", proxytest.Terms{User: "carp", Password: "net5"}, proxytest.Tinyproxy},
	{"microsocks", "socks5", proxytest.Terms{}, proxytest.Microsocks},
	{"microsocks, names", "socks5h", proxytest.Terms{}, proxytest.Microsocks},
	{"microsocks with a login", "socks5h", proxytest.Terms{User: "carp", Password: "net5"}, proxytest.Microsocks},
	{"dante", "socks5", proxytest.Terms{}, func(t testing.TB, _ proxytest.Terms) *proxytest.Proxy { return proxytest.Dante(t) }},
	{"dante, names", "socks5h", proxytest.Terms{}, func(t testing.TB, _ proxytest.Terms) *proxytest.Proxy { return proxytest.Dante(t) }},
}

// behind are sites of both kinds, of which a proxy is asked, and what was asked
// of them.
type behind struct {
	urls []string
	ca   string

	mu    sync.Mutex
	leaks []string // fields of requests that were for a proxy
}

const perSite = 20

func newBehind(t *testing.T) *behind {
	t.Helper()
	b := &behind{ca: filepath.Join(t.TempDir(), "ca.pem")}
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Proxy-Authorization", "Proxy-Connection"} {
			if v := r.Header.Get(name); v != "" {
				b.mu.Lock()
				b.leaks = append(b.leaks, name+": "+v)
				b.mu.Unlock()
			}
		}
		fmt.Fprint(w, strings.Repeat(r.URL.Path, 1+10_000*(len(r.URL.Path)%2)))
	})
	plain, secure := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	require.NoError(t, os.WriteFile(b.ca, pemOf(pemCertificate, secure.Certificate().Raw), 0o600))
	for n := range perSite {
		b.urls = append(b.urls, fmt.Sprintf("%s/%d.txt", plain.URL, n), fmt.Sprintf("%s/s%d.txt", secure.URL, n))
	}
	return b
}

// fetch fetches all there is through a proxy, and looks at every byte.
func (b *behind) fetch(t *testing.T, proxy *url.URL, args ...string) {
	t.Helper()
	dir := t.TempDir()
	args = append(args, "--cacert", b.ca, "-x", proxy.String(), "-d", dir, "--json", "-i", listFile(t, b.urls...))
	got := shoal(t, args...)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Len(t, names(t, dir), len(b.urls))
	place := proxy.Scheme + "://" + proxy.Host
	for _, r := range records(t, got.stdout) {
		require.Equal(t, place, r.Proxy)
		require.Equal(t, proxy.Host, r.Remote)
		content, err := os.ReadFile(r.Path)
		require.NoError(t, err)
		path := "/" + filepath.Base(r.Path)
		require.Equal(t, strings.Repeat(path, 1+10_000*(len(path)%2)), string(content))
	}
	require.Empty(t, b.leaks)
}

// TestRealProxies fetches from both kinds of sites through real proxies, which
// must have seen them; with other credentials, or none, nothing comes.
func TestRealProxies(t *testing.T) {
	for _, c := range realProxies {
		t.Run(c.name, func(t *testing.T) {
			b := newBehind(t)
			if c.scheme == "socks5h" {
				b.urls[0] = strings.Replace(b.urls[0], "127.0.0.1", "localhost", 1)
			}
			p := c.start(t, c.terms)
			proxy := &url.URL{Scheme: c.scheme, Host: p.Address}
			if c.terms.User != "" {
				b.refused(t, proxy, "", "proxy", "user name and")
				if !strings.HasPrefix(c.name, "tinyproxy") { // which answers 401, as an origin might
					b.refused(t, proxy, "carp:0ther5", "proxy", "not accept")
				}
				proxy.User = url.UserPassword(c.terms.User, c.terms.Password)
			}
			b.fetch(t, proxy)
			for _, u := range b.urls[:2] {
				at, err := url.Parse(u)
				require.NoError(t, err)
				p.RequireLogged(t, at.Port())
			}
		})
	}
}

// refused asks a proxy that does not let us in.
func (b *behind) refused(t *testing.T, proxy *url.URL, login, kind, expect string) {
	t.Helper()
	for _, u := range b.urls[:2] {
		args := []string{"--cacert", b.ca, "-x", proxy.String(), "-d", t.TempDir(), "--json", u}
		if login != "" {
			args = append(args, "-U", login)
		}
		got := shoal(t, args...)
		require.Equal(t, exitFailed, got.status, got.stderr)
		r := records(t, got.stdout)[1]
		require.Equal(t, "proxy", r.Error.Phase, "%+v", r.Error)
		require.Equal(t, kind, r.Error.Kind, "%+v", r.Error)
		require.Contains(t, r.Error.Message, proxy.Host)
		require.Contains(t, r.Error.Message, expect)
		require.NotContains(t, got.stdout+got.stderr, "0ther5")
	}
}

// TestRealHTTPSProxy: Squid behind TLS, and so TLS inside TLS for https.
func TestRealHTTPSProxy(t *testing.T) {
	s := newTLSSite(t, "1.3")
	certificate := filepath.Join(s.root, "cert.pem")
	require.NoError(t, os.Chmod(filepath.Join(s.root, "key.pem"), 0o644)) // Squid leaves root
	b := newBehind(t)
	p := proxytest.Squid(t, proxytest.Terms{User: "carp", Password: "net5", Certificate: certificate, Key: filepath.Join(s.root, "key.pem")})
	proxy := &url.URL{Scheme: "https", Host: p.Address, User: url.UserPassword("carp", "net5")}
	b.fetch(t, proxy, "--proxy-cacert", certificate)
	b.fetch(t, proxy, "--proxy-insecure")

	// What is said of servers counts for no proxy.
	got := shoal(t, "-k", "-d", t.TempDir(), "-x", proxy.String(), b.urls[0])
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "proxy: https://carp:***@"+p.Address+": tls: ")
	require.Contains(t, got.stderr, "self-signed")
	require.NotContains(t, got.stderr, "net5")

	proxy.User = nil
	b.refused(t, proxy, "", "certificate", "self-signed")
}

// TestProxyDown: a proxy that is not there is what fails, in its phase, and what
// the message says first.
func TestProxyDown(t *testing.T) {
	dead := porttest.Closed(t)
	for _, scheme := range []string{"http", "https", "socks5", "socks5h"} {
		got := shoal(t, "-d", t.TempDir(), "--json", "-x", scheme+"://"+dead, "http://127.0.0.1/a", "https://127.0.0.1/b")
		require.Equal(t, exitFailed, got.status)
		for _, r := range records(t, got.stdout) {
			require.Equal(t, "proxy", r.Error.Phase)
			require.Equal(t, "refused", r.Error.Kind)
			require.Equal(t, fmt.Sprintf("%s://%s: dial: %s: connection refused", scheme, dead, dead), r.Error.Message)
		}
	}
}

// TestTextbookProxy: the textbook's request line is the one for a proxy.
func TestTextbookProxy(t *testing.T) {
	b := newBehind(t)
	p := proxytest.Tinyproxy(t, proxytest.Terms{})
	dir := t.TempDir()
	got := shoal(t, "--textbook", "-d", dir, "-x", p.Address, b.urls[0])
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stderr, "connecting to "+p.Address)
	require.Contains(t, got.stderr, `"GET `+b.urls[0]+` HTTP/1.0\r\n\r\n"`)
	require.Contains(t, got.stdout, "Header length ")
	require.Equal(t, []string{"0.txt"}, names(t, dir))
}
