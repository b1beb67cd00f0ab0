package cookies

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

// at takes an URL apart as the engine would.
func at(url string) URL {
	scheme, rest, _ := strings.Cut(url, "://")
	host, path, _ := strings.Cut(rest, "/")
	return URL{Secure: scheme == "https", Host: strings.Trim(host, "[]"), Path: "/" + path}
}

func set(t *testing.T, j *Jar, url string, fields ...string) {
	t.Helper()
	for _, field := range fields {
		require.NoError(t, j.Set(at(url), field, now), field)
	}
}

func header(j *Jar, url string) string { return string(j.AppendHeader(nil, at(url), now)) }

// TestWhoGetsIt sets one cookie and asks who gets it.
func TestWhoGetsIt(t *testing.T) {
	for _, c := range []struct {
		from, field string
		yes, no     []string
	}{
		{"http://a.example.org/x/y?q=/z", "a=b", []string{"http://a.example.org/x", "https://a.example.org/x/z", "http://a.example.org/x?y"}, []string{"http://a.example.org/", "http://a.example.org/xy", "http://b.a.example.org/x", "http://example.org/x"}},
		{"http://a.example.org/", "a=b; Domain=example.org", []string{"http://example.org/", "http://a.example.org/", "http://c.b.example.org/z"}, []string{"http://badexample.org/", "http://org/", "http://example.org.evil/"}},
		{"http://a.example.org/", "a=b; domain=.Example.ORG", []string{"http://example.org/"}, nil},
		{"http://a.example.org/", "a=b; Domain=", []string{"http://a.example.org/"}, []string{"http://b.a.example.org/"}},
		{"http://a.example.org./", "a=b", []string{"http://a.example.org/", "http://a.example.org./"}, nil},
		{"http://a.example.org/x/y", "a=b; Path=/", []string{"http://a.example.org/"}, nil},
		{"http://a.example.org/x/y", "a=b; Path=/x/", []string{"http://a.example.org/x/", "http://a.example.org/x/z"}, []string{"http://a.example.org/x"}},
		{"http://a.example.org/x/y", "a=b; Path=x", []string{"http://a.example.org/x"}, []string{"http://a.example.org/"}},
		{"http://a.example.org/x/y", "a=b; Path=/z; Path=", []string{"http://a.example.org/x"}, []string{"http://a.example.org/z"}},
		{"https://a.example.org/", "a=b; Secure", []string{"https://a.example.org/"}, []string{"http://a.example.org/"}},
		{"http://127.0.0.1/", "a=b; Secure", []string{"http://127.0.0.1/"}, nil},
		{"http://[::1]/", "a=b; Secure", []string{"http://[::1]/"}, nil},
		{"http://localhost/", "a=b; Secure", []string{"http://localhost/"}, nil},
		{"http://127.0.0.1/", "a=b; Domain=127.0.0.1", []string{"http://127.0.0.1/"}, []string{"http://1.127.0.0.1/"}},
		{"http://[::1]/", "a=b", []string{"http://[::1]/"}, []string{"http://[::2]/"}},
		{"http://localhost/", "a=b; Domain=localhost", []string{"http://localhost/"}, []string{"http://a.localhost/"}},
		{"http://github.io/", "a=b; Domain=github.io", []string{"http://github.io/"}, []string{"http://x.github.io/"}},
		{"http://a/", " \ta \t=\t b\t", []string{"http://a/"}, nil},
		{"http://a/", "a=b; Expires=Thu, 01 Jan 2099 00:00:00 GMT; HttpOnly; SameSite=Strict; x; =y;;", []string{"http://a/"}, nil},
		{"http://a/", "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", nil, []string{"http://a/"}},
		{"http://a/", "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=1", []string{"http://a/"}, nil},
		{"http://a/", "a=b; Max-Age=99999999999999999999", []string{"http://a/"}, nil},
		{"http://a/", "a=b; Max-Age=9223372036854775807", []string{"http://a/"}, nil},
		{"http://a/", "a=b; Max-Age=-99999999999999999999", nil, []string{"http://a/"}},
		{"http://a/", "a=b; Max-Age=0", nil, []string{"http://a/"}},
		{"http://a/", "a=b; Max-Age=1x; Expires=never", []string{"http://a/"}, nil},
		{"https://a.example.org/", "__Host-a=b; Secure; Path=/", nil, []string{"https://b.a.example.org/"}},
	} {
		j := New()
		set(t, j, c.from, c.field)
		for _, url := range c.yes {
			require.Equal(t, "a=b", header(j, url), "%s, to %s", c.field, url)
		}
		for _, url := range c.no {
			require.Empty(t, header(j, url), "%s, to %s", c.field, url)
		}
	}
}

