package robots

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRules: a file, and what it allows; paths after a minus sign it does not.
func TestRules(t *testing.T) {
	for _, c := range []struct{ text, paths string }{
		{"", "/ /x"},
		{"User-agent: *\nDisallow: /", "-/ -/x /robots.txt -/robots.txt2"},
		{"User-agent: *\nDisallow:\n", "/ /x"},
		{"User-agent: *\nDisallow: x\nDisallow: $\nDisallow: ?", "/ /x /?"},
		{"user-AGENT : *\r\n \tDISALLOW \t:\t /x \t# why\r\n", "/ -/x -/xy /y"},
		{"User-agent: *\rDisallow: /x\rDisallow: /y", "-/x -/y /z"},
		{"\ufeffUser-agent: *\nDisallow: /x", "-/x"},

		// Which group: RFC 9309 section 2.2.1.
		{"User-agent: shoal\nDisallow: /a\nUser-agent: *\nDisallow: /b", "-/a /b"},
		{"User-agent: *\nDisallow: /b\nUser-agent: SHOAL/2.0 of ours\nDisallow: /a", "-/a /b"},
		{"User-agent: shoals\nUser-agent: sho\nUser-agent: shoal-images\nDisallow: /", "/"},
		{"User-agent: shoal\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: shoal\nDisallow: /c", "-/a /b -/c"},
		{"User-agent: *\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: * all\nDisallow: /c", "-/a /b -/c"},
		{"User-agent: x\nUser-agent: shoal\nUser-agent: y\nDisallow: /a", "-/a"},
		{"User-agent: shoal\nSitemap: /s\n\n# x\nUser-agent: x\nDisallow: /a", "-/a"},
		{"User-agent: shoal\nUser-agent: *\nDisallow: /a\nUser-agent: *\nDisallow: /b", "-/a /b"},
		{"User-agent: shoal\n\nUser-agent: *\nCrawl-delay: 1", "/"},
		{"User-agent: shoal\nAllow:\nUser-agent: *\nDisallow: /", "/ /x"},
		{"Disallow: /a\nnonsense\nUser-agent\n:\nUser-agent:\nDisallow: /b\nUser-agent: *\nDisallow: /c", "/a /b -/c"},
		{"User-agent: *x\nDisallow: /", "/"},

		// Which rule: sections 2.2.2, 5.2.
		{"User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif", "-/example/page/disallowed.gif /example/page/x.gif /"},
		{"User-agent: *\nDisallow: /p\nAllow: /p", "/p"},
		{"User-agent: *\nAllow: /p\nDisallow: /", "/page -/folder"},
		{"User-agent: *\nDisallow: /folder\nAllow: /folder", "/folder/page"},
		{"User-agent: *\nAllow: /page\nDisallow: /*.htm", "-/page.htm /page"},
		{"User-agent: *\nAllow: /page\nDisallow: /*.ph", "/page.ph"},
		{"User-agent: *\nAllow: /$\nDisallow: /", "/ -/page.htm"},
		{"User-agent: *\nDisallow: /$", "-/ /page.htm"},
		{"User-agent: *\nDisallow: *.gif$\nAllow: /example/", "-/x.gif /x.gif?q /example/x.gif /x.GIF"},

		// Patterns: section 2.2.3.
		{"User-agent: *\nDisallow: /*/private", "-/a/private -/a/b/private/c /private /aprivate"},
		{"User-agent: *\nDisallow: /b*c", "-/bc -/bxxcx /a/bc"},
		{"User-agent: *\nDisallow: /*?", "-/x?y=z -/? /x"},
		{"User-agent: *\nDisallow: /fish*.php$", "-/fish.php -/fishheads/x.php?.php /fish.php?id /Fish.php"},
		{"User-agent: *\nDisallow: /a**b*$", "-/ab -/axxbxx /a"},
		{"User-agent: *\nDisallow: /ab*ab$", "-/abab -/abxab /ab"},
		{"User-agent: *\nDisallow: /a$b", "-/a$b -/a%24b /a"},
		{"User-agent: *\nDisallow: *", "-/ -/x"},
		{"User-agent: *\nDisallow: /%2A.html\nDisallow: /%24", "-/*.html -/%2a.html /x.html -/$"},

		// Percent signs: section 2.2.2.
		{"User-agent: *\nDisallow: /foo/bar?baz=quz", "-/foo/bar?baz=quz /foo/bar"},
		{"User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar", "-/foo/bar?baz=https://foo.bar"},
		{"User-agent: *\nDisallow: /foo/bar/\u30c4", "-/foo/bar/%E3%83%84 -/foo/bar/%e3%83%84 -/foo/bar/\u30c4"},
		{"User-agent: *\nDisallow: /foo/bar/%E3%83%84", "-/foo/bar/%E3%83%84 -/foo/bar/\u30c4"},
		{"User-agent: *\nDisallow: /foo/bar/%62%61%7A", "-/foo/bar/baz -/foo/bar/%62az"},
		{"User-agent: *\nDisallow: /a%2fb", "-/a%2Fb /a/b"},
		{"User-agent: *\nDisallow: /a%zz%4", "-/a%zz%4 /a"},
	} {
		rules := Parse(c.text, "shoal")
		for path := range strings.FieldsSeq(c.paths) {
			path, refused := strings.CutPrefix(path, "-")
			err := rules.Check(path)
			require.Equal(t, refused, err != nil, "%q: %s: %v", c.text, path, err)
		}
	}
}

