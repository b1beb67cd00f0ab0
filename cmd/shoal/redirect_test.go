package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/lab"
)

// TestLabRedirects follows what the lab has of redirects to the same picture, and
// says why where there is no following.
func TestLabRedirects(t *testing.T) {
	s := labServer(t, lab.Options{Seed: 1})
	dir := t.TempDir()
	require.Equal(t, exitOK, shoal(t, "-d", dir, s.URL()+"/tile/7.jpg").status)
	want := content(t, dir, "7.jpg")
	for _, jobs := range []string{"1", "50"} {
		for _, way := range []string{"absolute", "relative", "network", "host", "fragment", "spaces"} {
			dir := t.TempDir()
			got := shoal(t, "-d", dir, "-j", jobs, s.URL()+"/redirect/"+way+"/tile/7.jpg")
			require.Equal(t, exitOK, got.status, "%s: %s", way, got.stderr)
			require.Equal(t, want, content(t, dir, "7.jpg"), way)
		}
		for path, reason := range map[string]string{
			"/redirect/loop": "it leads in a circle: " + s.URL() + "/redirect/loop -> " + s.URL() + "/redirect/loop",
			"/redirect/ping/tile/7.jpg": "it leads in a circle: " + s.URL() + "/redirect/ping/tile/7.jpg -> " + s.URL() +
				"/redirect/pong/tile/7.jpg -> " + s.URL() + "/redirect/ping/tile/7.jpg",
			"/redirect/nowhere": "302",
			"/redirect/missing": "404",
			"/redirect/broken":  "missing ']'",
		} {
			dir := t.TempDir()
			got := shoal(t, "-d", dir, "-j", jobs, s.URL()+path)
			require.Equal(t, exitFailed, got.status, path)
			require.Contains(t, got.stderr, reason, path)
			require.Empty(t, names(t, dir))
		}
		got := shoal(t, "-d", t.TempDir(), "-j", jobs, "--max-redirs", "3", s.URL()+"/redirect/tile/7.jpg?hops=4")
		require.Contains(t, got.stderr, "more than 3 redirects")
	}
}

// TestLabRange asks the lab for parts.
func TestLabRange(t *testing.T) {
	s := labServer(t, lab.Options{Seed: 1})
	dir, part := t.TempDir(), t.TempDir()
	require.Equal(t, exitOK, shoal(t, "-d", dir, s.URL()+"/tile/7.jpg").status)
	want := content(t, dir, "7.jpg")
	got := shoal(t, "-d", part, "-r", "10-19", s.URL()+"/range/tile/7.jpg")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Equal(t, want[10:20], content(t, part, "7.jpg"))
	for way, reason := range map[string]string{"ignored": "instead of 206", "shifted": "asked for was 10-19", "none": "no range", "refused": "416"} {
		dir := t.TempDir()
		got := shoal(t, "-d", dir, "-r", "10-19", s.URL()+"/range/"+way+"/tile/7.jpg")
		require.Equal(t, exitFailed, got.status, way)
		require.Contains(t, got.stderr, reason)
		require.Empty(t, names(t, dir))
	}
}
