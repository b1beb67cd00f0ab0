package shoal_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecondModule builds a module that imports this one, without the network,
// and runs it: what is exported is enough, and needs nothing internal.
func TestSecondModule(t *testing.T) {
	root, err := os.Getwd()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/second")))
	sums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666))
	inside := func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
		return string(out)
	}
	inside("go", "mod", "edit", "-replace=github.com/shoalfetch/shoal="+root)
	program := filepath.Join(dir, "second")
	inside("go", "build", "-o", program, ".")

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	defer server.Close()
	out := filepath.Join(dir, "out")
	url := server.URL + "/herring.jpg"
	require.Equal(t, "fetched herring.jpg 12\n", inside(program, out, url))
	require.Equal(t, "skipped herring.jpg 0\n", inside(program, out, url))
	content, err := os.ReadFile(filepath.Join(out, "herring.jpg"))
	require.NoError(t, err)
	require.Equal(t, "/herring.jpg", string(content))
}
