package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain runs the tests as if there were no proxy and no log of keys and nobody
// had set signals to be ignored, and clears up behind them.
func TestMain(m *testing.M) {
	for _, s := range endSignals {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s) // no longer so for those started, see execve(2)
		}
	}
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
	stdout, stderr lockedBuffer
}

// lockedBuffer is written to while it is read.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
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

// says waits until the program has said something on stderr. What it does then
// is certain, as it is not some time after a signal.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(p.stderr.String(), text) }, 20*time.Second, time.Millisecond, "%q is not said", text)
}

// end waits for the program's end and gives its status; -1 if a signal ended it
// unheard.
func (p *process) end(t *testing.T) int {
	t.Helper()
	defer time.AfterFunc(30*time.Second, func() { _ = p.Process.Kill() }).Stop()
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}
