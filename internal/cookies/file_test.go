package cookies

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, text string) *Jar {
	t.Helper()
	j := New()
	bad, err := j.Read(strings.NewReader(text), now)
	require.NoError(t, err)
	require.Empty(t, bad)
	return j
}

func written(t *testing.T, j *Jar) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, j.Write(&b, now))
	_, lines, ok := strings.Cut(b.String(), "\n\n")
	require.True(t, ok)
	return lines
}

func TestFile(t *testing.T) {
	j := read(t, "# Netscape HTTP Cookie File\r\n\n \n"+
		".example.org\tTRUE\t/\tFALSE\t0\tlogin\tyes please\r\n"+
		"a.example.org\tFALSE\t/x\tTRUE\t4102444800\tid\t\"42\"\n"+
		"#HttpOnly_.example.org\tTRUE\t/\tFALSE\t4102444800\thidden\ta=b\n"+
		"# a.example.org\tFALSE\t/\tFALSE\t0\tcomment\tx\n"+
		"a.example.org\tFALSE\t/\tFALSE\t1000000000\texpired\tx\n"+
		"A.Example.org\tfalse\t/\tfalse\t0\tempty\n"+
		"127.0.0.1\tTRUE\t/\tFALSE\t0\tip\tx")
	require.Equal(t, "id=\"42\"; login=yes please; hidden=a=b; empty=", header(j, "https://a.example.org/x"))
	require.Equal(t, "login=yes please; hidden=a=b", header(j, "http://example.org/x"))
	require.Equal(t, "ip=x", header(j, "http://127.0.0.1/"))
	require.Equal(t, "127.0.0.1\tFALSE\t/\tFALSE\t0\tip\tx\n"+
		"a.example.org\tFALSE\t/x\tTRUE\t4102444800\tid\t\"42\"\n"+
		"a.example.org\tFALSE\t/\tFALSE\t0\tempty\t\n"+
		".example.org\tTRUE\t/\tFALSE\t0\tlogin\tyes please\n"+
		"#HttpOnly_.example.org\tTRUE\t/\tFALSE\t4102444800\thidden\ta=b\n", written(t, j))
}

// TestServersCookiesAreWritten: what servers have set is written, and what they
// have taken back is not.
func TestServersCookiesAreWritten(t *testing.T) {
	j := read(t, "a.example.org\tFALSE\t/\tFALSE\t4102444800\told\tx\n")
	set(t, j, "https://a.example.org/x/y", "new=1; Domain=example.org; Max-Age=60; HttpOnly; Secure", "old=; Path=/; Max-Age=0", "run=2")
	require.Equal(t, "a.example.org\tFALSE\t/x\tFALSE\t0\trun\t2\n#HttpOnly_.example.org\tTRUE\t/x\tTRUE\t1795176060\tnew\t1\n", written(t, j))
}

func TestBadLines(t *testing.T) {
	good := "a.example.org\tFALSE\t/\tFALSE\t0\tgood\tx\n"
	for line, want := range map[string]string{
		"a.example.org FALSE / FALSE 0 a b":                  "1 fields instead of 7",
		"a.example.org\tFALSE\t/\tFALSE\t0":                  "5 fields",
		"a.example.org\tFALSE\t/\tFALSE\t0\ta\tb\tc":         "8 fields",
		"a.example.org\tmaybe\t/\tFALSE\t0\ta\tb":            `"maybe" is neither TRUE nor FALSE`,
		"a.example.org\tTRUE\t/\t1\t0\ta\tb":                 `"1" is neither TRUE nor FALSE`,
		"a.example.org\tTRUE\t/\tTRUE\ttomorrow\ta\tb":       `"tomorrow", which is no Unix time`,
		"a.example.org\tTRUE\tx\tTRUE\t0\ta\tb":              "begin with a slash",
		"\tTRUE\t/\tTRUE\t0\ta\tb":                           "is no domain",
		"a b\tTRUE\t/\tTRUE\t0\ta\tb":                        "is no domain",
		".co.uk\tTRUE\t/\tTRUE\t0\ta\tb":                     "for all of co.uk",
		"a.example.org\tTRUE\t/\tTRUE\t0\t\tb":               "needs a name",
		"a.example.org\tTRUE\t/\tTRUE\t0\ta\tb;c":            "a character that would end it",
		"a.example.org\tTRUE\t/\tTRUE\t0\ta=b\tc":            "a character that would end it",
		"a.example.org\tTRUE\t/\tTRUE\t0\ta\t b":             "a character that would end it",
		"a.example.org\tTRUE\t/\tTRUE\t0\ta\tb\x00":          "control characters",
		"a.example.org\tTRUE\t/\tTRUE\t0\t__Host-a\tb":       "without a Domain",
		`[{"domain":"a.example.org","name":"a","value":""}]`: "1 fields instead of 7",
	} {
		j := New()
		bad, err := j.Read(strings.NewReader(good+line+"\n"+good), now)
		require.NoError(t, err)
		require.Len(t, bad, 1, line)
		require.Equal(t, 2, bad[0].Line)
		require.ErrorContains(t, bad[0], want)
		require.Equal(t, 1, j.Len())
	}
}

func TestFileThatIsNone(t *testing.T) {
	_, err := New().Read(strings.NewReader("#\n"+strings.Repeat("x", LineBytes+10)), now)
	require.EqualError(t, err, "line 2: longer than 65536 bytes; this is no cookie file")
	_, err = New().Read(io.MultiReader(strings.NewReader("#\n"), iotest.ErrReader(errors.New("no more"))), now)
	require.EqualError(t, err, "no more")
	require.Error(t, New().Write(failing{}, now))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// FuzzFile reads anything; what was read is written, and read again as the
// same.
func FuzzFile(f *testing.F) {
	f.Add(".example.org\tTRUE\t/\tFALSE\t0\tlogin\tyes please\r\n#HttpOnly_a.example.org\tFALSE\t/x\tTRUE\t4102444800\tid\t\"42\"")
	f.Add("a\tFALSE\t/\tFALSE\t-1\ta\nb\tTRUE\t/\tTRUE\t9223372036854775807\ta\tb")
	f.Fuzz(func(t *testing.T, text string) {
		j := New()
		if _, err := j.Read(strings.NewReader(text), now); err != nil {
			return
		}
		once := written(t, j)
		again := read(t, once)
		require.Equal(t, j.Len(), again.Len())
		require.Equal(t, once, written(t, again))
	})
}

// FuzzSetCookie: no field of a server's makes a file that cannot be read.
func FuzzSetCookie(f *testing.F) {
	f.Add("https://a.example.org/x/y", "a=b; Domain=example.org; Path=/x; Max-Age=10; Secure; HttpOnly")
	f.Add("http://127.0.0.1/", "a=b; Expires=Sun, 06 Nov 2094 08:49:37 GMT; Path=\t/")
	f.Fuzz(func(t *testing.T, url, field string) {
		from := at(url)
		if !isHost(from.Host) || strings.HasPrefix(from.Host, ".") || strings.ContainsFunc(from.Path, isControl) || strings.ToLower(from.Host) != from.Host {
			return // not an URL that the engine would ask
		}
		j := New()
		if j.Set(from, field, now) != nil {
			return
		}
		again := read(t, written(t, j))
		require.Equal(t, j.Len(), again.Len())
		to := URL{Secure: true, Host: from.Host, Path: from.Path}
		require.Equal(t, string(j.AppendHeader(nil, to, now)), string(again.AppendHeader(nil, to, now)))
	})
}
