package save

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

func TestNameFor(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct{ rule, url, want string }{
		{"segment", "http://h/p/a.jpg", "a.jpg"},
		{"segment", "http://h/a.jpg?x=/b.png", "a.jpg"},
		{"segment", "http://h/a.jpg#/b.png", "a.jpg"},
		{"segment", "http://h/a.jpg#?", "a.jpg"},
		{"segment", "http://h/a.jpg;v=1", "a.jpg;v=1"},
		{"segment", "http://h", "index.html"},
		{"segment", "http://h/", "index.html"},
		{"segment", "http://h/p/", "index.html"},
		{"segment", "http://h?q", "index.html"},
		{"segment", "http://h//a.jpg", "a.jpg"},
		{"segment", "http://h/p//", "index.html"},
		{"segment", "http://h/http://other/a.jpg", "a.jpg"},
		{"segment", "http://user:pw@[::1]:80/a.jpg", "a.jpg"},
		{"segment", "//h/a.jpg", "a.jpg"},
		{"segment", "h/a.jpg", "a.jpg"},
		{"segment", "h/http://a", "a"},
		{"segment", "a.jpg", "index.html"},
		{"segment", "", "index.html"},

		{"decode", "http://h/a%20b.jpg", "a b.jpg"},
		{"decode", "http://h/%61%4A.jpg", "aJ.jpg"},
		{"decode", "http://h/%2541.jpg", "%41.jpg"},
		{"decode", "http://h/50%25%2.jpg", "50%%2.jpg"},
		{"decode", "http://h/a%", "a%"},
		{"decode", "http://h/a%zz%4", "a%zz%4"},
		{"decode", "http://h/%E2%82%AC.jpg", "€.jpg"},
		{"decode", "http://h/a%3Fb%23c.jpg", "a_b#c.jpg"},
		{"decode", "http://h/a+b.jpg", "a+b.jpg"},

		{"valid", "http://h/caf%E9.jpg", "caf_.jpg"},
		{"valid", "http://h/%C0%AE%C0%AE", "_"},
		{"valid", "http://h/a%ED%A0%80.jpg", "a_.jpg"},
		{"valid", "http://h/a\xff.jpg", "a_.jpg"},

		{"compose", "http://h/e%CC%81.jpg", "\u00e9.jpg"},
		{"compose", "http://h/\u212b.jpg", "\u00c5.jpg"},

		{"replace", "http://h/..%2F..%2Fetc%2Fpasswd", "___.._etc_passwd"},
		{"replace", `http://h/a\b.jpg`, "a_b.jpg"},
		{"replace", "http://h/%5C%2F%3A%2A%3F%22%3C%3E%7C.jpg", "_________.jpg"},
		{"replace", "http://h/a%00%01%1F%7F.jpg", "a____.jpg"},
		{"replace", "http://h/a%C2%80%C2%9F.jpg", "a__.jpg"},
		{"replace", "http://h/a%0D%0A.jpg", "a__.jpg"},
		{"replace", "http://h/a%E2%80%A8.jpg", "a_.jpg"},
		{"replace", "http://h/photo_%E2%80%AEgpj.exe", "photo__gpj.exe"},
		{"replace", "http://h/a%EF%BB%BF.jpg", "a_.jpg"},
		{"replace", "http://h/\u2066a\u200b\u200f.jpg", "_a__.jpg"},
		{"replace", "http://h/\u06af\u0644\u200c\u0647\u0627.jpg", "\u06af\u0644\u200c\u0647\u0627.jpg"},
		{"replace", "http://h/\U0001F469\u200d\U0001F680.jpg", "\U0001F469\u200d\U0001F680.jpg"},
		{"replace", "http://h/\u06dd1.jpg", "\u06dd1.jpg"},

		{"front", "http://h/.", "_"},
		{"front", "http://h/..", "__"},
		{"front", "http://h/%2e%2E", "__"},
		{"front", "http://h/...", "___"},
		{"front", "http://h/.htaccess", "_htaccess"},
		{"front", "http://h/..a.jpg", "__a.jpg"},

		{"back", "http://h/a.jpg.", "a.jpg"},
		{"back", "http://h/a.jpg%20.%20", "a.jpg"},
		{"back", "http://h/%20", "_"},
		{"back", "http://h/%20.", "_"},
		{"back", "http://h/%20a.jpg", " a.jpg"},

		{"device", "http://h/CON", "_CON"},
		{"device", "http://h/con.jpg", "_con.jpg"},
		{"device", "http://h/Prn.tar.gz", "_Prn.tar.gz"},
		{"device", "http://h/aux.", "_aux"},
		{"device", "http://h/nul%20.jpg", "_nul .jpg"},
		{"device", "http://h/com1.jpg", "_com1.jpg"},
		{"device", "http://h/LPT9", "_LPT9"},
		{"device", "http://h/com%C2%B9.jpg", "_com\u00b9.jpg"},
		{"device", "http://h/CONOUT$", "_CONOUT$"},
		{"device", "http://h/conin$.txt", "_conin$.txt"},
		{"device", "http://h/com0.jpg", "com0.jpg"},
		{"device", "http://h/com10.jpg", "com10.jpg"},
		{"device", "http://h/console.jpg", "console.jpg"},
		{"device", "http://h/a.con", "a.con"},

		{"shorten", "http://h/" + long[:maxName], long[:maxName]},
		{"shorten", "http://h/" + long, long[:maxName]},
		{"shorten", "http://h/" + long + ".jpg", long[:maxName-4] + ".jpg"},
		{"shorten", "http://h/" + long + ".123456789012345", long[:maxName-16] + ".123456789012345"},
		{"shorten", "http://h/" + long + ".1234567890123456", long[:maxName]},
		{"shorten", "http://h/a." + long, "a." + long[:maxName-2]},
		{"shorten", "http://h/" + long[:maxName-1] + "." + long, long[:maxName-1]},
		{"shorten", "http://h/" + strings.Repeat("€", 100) + ".jpg", strings.Repeat("€", (maxName-4)/3) + ".jpg"},
		{"shorten", "http://h/" + strings.Repeat("é", 150), strings.Repeat("é", maxName/2)},
	}
	for _, test := range tests {
		require.Equal(t, test.want, nameFor(test.url), "%s: %q", test.rule, test.url)
	}
}