func TestWhy(t *testing.T) {
	err := Parse("# ours\r\n\r\nUser-agent: *\r\nDisallow: /*.gif$ # no\r\n", "shoal").Check("/x.gif")
	require.EqualError(t, err, "robots.txt does not allow it: line 4, Disallow: /*.gif$")
	var d *DisallowedError
	require.True(t, errors.As(err, &d))
	require.Equal(t, 4, d.Line)
}

func TestStatuses(t *testing.T) {
	for status := 200; status < 1000; status++ {
		rules := ForStatus(status)
		switch {
		case status < 300:
			require.Nil(t, rules)
		case status < 500 && status != 429:
			require.NoError(t, rules.Check("/"), status)
		default:
			require.EqualError(t, rules.Check("/"), fmt.Sprintf("not allowed: robots.txt could not be read: status %d", status))
			require.NoError(t, rules.Check("/robots.txt"))
		}
	}
	require.ErrorContains(t, Unreachable("connection refused").Check("/x"), "connection refused")
}

func TestCrawlDelay(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                                    0,
		"User-agent: *\nCrawl-delay: 2":       2 * time.Second,
		"User-agent: *\nCrawl-Delay: 0.5 # x": 500 * time.Millisecond,
		"User-agent: *\nCrawl-delay: 2\nCrawl-delay: 1":                                   2 * time.Second,
		"User-agent: *\nCrawl-delay: 2\nUser-agent: shoal\nCrawl-delay: 3":                3 * time.Second,
		"User-agent: *\nCrawl-delay: 2\nUser-agent: shoal\nDisallow: /x":                  0,
		"User-agent: x\nCrawl-delay: 2":                                                   0,
		"Crawl-delay: 2":                                                                  0,
		"User-agent: *\nCrawl-delay: -1\nCrawl-delay: NaN\nCrawl-delay:\nCrawl-delay: 1s": 0,
		"User-agent: *\nCrawl-delay: 1e300\nCrawl-delay: inf":                             Freshness,
	} {
		require.Equal(t, want, Parse(text, "shoal").CrawlDelay(), text)
	}
}

// TestLongFile: what is beyond the limit does not count, least of all a rule
// that the limit cuts.
func TestLongFile(t *testing.T) {
	begin := "User-agent: *\nDisallow: /first\n"
	last := "Disallow: /private/last"
	fill := func(until int) string { return begin + "#" + strings.Repeat("x", until-len(begin)-2) + "\n" }
	for cut := range len(last) + 1 {
		rules := Parse(fill(Bytes-cut)+last+"\nDisallow: /beyond", "shoal")
		require.Error(t, rules.Check("/first"))
		require.NoError(t, rules.Check("/beyond"))
		require.NoError(t, rules.Check("/private/first"))
		require.NoError(t, rules.Check("/private/last"))
	}
	require.Error(t, Parse(fill(Bytes-len(last)-1)+last+"\nDisallow: /beyond", "shoal").Check("/private/last"))
	require.Error(t, Parse(fill(Bytes-len(last))+last, "shoal").Check("/private/last"))
}

