package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/lab"
)

// faults are ways in which the lab fails, and of what kind that is.
var faults = []struct{ path, phase, kind string }{
	{"status", "status", "status"},
	{"busy/forever", "status", "status"},
	{"fin/before", "await", "truncated"},
	{"fin/head", "await", "truncated"},
	{"fin/body", "receive", "truncated"},
	{"reset/before", "await", "reset"},
	{"reset/head", "await", "reset"},
	{"reset/body", "receive", "reset"},
	{"length/long", "receive", "truncated"},
	{"length/differ", "await", "malformed"},
	{"length/words", "await", "malformed"},
	{"chunked/size", "receive", "malformed"},
	{"chunked/short", "receive", "malformed"},
	{"stall/before", "await", "timeout"},
	{"stall/head", "await", "timeout"},
	{"stall/body", "receive", "timeout"},
	{"redirect/loop", "status", "redirect"},
	{"redirect/broken", "status", "redirect"},
	{"head/nocolon", "await", "malformed"},
	{"head/protocol", "await", "malformed"},
}

// TestFaults: of a list of which three in ten fail, in every way, the records,
// the folder, --failed and the status say the same.
func TestFaults(t *testing.T) {
	server := lab.New(lab.Options{Seed: 1})
	require.NoError(t, server.Listen("127.0.0.1:0"))
	defer server.Close()
	go func() { _ = server.Serve() }()
	type expected struct{ url, phase, kind, name string }
	var list []string
	var want []expected
	for i := range 400 {
		e := expected{name: fmt.Sprintf("%d.bin", 2000+i)}
		way := []string{"ok", "slow", "drip", "chunked", "redirect", "close", "length/twice"}[i%7]
		if i%10 < 3 {
			f := faults[(i/10*3+i%10)%len(faults)]
			way, e.phase, e.kind = f.path, f.phase, f.kind
		}
		e.url = fmt.Sprintf("%s/%s/bytes/%s", server.URL(), way, e.name)
		list, want = append(list, e.url), append(want, e)
	}
	dir, failed := t.TempDir(), filepath.Join(t.TempDir(), "failed")
	got := shoal(t, "--no-adapt", "--json", "--failed", failed, "-d", dir, "--max-per-host", "100",
		"--first-byte-timeout", "2", "--stall-timeout", "2", "-i", listFile(t, list...))
	require.Equal(t, exitFailed, got.status)
	all := records(t, got.stdout)
	require.Len(t, all, 400)
	again := map[int]entry{}
	for _, line := range lines(content(t, failed)) {
		var e entry
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		again[e.Line] = e
	}
	files := 0
	for i, w := range want {
		r := all[i+1]
		require.Equal(t, w.url, r.URL)
		if w.phase == "" {
			require.Equal(t, "saved", r.Outcome, "%s: %+v", w.url, r.Error)
			require.Equal(t, filepath.Join(dir, w.name), r.Path)
			require.Equal(t, honest(t, server, w.name), content(t, r.Path))
			require.NotContains(t, again, i+1)
			files++
			continue
		}
		require.Equal(t, "failed", r.Outcome, w.url)
		require.Equal(t, []string{w.phase, w.kind}, []string{r.Error.Phase, r.Error.Kind}, "%s: %s", w.url, r.Error.Message)
		require.Equal(t, entry{w.url, w.name, i + 1, w.phase, w.kind, r.Error.Message}, again[i+1])
		require.NoFileExists(t, filepath.Join(dir, w.name))
	}
	require.Equal(t, 280, files)
	require.Len(t, again, 120)
	require.Len(t, names(t, dir), 280)
	require.Contains(t, got.stderr, "280 fetched, 120 failed")
}

// honest is a content as the lab serves it to everybody.
func honest(t *testing.T, server *lab.Server, name string) string {
	t.Helper()
	response, err := http.Get(server.URL() + "/ok/bytes/" + name)
	require.NoError(t, err)
	defer response.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(response.Body)
	require.NoError(t, err)
	return text.String()
}
