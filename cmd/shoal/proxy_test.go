package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
)

// proxyVariables are those that have a part in where requests go.
var proxyVariables = []string{"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}

// chosen is where a command line with this environment sends the requests for
// some URLs: a proxy, - for none, or why not.
func chosen(t *testing.T, args []string, environment map[string]string, urls ...string) (to []string) {
	t.Helper()
	s := new(settings)
	require.NoError(t, command(s, nil).ParseFlags(args))
	choose, err := s.proxies.choose(func(name string) string { return environment[name] })
	if err != nil {
		return []string{err.Error()}
	}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		require.NoError(t, err)
		var proxy *url.URL
		if choose != nil {
			proxy, err = choose(u)
			require.NoError(t, err)
		}
		if proxy == nil {
			to = append(to, "-")
		} else {
			to = append(to, proxy.String())
		}
	}
	return to
}

// TestProxyChoice asks for a page over http, one over https, and one of this
// machine.
func TestProxyChoice(t *testing.T) {
	type env = map[string]string
	for name, c := range map[string]struct {
		args   []string
		env    env
		expect string
	}{
		"nothing":                            {nil, nil, "- - -"},
		"-x":                                 {[]string{"-x", "http://p:1"}, nil, "http://p:1 http://p:1 http://p:1"},
		"-x before the environment":          {[]string{"-x", "p:1"}, env{"http_proxy": "q:2", "https_proxy": "bad://"}, "http://p:1 http://p:1 http://p:1"},
		"an empty -x":                        {[]string{"-x", ""}, env{"http_proxy": "q:2", "all_proxy": "bad://"}, "- - -"},
		"http_proxy":                         {nil, env{"http_proxy": "q:2"}, "http://q:2 - -"},
		"HTTP_PROXY, as a CGI program's":     {nil, env{"HTTP_PROXY": "q:2"}, "- - -"},
		"https_proxy":                        {nil, env{"https_proxy": "q:2"}, "- http://q:2 -"},
		"HTTPS_PROXY":                        {nil, env{"HTTPS_PROXY": "q:2"}, "- http://q:2 -"},
		"https_proxy before HTTPS_PROXY":     {nil, env{"https_proxy": "q:2", "HTTPS_PROXY": "r:3"}, "- http://q:2 -"},
		"all_proxy":                          {nil, env{"all_proxy": "socks5h://q"}, "socks5h://q:1080 socks5h://q:1080 -"},
		"ALL_PROXY":                          {nil, env{"ALL_PROXY": "q:2"}, "http://q:2 http://q:2 -"},
		"http_proxy before all_proxy":        {nil, env{"all_proxy": "q:2", "http_proxy": "r:3"}, "http://r:3 http://q:2 -"},
		"an empty one is none":               {nil, env{"all_proxy": "q:2", "http_proxy": ""}, "http://q:2 http://q:2 -"},
		"no_proxy":                           {nil, env{"all_proxy": "q:2", "no_proxy": "b.test"}, "http://q:2 - -"},
		"NO_PROXY":                           {nil, env{"all_proxy": "q:2", "NO_PROXY": "*"}, "- - -"},
		"no_proxy with -x":                   {[]string{"-x", "p:1"}, env{"no_proxy": "a.test,localhost"}, "- http://p:1 -"},
		"--noproxy":                          {[]string{"-x", "p:1", "--noproxy", ".b.test"}, nil, "http://p:1 - http://p:1"},
		"--noproxy before no_proxy":          {[]string{"--noproxy", "a.test"}, env{"all_proxy": "q:2", "no_proxy": "b.test"}, "- http://q:2 -"},
		"an empty --noproxy":                 {[]string{"-x", "p:1", "--noproxy", ""}, env{"no_proxy": "*"}, "http://p:1 http://p:1 http://p:1"},
		"-U":                                 {[]string{"-x", "p:1", "-U", "carp:n@t:5"}, nil, "http://carp:n%40t%3A5@p:1 http://carp:n%40t%3A5@p:1 http://carp:n%40t%3A5@p:1"},
		"-U before the URL's":                {[]string{"-U", "carp:"}, env{"http_proxy": "http://x:y@q:2"}, "http://carp:@q:2 - -"},
		"credentials in the environment":     {nil, env{"http_proxy": "x:y%2F@q:2"}, "http://x:y%2F@q:2 - -"},
		"what is wrong with the environment": {nil, env{"all_proxy": "ftp://q"}, "all_proxy in the environment: a proxy's scheme is http, https, socks5 or socks5h, not ftp"},
	} {
		t.Run(name, func(t *testing.T) {
			got := chosen(t, c.args, c.env, "http://a.test/", "https://www.b.test/", "http://localhost:8080/")
			require.Equal(t, c.expect, strings.Join(got, " "))
		})
	}
}

