package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/lab"
)

// TestCompressed: each coding of the lab's comes off, or says why it does not, at
// -j 1 as at -j 50; without the flag everything is saved as it comes.
func TestCompressed(t *testing.T) {
	server := labServer(t, lab.Options{Seed: 1})
	want := honest(t, server, "70000.bin")
	failures := map[string]string{"gzip/cut": "coding", "gzip/sum": "coding", "gzip/lie": "coding", "coding/unknown": "coding", "coding/transfer": "malformed", "gzip/bomb": "limit"}
	paths := []string{"ok", "gzip", "gzip/chunked", "gzip/asked", "gzip/members", "deflate", "deflate/raw", "coding/two", "coding/identity"}
	for path := range failures {
		paths = append(paths, path)
	}
	var urls []string
	for _, path := range paths {
		urls = append(urls, server.URL()+"/"+path+"/bytes/70000.bin")
	}
	for _, conns := range []string{"1", "50"} {
		dir := t.TempDir()
		got := shoal(t, append([]string{"--compressed", "--max-filesize", "1M", "-j", conns, "--json", "-d", dir}, urls...)...)
		require.Equal(t, exitFailed, got.status)
		for n, r := range records(t, got.stdout) {
			path := paths[n-1]
			if kind := failures[path]; kind != "" {
				require.Equal(t, kind, r.Error.Kind, path)
				if kind == "coding" {
					require.Equal(t, "decode", r.Error.Phase, path)
				}
				continue
			}
			require.Equal(t, "saved", r.Outcome, "%s: %+v", path, r.Error)
			require.Equal(t, want, content(t, r.Path), path)
			require.EqualValues(t, len(want), r.Bytes)
		}
		require.Len(t, names(t, dir), len(paths)-len(failures))

		plain := shoal(t, "--json", "-j", conns, "-d", t.TempDir(), urls[1], urls[3], server.URL()+"/coding/unknown/bytes/70000.bin")
		require.Equal(t, exitOK, plain.status, plain.stderr)
		saved := records(t, plain.stdout)
		require.Equal(t, "\x1f\x8b", content(t, saved[1].Path)[:2], "gzip that nobody asked for stays gzip")
		require.Equal(t, want, content(t, saved[2].Path), "asked for as it is")
		require.Equal(t, want, content(t, saved[3].Path))
	}
}

// TestCompressedAsked: the codings that the request names are those that are
// taken off.
func TestCompressedAsked(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip, deflate, br, zstd" {
			http.Error(w, "asked for "+r.Header.Get("Accept-Encoding"), http.StatusNotAcceptable)
			return
		}
		switch r.URL.Path {
		case "/br":
			w.Header().Set("Content-Encoding", "br")
			b := brotli.NewWriter(w)
			_, _ = b.Write([]byte("many fish"))
			b.Close()
		case "/zstd":
			w.Header().Set("Content-Encoding", "zstd")
			z, _ := zstd.NewWriter(w)
			_, _ = z.Write([]byte("many fish"))
			z.Close()
		}
	}))
	defer s.Close()
	dir := t.TempDir()
	require.Equal(t, said{}, shoal(t, "-s", "--compressed", "-d", dir, s.URL+"/br", s.URL+"/zstd"))
	require.Equal(t, "many fish", content(t, filepath.Join(dir, "br")))
	require.Equal(t, "many fish", content(t, filepath.Join(dir, "zstd")))
}
