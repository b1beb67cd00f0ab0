// Package proxytest starts real proxies for tests, on the loopback interface,
// with a configuration of their own, and stops them when the test ends. A test
// is skipped as NOT TESTED where its proxy is not installed.
package proxytest

import (
	"fmt"
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
)

// Terms are what a proxy asks of its clients. The zero value asks nothing.
type Terms struct {
	// User and Password are what it lets in, if User is not empty. They are
	// without white space.
	User, Password string

	// Certificate and Key are PEM files that anybody may read. With them the
	// proxy is spoken to over TLS; only Squid can.
	Certificate, Key string
}

// Proxy is a proxy that runs.
type Proxy struct {
	// Address is where it listens, as host:port.
	Address string

	log string // the file with what it said
}

// RequireLogged fails the test if the proxy's log does not come to have a text.
// The host and port of each connection that it was asked for are in it, in its
// own words; Squid writes them only when it has done with a request.
func (p *Proxy) RequireLogged(t testing.TB, text string) {
	t.Helper()
	for range tries {
		if strings.Contains(p.said(t), text) {
			return
		}
		time.Sleep(tryDelay)
	}
	require.Contains(t, p.said(t), text)
}

// said is what the proxy has told of its work so far.
func (p *Proxy) said(t testing.TB) string {
	t.Helper()
	log, err := os.ReadFile(p.log)
	require.NoError(t, err)
	return string(log)
}

// lookFor gives the path of a program, or skips the test.
func lookFor(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + program) // where Debian has some, not in every PATH
	}
	if err != nil {
		t.Skipf("NOT TESTED with %s: it is not installed here", program)
	}
	return path
}

// folder makes a folder for a proxy, which may be of another user: what
// testing.T gives may be entered by its owner only.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "proxytest")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// write makes a file in a proxy's folder and gives its path.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// freeAddress is an address where nobody listens, and its port.
func freeAddress(t testing.TB) (address, port string) {
	t.Helper()
	address = porttest.Free(t)
	_, port, _ = strings.Cut(address, ":")
	return address, port
}

// How often and how far apart a proxy is asked for what it has not got yet: ten
// seconds.
const (
	tries    = 500
	tryDelay = 20 * time.Millisecond
)

// start runs a proxy that is going to listen at an address, and stops it when
// the test ends. What it says goes to a file in dir.
func start(t testing.TB, dir, address, program string, args ...string) *Proxy {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	require.NoError(t, err)
	defer log.Close()
	c := exec.Command(program, args...)
	c.Dir, c.Stdout, c.Stderr = dir, log, log
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all that it starts can be stopped
	require.NoError(t, c.Start())
	t.Cleanup(func() { stop(c) })
	p := &Proxy{address, log.Name()}
	for range tries {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return p
		}
		time.Sleep(tryDelay)
	}
	require.FailNow(t, fmt.Sprintf("%s does not listen at %s", program, address), p.said(t))
	return nil
}

// stopTimeout is how long a proxy may take to end by itself. Squid, which
// looks at its signals once a second, takes two.
const stopTimeout = 10 * time.Second

// stop ends a proxy: first by asking, because Dante then ends its children, and
// Squid its shared memory.
func stop(c *exec.Cmd) {
	_ = c.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(stopTimeout, func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	_ = c.Wait()
}