func TestToken(t *testing.T) {
	for agent, want := range map[string]string{
		"shoal/1.0 (+http://a/)": "shoal", "shoal": "shoal", "my-bot_x 2": "my-bot_x", "Mozilla/5.0 (x)": "Mozilla", "": "", "4x": "", "b\u00fccher": "b",
	} {
		require.Equal(t, want, Token(agent))
	}
}

func TestTags(t *testing.T) {
	for value, refused := range map[string]string{
		"": "", ",": "", "all": "", "nofollow": "", "noarchive, nosnippet": "",
		"noindex": "noindex", " NoIndex ": "noindex", "nofollow,noindex": "noindex", "none": "none",
		"noai": "noai", "noimageai": "noimageai", "noimageindex": "noimageindex", "noindexing": "",
		"googlebot: noindex":                                        "",
		"googlebot: noindex, noai":                                  "",
		"shoal: noindex":                                            "noindex",
		"Shoal : nofollow, noai":                                    "noai",
		"googlebot: noindex, shoal: noai":                           "noai",
		"shoal: nofollow, googlebot: noai":                          "",
		"noai, googlebot: noindex":                                  "noai",
		"*: noindex":                                                "noindex",
		"max-snippet: 10, noindex":                                  "noindex",
		"max-image-preview: none, nofollow":                         "",
		"unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT, noindex": "noindex",
		"unavailable_after: 25 Jun 2025 15:00:00 PST":               "",
	} {
		err := CheckTag(value, "shoal")
		require.Equal(t, refused != "", err != nil, value)
		if err != nil {
			require.EqualError(t, err, "not allowed: X-Robots-Tag: "+refused)
		}
	}
}

// TestHostileFile: rules and path that would keep a matcher busy that tries
// every way, are judged in a moment.
func TestHostileFile(t *testing.T) {
	text := "User-agent: *\n" + strings.Repeat("Disallow: /"+strings.Repeat("*a", 2000)+"*b$\n", 100)
	require.NoError(t, Parse(text, "shoal").Check("/"+strings.Repeat("a", 8000)))
}

// FuzzPattern compares with a regular expression.
func FuzzPattern(f *testing.F) {
	f.Add("/a*b$", "/axxb")
	f.Add("/*.gif", "/x/y.gif?z")
	f.Add("*a**b*$", "/%61*$b")
	f.Add("/$*$$", "/%24%e3%83%84")
	f.Add("/0", "%0%61")
	f.Fuzz(func(t *testing.T, value, path string) {
		if len(value)+len(path) > 200 {
			return // the regular expression takes its time
		}
		p, path := newPattern(value), normalPath(path)
		expression := "^" + strings.ReplaceAll(regexp.QuoteMeta(p.text), `\*`, `.*`)
		if p.toEnd {
			expression += "$"
		}
		require.Equal(t, regexp.MustCompile("(?s)"+expression).MatchString(path), p.matches(path), "%q %q", expression, path)
		require.Equal(t, path, normalPath(path), "the normal form of a normal form is another")
	})
}

// FuzzParse reads anything, and judges anything by it.
func FuzzParse(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /x\r\nAllow: /x/y*$\rCrawl-delay: 1e9\n", "/x/y", "shoal: noindex, none")
	f.Fuzz(func(t *testing.T, text, path, tag string) {
		rules := Parse(text, "shoal")
		require.NoError(t, rules.Check("/robots.txt"))
		require.LessOrEqual(t, rules.CrawlDelay(), Freshness)
		if err := rules.Check(path); err != nil {
			require.Contains(t, strings.ToLower(text), "disallow")
		}
		_ = CheckTag(tag, "shoal")
	})
}

// BenchmarkCheck judges a path by a file of a thousand rules, none of which
// matches.
func BenchmarkCheck(b *testing.B) {
	var text strings.Builder
	text.WriteString("User-agent: *\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "Disallow: /folder%d/*.html$\n", i)
	}
	rules := Parse(text.String(), "shoal")
	b.ReportAllocs()
	for b.Loop() {
		if rules.Check("/images/herring.jpg?width=1024") != nil {
			b.Fatal("refused")
		}
	}
}