// TestLengthsFit holds the constants together: the longest name has room for a
// number.
func TestLengthsFit(t *testing.T) {
	numbered := withTail(nameFor("http://h/"+strings.Repeat("€", 300)+".jpeg"), "-123456", maxComponent)
	require.LessOrEqual(t, len(numbered), maxComponent)
	require.True(t, strings.HasSuffix(numbered, "€-123456.jpeg"), numbered)
}

// TestPlainNameIsPieceOfURL also holds the quick way to the slow one: what it
// calls plain, no step changes.
func TestPlainNameIsPieceOfURL(t *testing.T) {
	const plainURL = "https://images.example.org/2024/05/IMG_20240501-0042.jpg?width=640"
	require.Zero(t, testing.AllocsPerRun(100, func() { nameFor(plainURL) }))
	for c := range utf8.RuneSelf {
		segment := "a" + string(rune(c)) + "b"
		if isPlain(segment) {
			require.Equal(t, segment, nameFor("http://h/"+url.PathEscape(segment)))
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{
		"http://h/p/a.jpg?x#y", "http://h/", "http://h/%2e%2e%2f%00", "http://h/con.jpg", "h/.\u0301", "http://h/<\u0338>\u0338",
		"http://h/caf%E9.jpg", "http://h/e%CC%81", "http://h/\u202egpj.exe", "http://h/" + strings.Repeat("\u0345", 99) + ". .",
		"http://h/" + strings.Repeat("%F0%9F%90%9F", 80) + ".jpeg", "http://h/%25%32%35", "http://h/\u1100\u1161\u11a8",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rawURL string) {
		name := nameFor(rawURL)
		require.NotEmpty(t, name)
		require.LessOrEqual(t, len(name), maxName)
		require.True(t, utf8.ValidString(name))
		require.True(t, norm.NFC.IsNormalString(name))
		require.False(t, strings.ContainsAny(name, "/\\:*?\"<>|\x00"))
		require.False(t, strings.ContainsFunc(name, unicode.IsControl))
		require.False(t, strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }))
		require.False(t, strings.HasPrefix(name, "."))
		require.NotContains(t, ". ", name[len(name)-1:])
		require.False(t, isDevice(name))
		require.Equal(t, name, nameFor("http://h/"+url.PathEscape(name)), "a second time")
	})
}

func BenchmarkNameFor(b *testing.B) {
	for _, bench := range []struct{ name, url string }{
		{"plain", "https://images.example.org/2024/05/IMG_20240501-0042.jpg?width=640"},
		{"escaped", "https://images.example.org/2024/05/IMG%2020240501-0042.jpg?width=640"},
		{"unicode", "https://images.example.org/2024/05/%E5%86%99%E7%9C%9F-e%CC%81.jpg"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				nameFor(bench.url)
			}
		})
	}
}
