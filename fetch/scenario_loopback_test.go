package fetch_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/leaktest"
	"github.com/shoalfetch/shoal/internal/offload"
)

// The real kernel's side of the scenarios: a server of net/http in a process
// of its own, so that this process has no goroutine and no descriptor but the
// engine's and the test's.

// serveEnv asks this test program to be the server, over TLS or not.
const (
	serveEnv      = "SHOAL_TEST_SERVE"
	servePlainly  = "plainly"
	serveSecurely = "securely"
)

// TestServe is the server, when it runs in the process that startServer made.
func TestServe(t *testing.T) {
	if os.Getenv(serveEnv) == "" {
		t.Skip("this is the server of the loopback tests")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println(l.Addr())
	if os.Getenv(serveEnv) == serveSecurely {
		l = secureListener(l)
	}
	server := http.Server{Handler: http.HandlerFunc(answer), ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l)
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until the test is over
}

// answer answers as the simulated servers do, see sim_world_test.go.
func answer(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	switch parts[1] {
	case "length":
		content := body(r.URL.Path)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.Write(content)
	case "chunked":
		for piece := range slices.Chunk(body(r.URL.Path), 3000) {
			w.Write(piece)
			w.(http.Flusher).Flush()
		}
	case "close", "old":
		hangUp(w, body(r.URL.Path))
	case "together":
		waitForAll(parts[2])
		w.Write([]byte(r.URL.Path))
	case "coded":
		content, codings := body(r.URL.Path), "identity"
		if strings.Contains(r.Header.Get("Accept-Encoding"), "zstd") {
			codings = codingsFor(content)
			content = code(content, codings)
		}
		w.Header().Set("Content-Encoding", strings.ReplaceAll(codings, "raw", "deflate"))
		w.Write(content)
	case "status":
		code, _ := strconv.Atoi(parts[2])
		http.Error(w, "no such thing here", code)
	case "to":
		code, _ := strconv.Atoi(parts[2])
		w.Header().Set("Location", "/"+strings.Join(parts[3:], "/"))
		w.WriteHeader(code)
	}
}

// hangUp answers with a body that ends with the connection.
func hangUp(w http.ResponseWriter, content []byte) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Fprint(c, "HTTP/1.0 200 OK\r\n\r\n")
	c.Write(content)
}

// startServer starts a server and gives its port. It ends with the test.
func startServer(t *testing.T) (port string) {
	t.Helper()
	port, _ = serveApart(t, servePlainly)
	return port
}

// serveApart starts a server, and gives its port and what else it has to say.
func serveApart(t *testing.T, how string) (port string, out *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServe$")
	cmd.Env = append(os.Environ(), serveEnv+"="+how)
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	require.NoError(t, err)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stop.Close()
		_ = cmd.Wait()
	})
	out = bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	_, port, err = net.SplitHostPort(strings.TrimSpace(line))
	require.NoError(t, err)
	return port, out
}

// mixed are so many requests for a server on this machine, of all kinds.
func mixed(port string, n int) []fetch.Request {
	r := rand.New(rand.NewPCG(1, 1))
	var all []fetch.Request
	for i := range n {
		q := anyRequest(r, i)
		path := q.URL[strings.Index(q.URL, "test/")+len("test"):]
		if !strings.Contains(q.URL, "test/") {
			path = fmt.Sprintf("/length/%d/%d.jpg", i*31, i)
		}
		if strings.HasPrefix(path, "/echo/") || strings.HasPrefix(path, "/round/") {
			path = fmt.Sprintf("/chunked/%d/%d.jpg", i*97, i)
		}
		all = append(all, fetch.Request{URL: "http://127.0.0.1:" + port + path, Tag: i})
	}
	return all
}

// descriptors are the numbers of what is open in this process.
func descriptors(t *testing.T) []string {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: /proc/self/fd is Linux's")
	}
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	var all []string
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.Contains(to, "/fd") { // the listing's own
			all = append(all, e.Name()+" "+to)
		}
	}
	return all
}

// diskWorkers is how many goroutines package save has at most for a slow disk,
// which a busy machine's may look like; as many may just be ending.
const diskWorkers = 8

// TestLoopback fetches 300 mixed URLs over the real kernel, saves them, and
// leaves no descriptor and no goroutine behind. While it goes on, there is no
// goroutine but those that were there before (golang/go#16953), and the few that
// write while the disk is slow.
func TestLoopback(t *testing.T) {
	port := startServer(t)
	openBefore, before := descriptors(t), runtime.NumGoroutine()
	out := t.TempDir()
	f, err := fetch.New(fetch.Options{MaxConns: 64, MaxPerHost: 20, Sink: save.Dir(out)})
	require.NoError(t, err)
	requests := mixed(port, 300)
	seen := map[int]bool{}
	for res, err := range f.FetchFrom(context.Background(), &pulled{requests: requests}) {
		require.LessOrEqual(t, runtime.NumGoroutine(), before+2*diskWorkers, "goroutines during the Fetch")
		n := res.Request.Tag.(int)
		require.False(t, seen[n])
		seen[n] = true
		if mayFail(res.Request) {
			require.Equal(t, fetch.PhaseStatus, phaseOf(t, err))
			continue
		}
		require.NoError(t, err)
		content, err := os.ReadFile(out + "/" + res.Name)
		require.NoError(t, err)
		require.True(t, string(wanted(t, res)) == string(content), "%s: %d bytes, or others", res.URL, len(content))
	}
	require.Len(t, seen, len(requests))
	require.NoError(t, f.Close())
	require.Equal(t, openBefore, descriptors(t))
	leaktest.Settled(t, before)
}

// TestLoopbackNames looks up a name on the real kernel; the workers that did
// go when there is no more work.
func TestLoopbackNames(t *testing.T) {
	port := startServer(t)
	before := runtime.NumGoroutine()
	f := newReal(t, fetch.Options{})
	for range 3 {
		for _, err := range f.FetchFrom(context.Background(), &pulled{requests: slices.Repeat(gets("http://localhost:"+port+"/length/1000/x"), 20)}) {
			require.NoError(t, err, "localhost, also where ::1 refuses")
		}
	}
	leaktest.Settled(t, before)
}

// numbered is a kernel that notes the numbers of the sockets it makes.
type numbered struct {
	kernel.Kernel
	least int
}

func (k *numbered) Socket(family int) (int, error) {
	fd, err := k.Kernel.Socket(family)
	if err == nil && (k.least == 0 || fd < k.least) {
		k.least = fd
	}
	return fd, err
}

// TestHighDescriptors: a descriptor's number may be over 1,024, where select
// ends (curl/curl#15080).
func TestHighDescriptors(t *testing.T) {
	port := startServer(t)
	k, err := kernel.New()
	require.NoError(t, err)
	limit, err := k.DescriptorLimit()
	require.NoError(t, err)
	if limit < 1300 {
		k.Close()
		t.Skipf("NOT TESTED: no descriptors over 1,024 with a limit of %d", limit)
	}
	for range 1100 {
		placeholder, err := os.Open(os.DevNull)
		require.NoError(t, err)
		t.Cleanup(func() { placeholder.Close() })
	}
	high := &numbered{Kernel: k}
	f, err := fetch.NewOn(high, offload.New(4, func() { _ = k.Wake() }), fetch.Options{Sink: save.Dir(t.TempDir())})
	require.NoError(t, err)
	for res, err := range f.FetchFrom(context.Background(), &pulled{requests: mixed(port, 60)}) {
		require.Equal(t, mayFail(res.Request), err != nil, "%v", err)
	}
	require.NoError(t, f.Close())
	require.Greater(t, high.least, 1024)
}
