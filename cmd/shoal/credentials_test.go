package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// home makes a home with a .netrc of a mode.
func home(t *testing.T, netrc string, mode os.FileMode) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	name := filepath.Join(dir, ".netrc")
	require.NoError(t, os.WriteFile(name, []byte(netrc), mode))
	require.NoError(t, os.Chmod(name, mode))
}

// TestNetrc: a name and password by host, on the way of a redirect too, the
// default one only where the user himself sends it.
func TestNetrc(t *testing.T) {
	home(t, "machine a.localhost login carp password fry\nmachine b.localhost login\neel password pie\ndefault login other password guess", 0o600)
	atOnceAndInTurn(t, func(t *testing.T, m *echo, args ...string) {
		got := shoal(t, slices.Concat(args, []string{"-n", m.at("a.localhost") + "/to/b.localhost/302/1", m.at("b.localhost") + "/to/c.localhost/302/2",
			m.at("c.localhost") + "/3", strings.Replace(m.at("a.localhost"), "//", "//u:p@", 1) + "/4"})...)
		require.Equal(t, exitOK, got.status, got.stderr)
		sent := map[string]string{}
		for _, r := range m.take() {
			name, password, _ := r.BasicAuth()
			sent[r.URL.Path] = name + ":" + password
		}
		require.Equal(t, map[string]string{
			"/to/b.localhost/302/1": "carp:fry", "/1": "eel:pie",
			"/to/c.localhost/302/2": "eel:pie", "/2": ":",
			"/3": "other:guess", "/4": "u:p",
		}, sent)
	})
}

// TestNetrcRefused: a file that others can read is not used, and the message
// says what to do.
func TestNetrcRefused(t *testing.T) {
	m := newEcho(t)
	home(t, "default login carp password fry", 0o644)
	got := shoal(t, "-n", "-d", t.TempDir(), m.URL+"/1")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "chmod 600")
	require.NotContains(t, got.stderr, "fry")
	home(t, "machine a login carp password fry extra", 0o600)
	got = shoal(t, "-n", "-d", t.TempDir(), m.URL+"/1")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "line 1")
	require.NotContains(t, got.stderr, "fry")
	t.Setenv("HOME", t.TempDir())
	require.Contains(t, shoal(t, "-n", "-d", t.TempDir(), m.URL+"/1").stderr, "no such file")
	require.Empty(t, m.take())
}

// TestCookieJar: what one run is given the next one sends, to its own host.
func TestCookieJar(t *testing.T) {
	atOnceAndInTurn(t, func(t *testing.T, m *echo, args ...string) {
		file := filepath.Join(t.TempDir(), "cookies.txt")
		got := shoal(t, slices.Concat(args, []string{"-b", file, "-c", file, m.at("a.localhost") + "/1?set=k%3Dv%3BMax-Age%3D99&set=s%3D1"})...)
		require.Equal(t, exitOK, got.status, got.stderr)
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
		require.Contains(t, content(t, file), "# Netscape HTTP Cookie File\n")
		require.Equal(t, []string{"cookies.txt"}, names(t, filepath.Dir(file)))
		m.take()

		got = shoal(t, slices.Concat(args, []string{"-b", file, "-b", "o=1", m.at("a.localhost") + "/2", m.at("b.localhost") + "/3", m.at("a.localhost") + "/to/b.localhost/302/4"})...)
		require.Equal(t, exitOK, got.status, got.stderr)
		sent := map[string]string{}
		for _, r := range m.take() {
			sent[r.URL.Path] = r.Header.Get("Cookie")
		}
		require.Equal(t, map[string]string{"/2": "o=1; k=v; s=1", "/3": "o=1", "/to/b.localhost/302/4": "o=1; k=v; s=1", "/4": ""}, sent)
	})
}

// TestCookiesInOneRun: a redirect carries what the response before it set, and
// with several loops too.
func TestCookiesInOneRun(t *testing.T) {
	m := newEcho(t)
	for _, loops := range []string{"1", "2"} {
		args := []string{"-d", t.TempDir(), "--loops", loops, "-b", ""}
		for _, host := range []string{"a", "b", "c", "d"} {
			args = append(args, m.at(host+".localhost")+"/to/"+host+".localhost/302/"+host+"?set=h%3D"+host+"%3BPath%3D/")
		}
		got := shoal(t, args...)
		require.Equal(t, exitOK, got.status, got.stderr)
		for _, r := range m.take() {
			if len(r.URL.Path) == len("/a") {
				require.Equal(t, "h="+r.Host[:1], r.Header.Get("Cookie"))
			}
		}
	}
}

// TestCookieFiles: what is wrong with a file is told.
func TestCookieFiles(t *testing.T) {
	m, dir := newEcho(t), t.TempDir()
	require.Contains(t, shoal(t, "-d", dir, "-b", filepath.Join(dir, "none"), m.URL+"/1").stderr, "no such file")
	file := listFile(t, "nonsense", "127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb")
	got := shoal(t, "-d", dir, "-b", file, m.URL+"/1")
	require.Equal(t, exitOK, got.status)
	require.Contains(t, got.stderr, "line 1: 1 fields instead of 7")
	require.Equal(t, "a=b", m.take()[0].Header.Get("Cookie"))
	got = shoal(t, "-d", dir, "-b", file, "-c", "-", m.URL+"/2")
	require.Contains(t, got.stdout, "127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	got = shoal(t, "-d", dir, "-c", filepath.Join(dir, "folder"), m.URL+"/3")
	require.Equal(t, exitStopped, got.status)
	require.Contains(t, got.stderr, "the cookies are lost")
}
