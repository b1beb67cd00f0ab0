package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDetours: curl's syntax, with each part left out.
func TestDetours(t *testing.T) {
	for text, want := range map[string]detour{
		"a.test:80:b.test:81":         {endpoint{"a.test", 80}, endpoint{"b.test", 81}},
		"A.Test:80:B.Test:81":         {endpoint{"a.test", 80}, endpoint{"b.test", 81}},
		"a.test::b.test:":             {endpoint{"a.test", 0}, endpoint{"b.test", 0}},
		"::b.test:81":                 {endpoint{"", 0}, endpoint{"b.test", 81}},
		":443::8443":                  {endpoint{"", 443}, endpoint{"", 8443}},
		"::127.0.0.1:":                {endpoint{"", 0}, endpoint{"127.0.0.1", 0}},
		"[2001:DB8::1]:80:[::1]:8080": {endpoint{"2001:db8::1", 80}, endpoint{"::1", 8080}},
		"::[::1]:":                    {endpoint{"", 0}, endpoint{"::1", 0}},
		"b\u00fccher.test::b.test:1":  {endpoint{"xn--bcher-kva.test", 0}, endpoint{"b.test", 1}},
		":::":                         {},
	} {
		var d detours
		require.NoError(t, d.Set(text), text)
		require.Equal(t, detours{want}, d, text)
	}
	for _, text := range []string{"", "a", "a:80", "a:80:b", "a:80:b:81:", "a:80:b:81:c", "a:x:b:81", "a:80:b:0", "a:80:b:65536",
		"[::1:80:b:81", "[::1]x:80:b:81", "a/b:80:c:81", "u@a:80:c:81", "a b::c:1", "[x]:80:b:81"} {
		var d detours
		require.Error(t, d.Set(text), text)
	}
	d := detours{{endpoint{"a", 80}, endpoint{"b", 81}}, {endpoint{"a", 0}, endpoint{"c", 0}}, {endpoint{"", 82}, endpoint{"", 83}}}
	for _, c := range []struct {
		host   string
		port   uint16
		toHost string
		toPort uint16
	}{{"a", 80, "b", 81}, {"a", 82, "c", 0}, {"x", 82, "", 83}, {"x", 80, "", 0}} {
		host, port := d.find(c.host, c.port)
		require.Equal(t, []any{c.toHost, c.toPort}, []any{host, port})
	}
}

// TestConnectTo: the server is another than the URL's, and is told what the URL
// says.
func TestConnectTo(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "http://c.invalid/", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(r.Host + "\n"))
	}))
	t.Cleanup(s.Close)
	there := host(s.URL)
	for _, conns := range []string{"1", "50"} {
		got := shoal(t, "--connect-to", "a.invalid:80:"+there, "--connect-to", "c.invalid::"+there, "-j", conns, "-o", "-", "http://a.invalid/moved")
		require.Equal(t, said{exitOK, "c.invalid\n", ""}, got)
	}
	got := shoal(t, "--connect-to", "::"+there, "-o", "-", "http://b.invalid:99/")
	require.Equal(t, said{exitOK, "b.invalid:99\n", ""}, got)

	got = shoal(t, "--connect-to", "a:80:b", "http://a.invalid/")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "HOST1:PORT1:HOST2:PORT2")
	denied := shoal(t, "--connect-to", "::"+there, "--deny-private", "-o", "-", "http://b.invalid/")
	require.Equal(t, exitFailed, denied.status)
	require.True(t, strings.Contains(denied.stderr, "127.0.0.1 is a private address"), denied.stderr)
}
