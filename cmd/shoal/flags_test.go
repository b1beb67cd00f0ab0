package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUsage has what the command refuses: the status is 2, standard output
// stays empty, nothing is made, and the message names what is wrong and what
// would be right.
func TestUsage(t *testing.T) {
	const url = "http://127.0.0.1:9/a"
	for _, c := range []struct {
		name   string
		args   []string
		expect []string // in the message
	}{
		{"no URL", nil, []string{"no URL", "-i -"}},
		{"no connection", []string{"-j", "0", url}, []string{"-j", "from 1", "not 0"}},
		{"fewer than none", []string{"-j", "-3", url}, []string{"-j", "from 1", "not -3"}},
		{"no number", []string{"-j", "many", url}, []string{"-j", "many"}},
		{"no integer", []string{"--max-per-host", "1.5", url}, []string{"--max-per-host", "1.5"}},
		{"none per host", []string{"--max-per-host", "0", url}, []string{"--max-per-host", "from 1", "not 0"}},
		{"no loop", []string{"--loops", "0", url}, []string{"--loops", "from 1", "not 0"}},
		{"many loops", []string{"--loops", "65", url}, []string{"--loops 65", "at most 64"}},
		{"a textbook's loops", []string{"--loops", "2", "--textbook", url}, []string{"--loops and --textbook"}},
		{"beyond the descriptors of loops", []string{"--loops", "2", "-j", "2000000000", url, url}, []string{"-j 2000000000", "MaxConns is 2000000000", "descriptor limit", "ulimit -n"}},
		{"beyond the descriptors", []string{"-j", "2000000000", url}, []string{"2000000000", "descriptor limit", "room for", "ulimit -n"}},
		{"beyond numbers", []string{"-j", "99999999999999999999", url}, []string{"-j", "99999999999999999999"}},
		{"unknown flag", []string{"--fly", url}, []string{"--fly", "shoal --help"}},
		{"flag without its value", []string{url, "-d"}, []string{"-d"}},
		{"URL for a folder", []string{"-d", url, url}, []string{"-d", url, "folder"}},
		{"URL for a file", []string{"-o", url, url}, []string{"-o", url}},
		{"URL for a list", []string{"-i", url}, []string{"-i", url}},
		{"one file for two URLs", []string{"-o", "x", url, url}, []string{"-o", "-d DIR"}},
		{"one file for a list", []string{"-o", "x", "-i", "list"}, []string{"-o", "-d DIR"}},
		{"URL for a folder, and none besides", []string{"-d", url}, []string{"-d " + url, "that is a URL"}},
		{"URL for a field", []string{"-H", url, url}, []string{"-H", "that is a URL"}},
		{"URL for a time", []string{"-m", url}, []string{"--max-time", url, "such as 10, 0.5"}},
		{"URL for a report", []string{"--failed", url, url}, []string{"--failed " + url}},
		{"no time", []string{"--stall-timeout", "soon", url}, []string{"--stall-timeout", "soon", "10s"}},
		{"no time at all", []string{"--connect-timeout", "0", url}, []string{"--connect-timeout", "more than 0"}},
		{"no size", []string{"--max-filesize", "big", url}, []string{"--max-filesize", "big", "64k"}},
		{"no redirects", []string{"--max-redirs", "-1", url}, []string{"--max-redirs", "from 0", "-1"}},
		{"no share", []string{"--max-failed", "120%", url}, []string{"--max-failed", "120%", "5%"}},
		{"two requests in one", []string{"-H", "X: a\r\nY: b", url}, []string{"--header", "no line end"}},
		{"two lines of an agent", []string{"-A", "a\nb", url}, []string{"-A", "without line ends"}},
		{"no family left", []string{"-4", "-6", url}, []string{"-4 and -6"}},
		{"no address", []string{"--resolve", "h:80", url}, []string{"--resolve", "HOST:PORT:ADDR"}},
		{"no style", []string{"--progress", "bar", url}, []string{"--progress", "plain, line or none"}},
		{"an offset", []string{"-C", "100", url}, []string{"no offset, not 100", "-C -", "-r"}},
		{"nothing to go on with", []string{"-C", "-", "-o", "-", url}, []string{"-C -", "-o -"}},
		{"a textbook to go on with", []string{"-C", "-", "--textbook", url}, []string{"-C and --textbook"}},
		{"nothing to know by", []string{"--skip-complete", url}, []string{"--skip-complete", "--state FILE"}},
		{"nothing to remember", []string{"--state", "s", "-o", "-", url}, []string{"--state", "-o -"}},
		{"half of something to remember", []string{"--state", "s", "-r", "0-9", url}, []string{"--state", "-r"}},
		{"URL for a state", []string{"--state", url}, []string{"--state " + url}},
		{"silent and talkative", []string{"-s", "-v", url}, []string{"-s and -v"}},
		{"no fault", []string{"--fault", "recv-again=120", url}, []string{"--fault", "recv-again", "from 1 to 99", "not 120"}},
		{"no fault but a seed", []string{"--fault", "seed=1", url}, []string{"--fault seed=1", "recv-max=7"}},
		{"standard input twice", []string{"-i", "-", "-i", "-"}, []string{"-i -", "once"}},
		{"a folder for a list", []string{"-i", "."}, []string{"folder, not a list"}},
		{"a report that cannot be made", []string{"--failed", "missing/f", "-o", os.DevNull, url}, []string{"missing/f"}},
		{"no proxy", []string{"-x", "socks5://", url}, []string{"-x", "HOST[:PORT]"}},
		{"a page for a proxy", []string{"-x", url}, []string{"-x", "HOST[:PORT]"}},
		{"a proxy of version 4", []string{"-x", "socks4://h", url}, []string{"-x", "socks5h", "not socks4"}},
		{"a proxy's port", []string{"-x", "h:65536", url}, []string{"-x", "65535"}},
		{"a login without a password", []string{"-U", "carp", url}, []string{"-U", "USER:PASSWORD", "USER:"}},
		{"the textbook with a proxy", []string{"--textbook", "-x", "socks5://h:1", url}, []string{"-x and --textbook"}},
		{"URLs and a list", []string{"-i", "-", url}, []string{"-i", "list"}},
		{"no method", []string{"-X", "GET /", url}, []string{"-X", "PUT", "GET /"}},
		{"a tunnel", []string{"-X", "CONNECT", url}, []string{"-X", "CONNECT"}},
		{"two methods", []string{"-I", "-X", "PUT", url}, []string{"-I and -X"}},
		{"a body for a head", []string{"-I", "--data", "x", url}, []string{"-I and --data"}},
		{"a file for a head", []string{"-I", "-o", "x", url}, []string{"-I", "-o"}},
		{"heads among records", []string{"-I", "--json", url}, []string{"-I and --json", "--json=FILE"}},
		{"no range", []string{"-r", "9-1", url}, []string{"--range", "0-499"}},
		{"several ranges", []string{"-r", "0-1,3-4", url}, []string{"--range", "several parts"}},
		{"nothing from the end", []string{"-r", "-0", url}, []string{"--range", "-500"}},
		{"two ranges", []string{"-r", "0-1", "-H", "Range: bytes=1-2", url}, []string{"-r and -H Range"}},
		{"two lines of a referer", []string{"-e", "a\nb", url}, []string{"-e", "line ends"}},
		{"standard input for list and data", []string{"-i", "-", "--data", "@-"}, []string{"--data @-", "once"}},
		{"no data", []string{"--data", "@missing", url}, []string{"missing", "no such file"}},
		{"no password", []string{"-u", "carp", url}, []string{"-u", "NAME:PASSWORD", ".netrc"}},
		{"two logins", []string{"-u", "a:b", "--oauth2-bearer", "t", url}, []string{"-u and --oauth2-bearer"}},
		{"no token", []string{"--oauth2-bearer", "a b", url}, []string{"--oauth2-bearer", "visible"}},
		{"two lines of cookies", []string{"-b", "a=b\nc", url}, []string{"-b", "line ends"}},
		{"a jar nowhere", []string{"-c", "missing/c", url}, []string{"-c missing/c", "no folder"}},
		{"a URL for a jar", []string{"-c", url, url}, []string{"-c " + url, "takes a file"}},
		{"cookies among records", []string{"-c", "-", "--json", url}, []string{"-c -", "-c FILE"}},
		{"the textbook's own method", []string{"--textbook", "-X", "PUT", url}, []string{"--textbook", "--raw-request"}},
		{"the textbook with a password", []string{"--textbook", "http://a:b@h/"}, []string{"request line", "password"}},
		{"no such list", []string{"-i", "missing"}, []string{"missing", "no such file"}},
		{"a folder for a file", []string{"-o", ".", url}, []string{"not a file"}},
		{"a file for a folder", []string{"-d", "flags_test.go", url}, []string{"flags_test.go", "not a directory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := shoal(t, c.args...)
			require.Equal(t, exitUsage, got.status)
			require.Empty(t, got.stdout)
			message := lines(got.stderr)
			require.NotEmpty(t, message)
			require.Regexp(t, "^shoal: ", message[0])
			for _, part := range c.expect {
				require.Contains(t, got.stderr, part)
			}
		})
	}
	require.NoFileExists(t, "x")
}

func TestHelp(t *testing.T) {
	got := shoal(t, "--help")
	require.Equal(t, exitOK, got.status)
	require.Empty(t, got.stderr)
	for _, flag := range []string{"-i,", "-d,", "-o,", "-j,", "--max-per-host", "--loops", "--json[=FILE]", "-s,", "--stats", "--version", "--textbook", "128+n"} {
		require.Contains(t, got.stdout, flag)
	}
	for _, line := range lines(got.stdout) {
		require.LessOrEqual(t, len(line), 100, line)
		require.Equal(t, strings.TrimRight(line, " "), line)
	}
	require.Equal(t, got, shoal(t, "-h"))
}

func TestVersion(t *testing.T) {
	for _, flag := range []string{"--version", "-V"} {
		require.Equal(t, said{exitOK, "shoal " + version + "\n", ""}, shoal(t, flag))
	}
}

// TestRefusedBeforeAnythingIsMade: a usage error leaves no folder behind.
func TestRefusedBeforeAnythingIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	require.Equal(t, exitUsage, shoal(t, "-j", "0", "-d", dir, "http://127.0.0.1:9/a").status)
	_, err := os.Stat(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}
