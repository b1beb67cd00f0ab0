package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain runs the tests as if there were no proxy and no log of keys, and
// clears up behind them.
func TestMain(m *testing.M) {
	for _, name := range append([]string{keyLogVariable}, proxyVariables...) {
		os.Unsetenv(name)
	}
	status := m.Run()
	if built.folder != "" {
		os.RemoveAll(built.folder)
	}
	os.Exit(status)
}

// built is the program itself, made when the first test wants it: the test's own
// process has the test's threads and signals in it too.
var built struct {
	once   sync.Once
	folder string
	out    []byte
	err    error
}

// program is where the program stands.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "shoal-test"); built.err != nil {
			return
		}
		built.out, built.err = exec.Command("go", "build", "-o", filepath.Join(built.folder, "shoal"), ".").CombinedOutput()
	})
	require.NoError(t, built.err, "%s", built.out)
	return filepath.Join(built.folder, "shoal")
}

// process is a run of the program as one.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// startShoal starts the program.
func startShoal(t *testing.T, args ...string) *process {
	t.Helper()
	return startShoalIn(t, nil, args...)
}

// startShoalIn starts the program with more in its environment.
func startShoalIn(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program(t), args...)}
	p.Env = append(os.Environ(), environment...)
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// end waits for the program's end and gives its status; -1 if a signal ended it
// unheard.
func (p *process) end(t *testing.T) int {
	t.Helper()
	defer time.AfterFunc(30*time.Second, func() { _ = p.Process.Kill() }).Stop()
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}
