package netrc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][]Entry{
		"": nil,
		"machine a.example.org login fish password school":                                       {{"a.example.org", "fish", "school"}},
		"machine A.Example.Org\r\n\tlogin fish\r\n\tpassword school\r\n\r\nmachine b\nlogin x\n": {{"a.example.org", "fish", "school"}, {"b", "x", ""}},
		"machine a password p login l account acc machine b password q":                          {{"a", "l", "p"}, {"b", "", "q"}},
		"machine\na\nlogin\nl\npassword\np\ndefault login anonymous password me@":                {{"a", "l", "p"}, {"", "anonymous", "me@"}},
		"# machine x login y\nmachine a login l # password no\n  #\npassword #yes#":              {{"a", "l", "#yes#"}},
		`machine a login "two words" password "a\"b\\c\n\r\t\x"`:                                 {{"a", "two words", "a\"b\\c\n\r\tx"}},
		`machine a login "" password in"side`:                                                    {{"a", "", `in"side`}},
		"machine a login macdef password default":                                                {{"a", "macdef", "default"}},
		"machine a login l macdef init\ncd /pub\nmachine no\n\npassword p":                       {{"a", "l", "p"}},
		"macdef init\r\nmachine no login x\r\n\r\nmachine a":                                     {{"a", "", ""}},
		"macdef init\nmachine no login x":                                                        nil,
		"macdef":                                                                                 nil,
	} {
		f, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, f.entries, text)
	}
}

// TestBadText: what is wrong, and where; never a word of the file, which may be
// part of a password.
func TestBadText(t *testing.T) {
	for text, want := range map[string]string{
		"machine a login l\npassword my secret\n": "line 2: there is a word where one of machine, ",
		"machine a\n\n\nlogin":                    "line 4: login without a value",
		"machine":                                 "line 1: machine without a value",
		"\nlogin secret":                          "line 2: login stands before any machine",
		"macdef x\n\n\npassword secret":           "line 4: password stands before any machine",
		"machine a\npassword \"secret\nlogin \"":  "line 2: a quote is not closed on its line",
		"machine a password \"secret\\":           "line 1: a quote is not closed on its line",
		"Machine secret":                          "line 1: there is a word",
		"machine a password \"secret\"secret":     "line 1: there is a word",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestFind(t *testing.T) {
	f, err := Parse("machine a login one password 1 machine a login two password 2 machine b password 3 default login any password 4 machine late password 5")
	require.NoError(t, err)
	for _, c := range []struct{ host, login, password string }{
		{"a", "", "1"}, {"a", "one", "1"}, {"a", "two", "2"}, {"a", "any", "4"}, {"a", "three", ""},
		{"b", "", "3"}, {"b", "x", ""}, {"c", "", "4"}, {"late", "", "4"}, {"sub.a", "", "4"},
	} {
		e, ok := f.Find(c.host, c.login)
		require.Equal(t, c.password != "", ok, "%v", c)
		require.Equal(t, c.password, e.Password, "%v", c)
	}
}

func TestOpen(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".netrc")
	_, err := Open(name)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(name, []byte("machine a login l password p"), 0o600))
	f, err := Open(name)
	require.NoError(t, err)
	e, ok := f.Find("a", "")
	require.True(t, ok)
	require.Equal(t, Entry{"a", "l", "p"}, e)

	require.NoError(t, os.WriteFile(name, []byte("machine"), 0o600))
	_, err = Open(name)
	require.EqualError(t, err, name+": line 1: machine without a value")
	require.NoError(t, os.WriteFile(name, []byte(strings.Repeat(" ", FileBytes+1)), 0o600))
	_, err = Open(name)
	require.ErrorContains(t, err, "longer than 131072 bytes")
	_, err = Open(filepath.Dir(name))
	require.Error(t, err)
}

// TestModes: group and others may do nothing with the file.
func TestModes(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".netrc")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o700: true, 0o640: false, 0o604: false, 0o620: false, 0o602: false, 0o610: false, 0o644: false} {
		require.NoError(t, os.Chmod(name, mode))
		_, err := Open(name)
		if ok {
			require.NoError(t, err, mode)
			continue
		}
		var bad *ModeError
		require.True(t, errors.As(err, &bad), mode)
		require.Equal(t, mode, bad.Mode)
		require.ErrorContains(t, err, "chmod 600 "+name)
	}
}

// info is a file of another user, which a test cannot make unless it is root's.
type info struct {
	fs.FileInfo
	owner uint32
}

func (info) Mode() fs.FileMode { return 0o600 }
func (i info) Sys() any        { return &syscall.Stat_t{Uid: i.owner} }

func TestOwners(t *testing.T) {
	user := uint32(os.Geteuid())
	require.NoError(t, checkMode("x", info{owner: user}))
	require.NoError(t, checkMode("x", info{owner: 0}))
	err := checkMode("x", info{owner: user + 1})
	if user == 0 {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, "not to you")
}

// FuzzParse reads anything. What it reads has its words from the text, or from
// its escapes.
func FuzzParse(f *testing.F) {
	f.Add("machine a.example.org login fish password \"a\\\"b\"\ndefault login x # y\nmacdef z\nq\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse(text)
		if err != nil {
			return
		}
		for _, e := range file.entries {
			if !strings.Contains(text, `\`) {
				require.Contains(t, text, e.Login)
				require.Contains(t, text, e.Password)
			}
			_, ok := file.Find(e.Machine, e.Login)
			require.True(t, ok)
		}
	})
}
