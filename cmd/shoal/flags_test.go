package main

import (
	"os"
	"path/filepath"
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
		{"beyond the descriptors", []string{"-j", "2000000000", url}, []string{"2000000000", "descriptor limit", "room for", "ulimit -n"}},
		{"beyond numbers", []string{"-j", "99999999999999999999", url}, []string{"-j", "99999999999999999999"}},
		{"unknown flag", []string{"--fly", url}, []string{"--fly", "shoal --help"}},
		{"flag without its value", []string{url, "-d"}, []string{"-d"}},
		{"URL for a folder", []string{"-d", url, url}, []string{"-d", url, "folder"}},
		{"URL for a file", []string{"-o", url, url}, []string{"-o", url}},
		{"URL for a list", []string{"-i", url}, []string{"-i", url}},
		{"one file for two URLs", []string{"-o", "x", url, url}, []string{"-o", "-d DIR"}},
		{"one file for a list", []string{"-o", "x", "-i", "list"}, []string{"-o", "-d DIR"}},
		{"URLs and a list", []string{"-i", "-", url}, []string{"-i", "list"}},
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
	for _, flag := range []string{"-i,", "-d,", "-o,", "-j,", "--max-per-host", "--json", "-s,", "--stats", "--version"} {
		require.Contains(t, got.stdout, flag)
	}
}

func TestVersion(t *testing.T) {
	require.Equal(t, said{exitOK, "shoal " + version + "\n", ""}, shoal(t, "--version"))
}

// TestRefusedBeforeAnythingIsMade: a usage error leaves no folder behind.
func TestRefusedBeforeAnythingIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	require.Equal(t, exitUsage, shoal(t, "-j", "0", "-d", dir, "http://127.0.0.1:9/a").status)
	_, err := os.Stat(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}