// TestRefused: each reason once.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ from, field, want string }{
		{"http://a/", "", "needs a name"},
		{"http://a/", "novalue", "needs a name"},
		{"http://a/", "=x", "needs a name"},
		{"http://a/", "a=b\x01", "control characters"},
		{"http://a/", "a=b\tc", "control characters"},
		{"http://a/", "a=b; Path=/\x00", "control characters"},
		{"http://a/", "a=" + strings.Repeat("b", CookieBytes), "4097 bytes is longer than 4096"},
		{"http://a.example.org/", "a=b; Domain=b.example.org", "cannot come from a.example.org"},
		{"http://a.example.org/", "a=b; Domain=x.a.example.org", "cannot come from"},
		{"http://a.example.org/", "a=b; Domain=org", "for all of org"},
		{"http://a.co.uk/", "a=b; Domain=co.uk", "for all of co.uk"},
		{"http://x.github.io/", "a=b; Domain=.github.io", "for all of github.io"},
		{"http://a.example.org/", "a=b; Domain=..example.org", "cannot have the domain"},
		{"http://a.example.org/", "a=b; Domain=example.org.", "cannot have the domain"},
		{"http://a.example.org/", "a=b; Domain=.", "cannot have the domain"},
		{"http://xn--bcher-kva.example/", "a=b; Domain=bücher.example", "cannot have the domain"},
		{"http://127.0.0.1/", "a=b; Domain=0.0.1", "cannot come from"},
		{"http:///", "a=b", "no host"},
		{"http://a/", "a=b; Secure", "plain http"},
		{"https://a/", "__Secure-a=b", "must be Secure"},
		{"https://a/", "__HOST-a=b; Secure; Path=/x", "of the path /"},
		{"https://a.example.org/", "__Host-a=b; Secure; Path=/; Domain=a.example.org", "without a Domain"},
	} {
		j := New()
		require.ErrorContains(t, j.Set(at(c.from), c.field, now), c.want, c.field)
		require.Zero(t, j.Len())
	}
}

func TestOrderReplacementRemoval(t *testing.T) {
	j := New()
	set(t, j, "http://a.example.org/x/y", "first=1; Path=/", "deep=2; Path=/x/y", "second=3; Path=/; Domain=example.org", "same=4; Path=/", "same=5; Path=/x")
	require.Equal(t, "deep=2; same=5; first=1; second=3; same=4", header(j, "http://a.example.org/x/y"))
	set(t, j, "http://a.example.org/", "first=new; Path=/")
	require.Equal(t, "first=new; second=3; same=4", header(j, "http://a.example.org/"))
	set(t, j, "http://a.example.org/", "first=; Path=/; Max-Age=0", "never=; Max-Age=0")
	require.Equal(t, "second=3; same=4", header(j, "http://a.example.org/"))
	require.Equal(t, 4, j.Len())
}

// TestSecureIsNotOverlaid: who can write plain http cannot choose what goes
// over https (RFC 6265bis section 5.7, step 15).
func TestSecureIsNotOverlaid(t *testing.T) {
	j := New()
	set(t, j, "https://www.example.org/", "id=good; Secure", "low=good; Secure; Path=/login")
	require.ErrorContains(t, j.Set(at("http://www.example.org/"), "id=bad", now), "plain http")
	require.ErrorContains(t, j.Set(at("http://www.example.org/"), "id=bad; Domain=example.org", now), "plain http")
	require.ErrorContains(t, j.Set(at("http://www.example.org/"), "low=bad; Path=/login/en", now), "plain http")
	set(t, j, "http://www.example.org/", "low=other; Path=/")
	require.Equal(t, "low=good; id=good; low=other", header(j, "https://www.example.org/login"))
}

func TestExpiry(t *testing.T) {
	j := New()
	set(t, j, "http://a/", "a=1; Max-Age=10", "b=2; Expires=Fri, 20 Nov 2026 12:00:20 GMT", "c=3")
	for after, want := range map[time.Duration]string{0: "a=1; b=2; c=3", 9: "a=1; b=2; c=3", 10: "b=2; c=3", 20: "c=3", 1e9: "c=3"} {
		require.Equal(t, want, string(j.AppendHeader(nil, at("http://a/"), now.Add(after*time.Second))), after)
	}
}

