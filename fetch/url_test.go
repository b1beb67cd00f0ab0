package fetch

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/idna"
)

// TestURLs reads what people and servers write for URLs.
func TestURLs(t *testing.T) {
	for raw, want := range map[string]string{
		"http://h":                          "http://h/",
		"HTTP://h?q":                        "http://h/?q",
		"http://h/a b.jpg":                  "http://h/a%20b.jpg",
		"  http://h/a ":                     "http://h/a",
		"http://h/ä?ö=ü#ß":                  "http://h/%C3%A4?%C3%B6=%C3%BC",
		"http://h/caf\xe9.jpg":              "http://h/caf%E9.jpg", // not UTF-8: the bytes themselves
		"http://h/50%.jpg":                  "http://h/50%25.jpg",
		"http://h/%zz%2":                    "http://h/%25zz%252",
		"http://h/?a=50%&b=%zz":             "http://h/?a=50%&b=%zz", // servers read queries in their own ways
		"http://h/a%2Fb c":                  "http://h/a%2Fb%20c",    // an escape is not undone for another's sake
		"http://h/%e4%41":                   "http://h/%e4%41",
		"http://h/\"<>\\^`{|}[]'":           "http://h/%22%3C%3E%5C%5E%60%7B%7C%7D[]'",
		"http://h/?\"<>\\^`{|}[]'":          "http://h/?\"<>\\^`{|}[]'",
		"http://h/a?b?c/../d":               "http://h/a?b?c/../d",
		"http://h/a#b%zz c":                 "http://h/a",
		"http://h#a@b/c":                    "http://h/",
		"http://h/?u=http://x y/":           "http://h/?u=http://x%20y/",
		"http://h/a/./b/../c":               "http://h/a/c",
		"http://h/../../a":                  "http://h/a",
		"http://h/a/..":                     "http://h/",
		"http://h/a/.":                      "http://h/a/",
		"http://h/.hidden/..x/...":          "http://h/.hidden/..x/...",
		"http://h/a//../b":                  "http://h/a/b",
		"http://h/a%2F../b":                 "http://h/a%2F../b",
		"http://h/%2e%2e/b":                 "http://h/%2e%2e/b",
		"http://bücher.example/x":           "http://xn--bcher-kva.example/x",
		"http://BÜCHER.example:8080/x":      "http://xn--bcher-kva.example:8080/x",
		"http://faß.de/":                    "http://xn--fa-hia.de/",
		"http://b%C3%BCcher.de/":            "http://xn--bcher-kva.de/",
		"http://mein_büro.de/":              "http://xn--mein_bro-c6a.de/",
		"http://１２７.0.0.1/":                 "http://127.0.0.1/",
		"http://日本語。jp/":                    "http://xn--wgv71a119e.jp/",
		"https://user:pass@h/x":             "https://h/x",
		"http://@h/x":                       "http://h/x",
		"http://u:p@ss@h:81/x":              "http://h:81/x",
		"http://[::1]:80/x y":               "http://[::1]:80/x%20y",
		"http://[fe80::1%25eth0]/":          "http://[fe80::1%25eth0]/",
		"http://h/x?y=a@b":                  "http://h/x?y=a@b",
		"http://h:/x":                       "http://h:/x",
		strings.Repeat(" ", 3) + "http://h": "http://h/",
	} {
		got, err := parseTarget(raw)
		require.NoError(t, err, "%q", raw)
		require.Equal(t, want, got.url, "%q", raw)
		again, err := parseTarget(got.url)
		require.NoError(t, err)
		require.Equal(t, got.url, again.url, "what was read is read as itself")
		require.Equal(t, got.route, again.route)
	}
}

// TestURLsRefused: the reason is told, and nothing of a password.
func TestURLsRefused(t *testing.T) {
	for raw, reason := range map[string]string{
		"":                            "no scheme",
		"/x":                          "no scheme",
		"h/x":                         "no scheme",
		"ftp://h/x":                   `the scheme "ftp" is not supported`,
		"http:///x":                   "names no host",
		"http://:80/x":                "names no host",
		"http:x":                      "names no host",
		"http://h\n/x":                "invalid control character",
		"http://h/\x00":               "invalid control character",
		"http://h/a\tb":               "invalid control character",
		"http://a b/":                 "invalid character",
		"http://h\\x/":                "invalid character",
		"http://h:70000/":             "port 70000 is not between",
		"http://h:0/":                 "port 0",
		"http://h:x/":                 "invalid port",
		"http://[::1/":                "missing ']'",
		"http://h%41/":                "invalid URL escape",
		"http://a／b/":                 "has no form for DNS", // fullwidth: maps to a slash
		"http://a＠b/":                 "has no form for DNS",
		"http://ü%zz/":                "invalid URL escape",
		"http://٣.ü/":                 "has no form for DNS",
		"http://\xe4/":                "has no form for DNS",
		"http://zq:qz/x@h/":           "the characters / ? # [ ] @ and %",
		"http://user:zq%qz@h/":        "the characters / ? # [ ] @ and %",
		"http://user:zqqz@h:port/":    "the characters / ? # [ ] @ and %",
		"http://user:zq\nqz@h/":       "the characters / ? # [ ] @ and %",
		"http://a%3Ab:zqqz@h/":        "cannot have a colon",
		"http://user:zqqz@h:99999/":   "port 99999",
		"ftp://user:zqqz@h/":          `the scheme "ftp"`,
		"http://user:zqqz@/":          "names no host",
		" http://user:zqqz@h:1x/?a@b": "the characters / ? # [ ] @ and %",
	} {
		_, err := parseTarget(raw)
		require.ErrorContains(t, err, reason, "%q", raw)
		require.NotContains(t, err.Error()+WithoutUserinfo(raw), "qz", "%q", raw)
		require.NotContains(t, err.Error()+WithoutUserinfo(raw), "zq", "%q", raw)
	}
}

