package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
	"github.com/shoalfetch/shoal/internal/view"
)

// The acceptance of the main job: 2,000 files of very different sizes, from a
// server that was not written by whoever wrote the client.
const (
	acceptedFiles = 2000
	hugeFiles     = 10 // of 5 MB
	largeFiles    = 90 // of 1 MB; all others have 1 to 64 KB
)

// sizeOf is the size of file number i in bytes.
func sizeOf(i int) int {
	switch {
	case i < hugeFiles:
		return 5 << 20
	case i < hugeFiles+largeFiles:
		return 1 << 20
	}
	return 1<<10 + i*7919%(63<<10)
}

// ways are the three ways to know the end of a body, as folders of the server
// and as words in the records.
var ways = []string{"length", "chunked", "close"}

func TestNginx(t *testing.T) {
	root := t.TempDir()
	served := writeServed(t, filepath.Join(root, "files"))
	server := startNginx(t, root)
	var urls []string
	for i := range acceptedFiles {
		urls = append(urls, fmt.Sprintf("http://%s/%s/%s", server, ways[i%len(ways)], servedName(i)))
	}
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"-i", listFile(t, urls...), "-d", out, "-j", "256", "--max-per-host", "256", "--json"}

	first := shoal(t, args...)
	require.Equal(t, exitOK, first.status, first.stderr)
	all := records(t, first.stdout)
	require.Len(t, all, acceptedFiles)
	for i := range acceptedFiles {
		r := all[i+1]
		require.Nil(t, r.Error)
		require.Equal(t, []any{"saved", 200, int64(sizeOf(i)), ways[i%len(ways)], urls[i], filepath.Join(out, servedName(i))},
			[]any{r.Outcome, r.Status, r.Bytes, r.End, r.URL, r.Path})
	}
	saved := names(t, out)
	require.Len(t, saved, acceptedFiles, "something else is in the folder")
	for _, name := range saved {
		require.Equal(t, served[name], hashOf(t, filepath.Join(out, name)), "%s is not what was served", name)
	}
	requireReuse(t, all)

	second := shoal(t, args...)
	require.Equal(t, exitOK, second.status, second.stderr)
	again := records(t, second.stdout)
	require.Len(t, again, acceptedFiles)
	for _, r := range again {
		require.Equal(t, "skipped", r.Outcome)
	}
	require.Equal(t, saved, names(t, out))
}

// requireReuse: of the responses whose end does not take the connection with
// it, most must have left theirs for another fetch.
func requireReuse(t *testing.T, all map[int]view.Record) {
	t.Helper()
	reused := 0
	for _, r := range all {
		if r.Reused {
			reused++
		}
	}
	require.Greater(t, reused, acceptedFiles/3)
	t.Logf("%d of %d fetches went over a connection that was there", reused, acceptedFiles)
}

func servedName(i int) string { return fmt.Sprintf("%04d.jpg", i) }

// writeServed makes the server's files, noise that is the same in each run, and
// gives their hashes by name.
func writeServed(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	require.NoError(t, os.Mkdir(dir, 0o755))
	hashes := map[string][sha256.Size]byte{}
	noise := rand.NewChaCha8([32]byte{})
	for i := range acceptedFiles {
		body := make([]byte, sizeOf(i))
		_, _ = noise.Read(body)
		require.NoError(t, os.WriteFile(filepath.Join(dir, servedName(i)), body, 0o644))
		hashes[servedName(i)] = sha256.Sum256(body)
	}
	return hashes
}

func hashOf(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	body, err := os.ReadFile(path)
	require.NoError(t, err)
	return sha256.Sum256(body)
}

// nginxConfig serves the same files in three ways. A filter that looks for a
// text takes the length away, also when it finds nothing; without chunks there
// is then only the close to end a body. The folders are named because a user's
// nginx may not write to the system's.
const nginxConfig = `
%s
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
	access_log off;
	default_type image/jpeg;
	client_body_temp_path temp;
	proxy_temp_path temp;
	fastcgi_temp_path temp;
	uwsgi_temp_path temp;
	scgi_temp_path temp;
	sub_filter_types *;
	server {
		listen %s backlog=1024;
		location /length/ { alias files/; }
		location /chunked/ { alias files/; sub_filter "a text that noise does not have" ""; }
		location /close/ {
			alias files/;
			sub_filter "a text that noise does not have" "";
			chunked_transfer_encoding off;
		}
	}
}
`

// startNginx starts an nginx of our own in the folder root, and gives its
// address. The test is skipped where there is none.
func startNginx(t *testing.T, root string) (address string) {
	t.Helper()
	program := findServer(t, "nginx")
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the worker must get into our folder
	}
	address = porttest.Free(t)
	config := strings.ReplaceAll(fmt.Sprintf(nginxConfig, user, address), "files/", filepath.Join(root, "files")+"/")
	file := filepath.Join(root, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	nginx := exec.Command(program, "-p", root, "-c", file, "-e", "stderr")
	nginx.Stderr = os.Stderr
	require.NoError(t, nginx.Start())
	t.Cleanup(func() {
		_ = nginx.Process.Signal(syscall.SIGTERM) // it ends its worker
		_ = nginx.Wait()
	})
	requireListening(t, address)
	return address
}

// findServer is where a server's program stands. The test is skipped where there
// is none.
func findServer(t *testing.T, name string) (program string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/" + name) // where Debian has it, not in every PATH
	}
	if err != nil {
		t.Skipf("NOT TESTED against a real server: there is no %s here", name)
	}
	return program
}

// requireListening waits until a server that was started listens.
func requireListening(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 10*time.Second, 20*time.Millisecond, "nobody listens at %s", address)
}