func TestLimits(t *testing.T) {
	j := New()
	set(t, j, "http://a/", "expired=x; Max-Age=1")
	for i := range HostCookies {
		require.NoError(t, j.Set(at("http://a/"), fmt.Sprintf("n%d=x", i), now.Add(time.Second)))
	}
	require.Equal(t, HostCookies, j.Len(), "the expired one has gone, and no other")
	set(t, j, "http://a/", "more=x")
	require.Equal(t, HostCookies, j.Len())
	require.True(t, strings.HasPrefix(header(j, "http://a/"), "n1=x; "), "the oldest has gone")

	for i := range JarCookies - HostCookies {
		set(t, j, fmt.Sprintf("http://h%d/", i), "a=b")
	}
	require.ErrorIs(t, j.Set(at("http://last/"), "a=b", now), ErrFull)
	set(t, j, "http://h7/", "a=new")
	require.Equal(t, JarCookies, j.Len())
	set(t, j, "http://h7/", "a=; Max-Age=0")
	set(t, j, "http://last/", "a=b")
	require.Equal(t, JarCookies, j.Len())
}

// TestHeaderAllocatesNothing: a jar costs the requests that have no cookies
// nothing, and the others only their bytes.
func TestHeaderAllocatesNothing(t *testing.T) {
	j := New()
	set(t, j, "http://a.example.org/x/y", "first=1; Path=/", "deep=2; Path=/x/y", "second=3; Path=/; Domain=example.org")
	b := make([]byte, 0, 100)
	for _, url := range []string{"http://a.example.org/x/y", "http://b.example.org/", "http://127.0.0.1/"} {
		to := at(url)
		require.Zero(t, testing.AllocsPerRun(100, func() { b = j.AppendHeader(b[:0], to, now) }), url)
	}
}

func TestDates(t *testing.T) {
	for text, want := range map[string]string{
		"Sun, 06 Nov 1994 08:49:37 GMT":          "1994-11-06T08:49:37Z",
		"Sunday, 06-Nov-94 08:49:37 GMT":         "1994-11-06T08:49:37Z",
		"Sun Nov  6 08:49:37 1994":               "1994-11-06T08:49:37Z",
		"Wed, 01-Jan-2031 00:00:00 GMT":          "2031-01-01T00:00:00Z",
		"1 1 feb 00 1:2:3":                       "2000-02-01T01:02:03Z", // the second 1 is nothing
		"1 feb 00 1:2:3":                         "2000-02-01T01:02:03Z",
		"1 feb 69 1:2:3":                         "2069-02-01T01:02:03Z",
		"1 feb 70 1:2:3":                         "1970-02-01T01:02:03Z",
		"23:59:59x 29th FEBRUARY 2028":           "2028-02-29T23:59:59Z",
		"29 Feb 2027 00:00:00":                   "",
		"31 Apr 2027 00:00:00":                   "",
		"0 Apr 2027 00:00:00":                    "",
		"1 Apr 1600 00:00:00":                    "",
		"1 Apr 1601 00:00:00":                    "1601-04-01T00:00:00Z",
		"1 Apr 2027 24:00:00":                    "",
		"1 Apr 2027 00:60:00":                    "",
		"1 Apr 2027 00:00:60":                    "",
		"1 Apr 2027 00:00":                       "",
		"1 Apr 2027 00:00:000":                   "",
		"1 Apr 2027 000:00:00":                   "",
		"1 Apr 2027":                             "",
		"Apr 2027 00:00:00":                      "",
		"1 2027 00:00:00":                        "",
		"1 ap 2027 00:00:00":                     "",
		"1 anf 2027 00:00:00":                    "",
		"1 Apr 20270 00:00:00":                   "",
		"0":                                      "",
		"":                                       "",
		"Thu, 01 Jan 1970 00:00:00 GMT+01:00:00": "1970-01-01T00:00:00Z",
	} {
		unix, ok := parseDate(text)
		require.Equal(t, want != "", ok, text)
		if ok {
			require.Equal(t, want, time.Unix(unix, 0).UTC().Format(time.RFC3339), text)
		}
	}
}
