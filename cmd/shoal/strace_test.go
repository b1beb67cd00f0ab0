//go:build linux

package main

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// netCall is a call that a thread made to the network.
type netCall struct{ thread, name, args string }

// trace runs the program under strace(1) and gives the number of its process,
// which is that of its first thread, and its calls to the network, in order.
func trace(t *testing.T, args ...string) (process string, calls []netCall) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("NOT TESTED which thread makes socket calls: there is no strace here")
	}
	if err := exec.Command(strace, "-o", "/dev/null", "true").Run(); err != nil {
		t.Skipf("NOT TESTED which thread makes socket calls: strace may not trace here: %v", err)
	}
	log := filepath.Join(t.TempDir(), "log")
	command := exec.Command(strace, append([]string{"-f", "-qq", "-o", log, "-e", "trace=execve,%network", program(t)}, args...)...)
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%s", said)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	call := regexp.MustCompile(`(?m)^(\d+) +(\w+)\((.*)$`)
	for _, m := range call.FindAllStringSubmatch(string(text), -1) {
		if m[2] == "execve" {
			process = m[1]
			continue
		}
		calls = append(calls, netCall{m[1], m[2], m[3]})
	}
	require.NotEmpty(t, process)
	return process, calls
}

// tracedURLs are enough fetches over enough connections to make the scheduler
// want to move the loop.
func tracedURLs(base string) (urls []string) {
	for i := range 200 {
		way := []string{"plain", "chunked", "close"}[i%3]
		urls = append(urls, fmt.Sprintf("%s/%s/%d", base, way, i))
	}
	return urls
}

func countCalls(calls []netCall) map[string]int {
	counts := map[string]int{}
	for _, c := range calls {
		counts[c.name]++
	}
	return counts
}

// TestOneThread: with addresses for hosts, every call to the network is made by
// the first thread.
func TestOneThread(t *testing.T) { traceOneThread(t, site(t)) }

// TestOneThreadOverTLS: handshakes, and the coroutines they run in, move nothing
// to another thread.
func TestOneThreadOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(site(t).Config.Handler)
	t.Cleanup(s.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	require.NoError(t, os.WriteFile(roots, certificate, 0o600))
	traceOneThread(t, s, "--cacert", roots)
}

func traceOneThread(t *testing.T, s *httptest.Server, args ...string) {
	t.Helper()
	args = append(args, "-s", "-i", listFile(t, tracedURLs(s.URL)...), "-d", t.TempDir())
	process, calls := trace(t, args...)
	for _, c := range calls {
		require.Equal(t, process, c.thread, "%s(%s", c.name, c.args)
	}
	counts := countCalls(calls)
	require.GreaterOrEqual(t, counts["sendto"], 200)
	require.GreaterOrEqual(t, counts["recvfrom"], 200)
	require.GreaterOrEqual(t, counts["socket"], 66, "each body that ends with the close takes a connection")
	t.Logf("one thread made all %d calls: %v", len(calls), counts)
}

// TestOneThreadAfterLookups: with a name for the host, whatever other threads
// did for the lookup they did before the first thread connected.
func TestOneThreadAfterLookups(t *testing.T) {
	s := site(t)
	_, port, _ := strings.Cut(host(s.URL), ":")
	process, calls := trace(t, "-s", "-i", listFile(t, tracedURLs("http://localhost:"+port)...), "-d", t.TempDir())
	connected := false
	for _, c := range calls {
		if c.name == "connect" && strings.Contains(c.args, "htons("+port+")") {
			connected = true
		}
		if connected {
			require.Equal(t, process, c.thread, "%s(%s", c.name, c.args)
		}
	}
	require.True(t, connected)
	require.GreaterOrEqual(t, countCalls(calls)["sendto"], 200)
}

// TestTwoThreads: of two loops each has a thread for all calls to the network, and
// the host that it was dealt. The first thread makes none.
func TestTwoThreads(t *testing.T) {
	one, two := site(t), site(t)
	_, portOfTwo, _ := strings.Cut(host(two.URL), ":")
	second := "http://two.test:" + portOfTwo
	var urls []string
	for i, url := range tracedURLs("") {
		urls = append(urls, []string{one.URL, second}[i%2]+url)
	}
	process, calls := trace(t, "-s", "--loops", "2", "--resolve", "two.test:*:127.0.0.1", "-i", listFile(t, urls...), "-d", t.TempDir())
	threads, connects := map[string]int{}, map[string]string{}
	port := regexp.MustCompile(`htons\((\d+)\)`)
	for _, c := range calls {
		require.NotEqual(t, process, c.thread, "%s(%s", c.name, c.args)
		threads[c.thread]++
		if m := port.FindStringSubmatch(c.args); c.name == "connect" && m != nil {
			if by, met := connects[m[1]]; met {
				require.Equal(t, by, c.thread, "two loops connect to one host")
			}
			connects[m[1]] = c.thread
		}
	}
	require.Len(t, threads, 2)
	require.Len(t, connects, 2)
	t.Logf("calls by thread: %v", threads)
}
