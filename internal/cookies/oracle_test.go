package cookies

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/publicsuffix"
)

var (
	oracleHosts = []string{"example.org", "a.example.org", "b.a.example.org", "badexample.org", "co.uk", "x.co.uk", "localhost", "127.0.0.1", "127.0.0.2", "x.github.io", "github.io", "org"}
	oraclePaths = []string{"/", "/x", "/x/", "/x/y", "/xy", "/x/y/z"}
)

// FuzzOracle does the same with this jar and with that of net/http: both give
// the same cookies, in the same order, to every host and path there is. Each
// byte of plan chooses from what page a field comes; the fields are a line each.
//
// Cookies are set over https, and none is called __Secure- or __Host-: there
// ours is stricter. Nor do fields count that net/http cannot read.
func FuzzOracle(f *testing.F) {
	f.Add([]byte{0, 9, 14, 27}, "a=1\nb=2; Path=/x\na=3; Domain=example.org; Secure\nb=; Max-Age=0")
	f.Add([]byte{1, 2, 3}, "a=1; Domain=.a.example.org; Path=/x/\na=2; domain=org\na=4; domain=EXAMPLE.org; path=x")
	f.Add([]byte{48, 42, 54, 60}, "a=1; Domain=localhost\na=2; Domain=127.0.0.1\na=3; Domain=127.0.0.2\na=4; Domain=github.io")
	f.Add([]byte{1, 1, 1}, "a=1; Max-Age=100\na=2; Expires=Thu, 01 Jan 1970 00:00:01 GMT\nb=3; Expires=Thu, 01 Jan 2099 00:00:00 GMT; Max-Age=-1")
	f.Fuzz(func(t *testing.T, plan []byte, fields string) {
		theirs, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
		require.NoError(t, err)
		ours := New()
		for i, field := range strings.Split(fields, "\n") {
			if i >= len(plan) || i >= HostCookies {
				break
			}
			c, err := http.ParseSetCookie(field)
			if err != nil || !comparable(c, field) {
				continue
			}
			page := &url.URL{Scheme: "https", Host: oracleHosts[int(plan[i])%len(oracleHosts)], Path: oraclePaths[int(plan[i])/len(oracleHosts)%len(oraclePaths)]}
			theirs.SetCookies(page, []*http.Cookie{c})
			_ = ours.Set(at(page.String()), field, now)
		}
		for _, host := range oracleHosts {
			for _, path := range oraclePaths {
				for _, scheme := range []string{"http", "https"} {
					to := &url.URL{Scheme: scheme, Host: host, Path: path}
					require.Equal(t, theirHeader(theirs, to), header(ours, to.String()), "to %s", to)
				}
			}
		}
	})
}

// comparable leaves out what the two jars do not read alike, and says why.
func comparable(c *http.Cookie, field string) bool {
	lower := strings.ToLower(field)
	switch {
	case strings.HasPrefix(lower, "__"): // the prefixes
	case len(c.Name)+len(c.Value) > CookieBytes: // the limit
	case strings.Contains(field, "= ") || strings.Contains(field, " ="): // theirs keeps such spaces
	case strings.Contains(lower, "expires"): // theirs knows fewer spellings of a date, and goes by its own clock
		return c.Expires.Year() > 1601 && c.Expires.Year() < 2000 && strings.Count(lower, "expires") == 1
	case strings.Count(lower, "max-age") > 1 || strings.Contains(lower, "max-age") && c.MaxAge == 0: // theirs stops at one it cannot read
	case c.MaxAge > 0 && c.MaxAge < 1000: // theirs goes by its own clock
	case strings.Count(lower, "domain") > 1 || strings.Count(lower, "path") > 1: // theirs passes an empty one over
	case strings.ContainsFunc(field, func(r rune) bool { return r < ' ' || r >= 0x7f || strings.ContainsRune(`"\%`, r) }): // theirs takes no such path
	default:
		return true
	}
	return false
}

func theirHeader(jar *cookiejar.Jar, to *url.URL) string {
	var all []string
	for _, c := range jar.Cookies(to) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}
