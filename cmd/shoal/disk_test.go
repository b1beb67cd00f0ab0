//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFolderOnAFullDisk fills a disk of 256 KB: the run ends, with nothing half
// done, and goes on when there is room.
func TestFolderOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("shoal-test", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("NOT TESTED a folder on a full disk: nothing may be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	text := strings.Repeat("It's full", 4000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	defer s.Close()
	var urls []string
	for i := range 40 {
		urls = append(urls, fmt.Sprintf("%s/%d", s.URL, i))
	}
	list := listFile(t, urls...)
	got := shoal(t, "-d", dir, "-i", list)
	require.Equal(t, exitStopped, got.status, got.stderr)
	require.Contains(t, got.stderr, "shoal: "+dir+": no space left on device: free space and run the same command again\n")
	whole := names(t, dir)
	require.NotEmpty(t, whole)
	require.Less(t, len(whole), 10)
	for _, name := range whole {
		require.True(t, content(t, dir, name) == text, name)
	}
	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=8m"))
	require.Equal(t, exitOK, shoal(t, "-d", dir, "-i", list).status)
	require.Len(t, names(t, dir), 40)

	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	got = shoal(t, "-d", dir, s.URL+"/new")
	require.Equal(t, exitStopped, got.status)
	require.Contains(t, got.stderr, "read-only file system: make it writable and run the same command again")
}