// TestNoProxyOfThisMachine: -x counts for it as for any other, and so does what
// --noproxy says.
func TestNoProxyOfThisMachine(t *testing.T) {
	urls := []string{"http://localhost/", "http://localhost:81/", "https://localhost/", "http://127.0.0.1/", "http://127.8.0.1:81/", "http://[::1]/"}
	for list, expect := range map[string]string{
		"":                     "p p p p p p",
		"*":                    "- - - - - -",
		"a.test, LOCALHOST":    "- - - p p p",
		"localhost:80":         "- p p p p p",
		"localhost:443,[::1]":  "p p - p p -",
		"127.0.0.1":            "p p p - p p",
		"127.0.0.0/8,::1":      "p p p - - -",
		"127.8.0.1:81":         "p p p p - p",
		"127.8.0.1:80":         "p p p p p p",
		"[::1]:80":             "p p p p p -",
		"host,.localhost,,:80": "p p p p p p",
	} {
		got := strings.Join(chosen(t, []string{"-x", "p:1", "--noproxy", list}, nil, urls...), " ")
		require.Equal(t, expect, strings.ReplaceAll(got, "http://p:1", "p"), "--noproxy %q", list)
	}
}

func TestProxyAddress(t *testing.T) {
	for text, want := range map[string]string{
		"h":                         "http://h:1080",
		"h:3128":                    "http://h:3128",
		"HTTP://h:3128/":            "http://h:3128",
		"https://h":                 "https://h:443",
		"socks5://h":                "socks5://h:1080",
		"socks5h://[::1]:9":         "socks5h://[::1]:9",
		"[fe80::1%25lo]:9":          "http://[fe80::1%25lo]:9",
		"carp@h":                    "http://carp@h:1080",
		"carp:p%40ss%3a@h":          "http://carp:p%40ss%3A@h:1080",
		"socks5://carp:p@ss:word@h": "socks5://carp:p%40ss%3Aword@h:1080",
		"socks5://ca%3Arp:net@h:1":  "socks5://ca%3Arp:net@h:1",
	} {
		got, err := parseProxy("-x", text, nil)
		require.NoError(t, err, text)
		require.Equal(t, want, got.String())
	}
	long := strings.Repeat("u", 256)
	for text, want := range map[string]string{
		"http://":                    "HOST[:PORT]",
		":3128":                      "HOST[:PORT]",
		"h:port":                     "HOST[:PORT]",
		"http://[::1":                "HOST[:PORT]",
		"http://h/path":              "HOST[:PORT]",
		"http://h?q":                 "HOST[:PORT]",
		"http://carp:a#b@h":          "%23",
		"http://carp:a/b@h":          "%2F",
		"h:0":                        "from 1 to 65535",
		"h:65536":                    "from 1 to 65535",
		"socks://h":                  "not socks",
		"file://h":                   "not file",
		"http://ca%3Arp:net@h":       "no colon",
		"http://carp:a%0d%0aX:b@h":   "control characters",
		"socks5://:net@h":            "1 to 255",
		"socks5://" + long + "@h":    "1 to 255",
		"socks5h://u:" + long + "@h": "at most 255",
	} {
		_, err := parseProxy("-x", text, nil)
		require.ErrorContains(t, err, want, text)
		require.ErrorIs(t, err, errUsage)
	}
}

// TestProxySecrets: no message shows what could be a password.
func TestProxySecrets(t *testing.T) {
	const secret = "s3cret"
	s := site(t)
	for _, proxy := range []string{
		"http://carp:" + secret + "@" + porttest.Closed(t), "carp:" + secret + "/@h", "carp:" + secret + "#@h", "http://carp:" + secret,
		"ftp://carp:" + secret + "@h", "http://carp:%zz" + secret + "@h", "carp:" + secret + "@h:0", "http://carp:" + secret + "%01@h", "carp:" + secret + "@",
	} {
		for _, args := range [][]string{{"-x", proxy}, {"-v", "--json", "-x", proxy}, {"--textbook", "-x", proxy}} {
			got := shoal(t, append(args, "-d", t.TempDir(), s.URL+"/plain/a.jpg")...)
			require.NotEqual(t, exitOK, got.status, "%q", args)
			require.NotContains(t, got.stdout+got.stderr, secret, "%q", args)
		}
		t.Setenv("all_proxy", proxy)
		got := shoal(t, "-v", "--json", "-d", t.TempDir(), "http://shoal.invalid/")
		require.NotEqual(t, exitOK, got.status, proxy)
		require.NotContains(t, got.stdout+got.stderr, secret, proxy)
		require.NoError(t, os.Unsetenv("all_proxy"))
	}
	got := shoal(t, "-U", secret, s.URL+"/plain/a.jpg")
	require.Equal(t, exitUsage, got.status)
	require.NotContains(t, got.stderr, secret)
}

// TestNeverPastTheProxy: what has a proxy is not fetched without one when that
// fails, be it a URL of the command line or where a redirect leads.
func TestNeverPastTheProxy(t *testing.T) {
	asked := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Host + r.URL.Path
		port := (&url.URL{Host: r.Host}).Port()
		http.Redirect(w, r, "http://127.0.0.1:"+port+"/there", http.StatusFound)
	}))
	defer s.Close()
	got := shoal(t, "-x", porttest.Closed(t), "-d", t.TempDir(), s.URL+"/a")
	require.Equal(t, exitFailed, got.status)
	require.Empty(t, asked)

	byName := strings.Replace(host(s.URL), "127.0.0.1", "localhost", 1)
	got = shoal(t, "-x", porttest.Closed(t), "--noproxy", "localhost", "--resolve", "localhost:*:127.0.0.1", "-d", t.TempDir(), "http://"+byName+"/a")
	require.Equal(t, exitFailed, got.status)
	require.Len(t, asked, 1)
	require.Equal(t, byName+"/a", <-asked)
}