// TestUserinfo: a name and password leave the URL for a field.
func TestUserinfo(t *testing.T) {
	for raw, want := range map[string]string{
		"http://h/":                  "",
		"http://@h/":                 "",
		"http://:@h/":                "",
		"http://user:pass@h/":        basic("user", "pass"),
		"http://user@h/":             basic("user", ""),
		"http://:pass@h/":            basic("", "pass"),
		"http://u%40x:p%3Aw%2F%25@h": basic("u@x", "p:w/%"),
		"http://u:a:b@h":             basic("u", "a:b"),
		"http://%C3%BC:%C3%9F@h/":    basic("ü", "ß"),
	} {
		got, err := parseTarget(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got.authorization, raw)
	}
	require.Equal(t, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", basic("Aladdin", "open sesame"), "RFC 7617 section 2")
}

func TestWithoutUserinfo(t *testing.T) {
	for raw, want := range map[string]string{
		"http://h/x":                "http://h/x",
		"http://user:secret@h/x":    "http://h/x",
		" http://user:secret@h/x":   "http://h/x",
		"//user:secret@h/x":         "//h/x",
		"http://user:secret@h/x@y":  "http://h/x@y",
		"http://user:sec@ret@h/":    "http://h/",
		"http://h/x@y?a@b#c@d":      "http://h/x@y?a@b#c@d",
		"http://h?a@b":              "http://h?a@b",
		"http://h#a@b":              "http://h#a@b",
		"http://user:sec/ret@h/":    "http://h/",
		"/x@y":                      "/x@y",
		"":                          "",
		"http://user:sec%ret@h/a@b": "http://b",
	} {
		require.Equal(t, want, WithoutUserinfo(raw), "%q", raw)
	}
}

// TestURLsLikeTheStandardLibrary: of what both take, both make the same. Where
// they differ on purpose, TestURLs says how.
func TestURLsLikeTheStandardLibrary(t *testing.T) {
	hosts := []string{"h", "H.example", "h:81", "[::1]:82", "bücher.example", "ドメイン.テスト", "127.0.0.1"}
	paths := []string{"", "/", "/a", "/a/", "/a/b.jpg", "/ä/ö", "/a%20b", "/%E4", "/a b", "/..", "/a/../b", "/a/./", "/;x=1,2", "/a:b@c", "//", "/a//b"}
	queries := []string{"", "?", "?a=b&c", "?a?b", "?a=%20+b"}
	for _, host := range hosts {
		for _, path := range paths {
			for _, query := range queries {
				raw := "http://" + host + path + query
				u, err := url.Parse(raw)
				require.NoError(t, err)
				u = u.ResolveReference(&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery})
				name, err := idna.Lookup.ToASCII(u.Hostname())
				if strings.HasPrefix(host, "[") {
					name, err = "[::1]", nil
				}
				require.NoError(t, err)
				got, err := parseTarget(raw)
				require.NoError(t, err, raw)
				require.Equal(t, u.RequestURI(), pathOf(got.url), raw)
				require.Equal(t, strings.ToLower(name), strings.ToLower(got.route.hostText()), raw)
			}
		}
	}
}

// hostText is a route's host as URLs have it.
func (r route) hostText() string {
	if strings.Contains(r.host, ":") {
		return "[" + r.host + "]"
	}
	return r.host
}

// FuzzURL: whatever is read is one line of ASCII that is read as itself, and
// shows no name and no password.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"http://h/", "https://user:pass@h:81/a b?c d#e", "http://bücher.de/ä%zz", "http://[fe80::1%25eth0]:80/../x",
		"http://h/%2e%2e/./..", "HTTP://１２７.0.0.1。/", "http://a@b@c/d@e?f@g", "//h/x", "http://h\\@x/", "http://ｈ：８０／x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_ = WithoutUserinfo(raw)
		got, err := parseTarget(raw)
		if err != nil {
			return
		}
		for i := range len(got.url) {
			require.True(t, got.url[i] > ' ' && got.url[i] < 0x7f, "%q has %q", got.url, got.url[i])
		}
		again, err := parseTarget(got.url)
		require.NoError(t, err, "%q from %q", got.url, raw)
		require.Equal(t, got.url, again.url)
		require.Equal(t, got.route, again.route)
		require.Equal(t, got.authority, again.authority)
		require.Empty(t, again.authorization)
		require.NoError(t, checkRequest(&Request{URL: got.url, Method: "GET"}))
		require.Equal(t, got.url, WithoutUserinfo(got.url), "nothing is left to hide")
		_, err = url.Parse(got.url)
		require.NoError(t, err)
	})
}
