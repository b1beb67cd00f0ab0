package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/lab"
)

// labServer is a lab for one test. Its log can be read while it serves.
func labServer(t *testing.T, o lab.Options) *lab.Server {
	t.Helper()
	s := lab.New(o)
	require.NoError(t, s.Listen("127.0.0.1:0"))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		require.NoError(t, <-ended)
	})
	return s
}

// bookProgram runs a Python program that does what the textbook describes.
func bookProgram(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT TESTED: there is no python3")
	}
	out, err := exec.Command(python, append([]string{"../../internal/lab/testdata/urljpeg.py"}, args...)...).Output()
	require.NoError(t, err)
	return string(out)
}

// TestTextbookIsTheBooks: standard output and the file are those of the other
// program, byte for byte, when each recv finds one segment.
func TestTextbookIsTheBooks(t *testing.T) {
	dir := t.TempDir()
	var theirs, ours string
	// A machine that is busy with other things may wake a program late, which
	// then finds two segments at once: they come the slower, the busier it is.
	for interval := 5 * time.Millisecond; interval < 500*time.Millisecond && (ours == "" || theirs != ours); interval *= 2 {
		url := labServer(t, lab.Options{Book: &lab.Book{Interval: interval}}).URL() + "/cover3.jpg"
		theirs = bookProgram(t, url, filepath.Join(dir, "theirs"))
		got := shoal(t, "--textbook", "-o", filepath.Join(dir, "ours"), url)
		require.Equal(t, exitOK, got.status, got.stderr)
		ours = got.stdout
	}
	require.Equal(t, theirs, ours)
	require.True(t, strings.HasPrefix(ours, "1460 1460\n1460 2920\n"), ours)
	require.Contains(t, ours, "\n1681 70301\nHeader length 240\nHTTP/1.1 200 OK\r\n")
	require.Equal(t, content(t, dir, "theirs"), content(t, dir, "ours"))
}

// TestTextbookPaced is the same with a pause after each recv: now all but the
// first is there when it is asked for.
func TestTextbookPaced(t *testing.T) {
	const begins = "1460 1460\n5120 6580\n"
	dir := t.TempDir()
	var url, theirs string
	var got said
	for delay := 250 * time.Millisecond; delay <= time.Second && (got.stdout != theirs || !strings.Contains(theirs, begins)); delay *= 2 {
		url = labServer(t, lab.Options{Book: &lab.Book{Apart: delay / 4}}).URL() + "/cover3.jpg"
		var other sync.WaitGroup
		other.Go(func() { theirs = bookProgram(t, url, filepath.Join(dir, "theirs"), fmt.Sprint(delay.Seconds())) })
		got = shoal(t, "--textbook", "--recv-delay", delay.String(), "-d", dir, url)
		other.Wait()
	}
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stdout, begins)
	require.Contains(t, got.stdout, "\n2281 70301\nHeader length 240\n")
	require.Equal(t, theirs, got.stdout)
	require.Equal(t, content(t, dir, "theirs"), content(t, dir, "cover3.jpg"))
	require.Equal(t, []string{
		"shoal: connecting to " + host(strings.TrimSuffix(url, "/cover3.jpg")),
		fmt.Sprintf(`shoal: sent %d of %[1]d bytes: "GET %s HTTP/1.0\r\n\r\n"`, len("GET  HTTP/1.0\r\n\r\n")+len(url), url),
		"shoal: recv number 16 returned 0: the server has closed the connection",
		"shoal: total 70301 = header 240 + 4 + body 70057",
		"shoal: the body is saved as " + filepath.Join(dir, "cover3.jpg"),
	}, strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n"))
}

// TestTextbookFlowControl: small buffers on both sides, and a slow reader: the
// server must wait, and goes on.
func TestTextbookFlowControl(t *testing.T) {
	var mu sync.Mutex
	seen := map[lab.Kind]int{}
	s := labServer(t, lab.Options{Book: &lab.Book{SendBuffer: 8 << 10}, Log: func(e lab.Entry) {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Kind]++
	}})
	got := shoal(t, "--textbook", "--recv-delay", "40ms", "--recv-buffer", "8k", "-o", os.DevNull, s.URL()+"/cover3.jpg")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stderr, "total 70301 = header 240 + 4 + body 70057")
	mu.Lock()
	defer mu.Unlock()
	require.NotZero(t, seen[lab.Blocked])
	require.Equal(t, seen[lab.Blocked], seen[lab.Released])
}

// TestTextbookSeveral: the pauses of one are the turns of the other.
func TestTextbookSeveral(t *testing.T) {
	s, dir := labServer(t, lab.Options{}), t.TempDir()
	got := shoal(t, "--recv-size", "1k", "--recv-delay", "30ms", "-d", dir, s.URL()+"/bytes/9000.jpg", s.URL()+"/bytes/9001.jpg")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Len(t, content(t, dir, "9000.jpg"), 9000)
	require.Len(t, content(t, dir, "9001.jpg"), 9001)
	for line := range strings.Lines(got.stdout) {
		require.Regexp(t, `^\[[12]\] `, line)
	}
	first, last := strings.Index(got.stdout, "[2] 1024 "), strings.Index(got.stdout, "[1] Header length")
	require.True(t, 0 <= first && first < last, got.stdout)
	require.Contains(t, got.stderr, "shoal: [2] recv number ")
}

// TestTextbookTakesAnything: any status, no redirect; the file is replaced.
func TestTextbookTakesAnything(t *testing.T) {
	s, dir := labServer(t, lab.Options{}), t.TempDir()
	for _, c := range []struct{ path, head, name string }{
		{"/status?code=404", "HTTP/1.1 404 Not Found\r\n", "status"},
		{"/redirect/absolute/tile/4.jpg", "HTTP/1.1 302 Found\r\n", "4.jpg"},
		{"/type/text/tile/3.jpg", "HTTP/1.1 200 OK\r\n", "3.jpg"},
		{"/tile/3.jpg", "HTTP/1.1 200 OK\r\n", "3.jpg"},
	} {
		got := shoal(t, "--textbook", "-d", dir, s.URL()+c.path)
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Regexp(t, `(?m)^Header length \d+$`, got.stdout)
		require.Contains(t, got.stdout, c.head)
		require.FileExists(t, filepath.Join(dir, c.name))
	}
	require.Len(t, names(t, dir), 3)
}

// TestTextbookFails: what came is told all the same, nothing is saved.
func TestTextbookFails(t *testing.T) {
	s, dir := labServer(t, lab.Options{}), t.TempDir()
	got := shoal(t, "--textbook", "-d", dir, s.URL()+"/reset/body/bytes/9000.jpg")
	require.Equal(t, exitFailed, got.status)
	require.Regexp(t, `^\d+ \d+\n`, got.stdout)
	require.NotContains(t, got.stdout, "Header")
	require.Contains(t, got.stderr, "receive: connection reset by peer")
	require.Empty(t, names(t, dir))
}

// unread is a writer whose reader has gone, or that fails otherwise.
type unread struct{ err error }

func (w unread) Write([]byte) (int, error) { return 0, w.err }

// TestTextbookUnread: without a reader the run ends at once, leaves nothing,
// and is quiet about it if the reader has just had enough.
func TestTextbookUnread(t *testing.T) {
	url := labServer(t, lab.Options{}).URL() + "/stall/body/tile/3.jpg"
	for _, c := range []struct {
		err    error
		status int
		stderr string
	}{
		{&os.PathError{Op: "write", Path: "stdout", Err: syscall.EPIPE}, exitSignal + int(syscall.SIGPIPE), ""},
		{syscall.ENOSPC, exitStopped, "shoal: standard output: no space left on device\n"},
	} {
		var stderr bytes.Buffer
		dir := t.TempDir()
		status := run([]string{"--textbook", "-s", "-d", dir, url}, strings.NewReader(""), unread{c.err}, &stderr)
		require.Equal(t, c.status, status)
		require.Equal(t, c.stderr, stderr.String())
		require.Empty(t, names(t, dir))
	}
}

// TestTextbookInterrupted: a signal ends it, and nothing half is left.
func TestTextbookInterrupted(t *testing.T) {
	dir := t.TempDir()
	s := labServer(t, lab.Options{Log: func(e lab.Entry) {
		if e.Kind == lab.Requested { // by now the signal is waited for
			time.AfterFunc(100*time.Millisecond, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGTERM) })
		}
	}})
	got := shoal(t, "--textbook", "-d", dir, s.URL()+"/stall/body/tile/3.jpg")
	require.Equal(t, exitSignal+int(syscall.SIGTERM), got.status)
	require.True(t, strings.HasSuffix(got.stderr, "\nshoal: terminated\n"), got.stderr)
	require.Empty(t, names(t, dir))
}

// TestTextbookEnds: three ways to know the end of a response of a server that
// does not close.
func TestTextbookEnds(t *testing.T) {
	url := labServer(t, lab.Options{}).URL() + "/http10/keep/tile/3.jpg"
	for _, c := range []struct {
		end, stderr string
		status      int
	}{
		{"close", "the server did not close the connection", exitFailed},
		{"length", "the end was known before the server closed: by length", exitOK},
		{"timeout", "nothing more has come: that is taken for the end", exitOK},
	} {
		args := []string{"--end-at", c.end, "-o", os.DevNull, url}
		if c.end != "length" {
			args = append(args, "--stall-timeout", "0.2")
		}
		got := shoal(t, args...)
		require.Equal(t, c.status, got.status, got.stderr)
		require.Contains(t, got.stderr, c.stderr)
		require.Equal(t, c.status == exitOK, strings.Contains(got.stdout, "Header length"))
	}
}

// TestTextbookBareLF: the header is shown as it came.
func TestTextbookBareLF(t *testing.T) {
	got := shoal(t, "--textbook", "-o", os.DevNull, labServer(t, lab.Options{}).URL()+"/barelf/tile/3.jpg")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.NotContains(t, got.stdout, "\r")
	require.Regexp(t, `total \d+ = header \d+ \+ 2 \+ body \d+\n`, got.stderr)
	require.Contains(t, got.stderr, "bare LF")
}

// TestRawRequest: these bytes and no others are sent, and to where they say.
func TestRawRequest(t *testing.T) {
	address, asked := answering(t, "HTTP/1.0 200 OK\r\nX: caf\xe9\r\n\r\nbody")
	got := shoal(t, "-o", os.DevNull, "--raw-request", `GET http://`+address+`/p HTTP/1.0\nX-Tab:\t\\\x21\n\n`)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Equal(t, "GET http://"+address+"/p HTTP/1.0\nX-Tab:\t\\!\n\n", <-asked)
	require.Contains(t, got.stdout, "Header length 24\nHTTP/1.0 200 OK\r\nX: café\n")

	address, asked = answering(t, "HTTP/1.0 200 OK\r\n\r\n")
	got = shoal(t, "-o", os.DevNull, "--raw-request", `HEAD / HTTP/1.0\r\n\r\n`, address)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Equal(t, "HEAD / HTTP/1.0\r\n\r\n", <-asked)
}

// answering is a server that answers one request and closes, and gives the
// request on.
func answering(t *testing.T, answer string) (address string, asked <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	requests := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var request bytes.Buffer
		in := bufio.NewReader(io.TeeReader(c, &request))
		for line := "?"; strings.Trim(line, "\r\n") != ""; {
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		io.WriteString(c, answer)
		requests <- request.String()
	}()
	return l.Addr().String(), requests
}

// TestUnescape: what is no escape is refused, and not guessed at.
func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{``: "", `a\r\n\t\\b`: "a\r\n\t\\b", `\x00\xfF`: "\x00\xff", `é`: "é"} {
		got, err := unescape(text)
		require.NoError(t, err, text)
		require.Equal(t, want, string(got))
	}
	for _, text := range []string{`\`, `a\q`, `\x`, `\x1`, `\xg0`, `\x 1`, `\x+1`} {
		_, err := unescape(text)
		require.Error(t, err, text)
	}
}

func TestTextbookUsage(t *testing.T) {
	const url = "http://127.0.0.1:9/a"
	for _, c := range []struct {
		args   []string
		expect string
	}{
		{[]string{"--textbook"}, "no URL"},
		{[]string{"--textbook", "-o", "-", url}, "-o FILE"},
		{[]string{"--textbook", "--json", url}, "--json"},
		{[]string{"--textbook", "-i", "list"}, "not a list"},
		{[]string{"--textbook", "http://127.0.0.1:9/a b"}, "%XX"},
		{[]string{"--textbook", "http://127.0.0.1:9/é"}, "%XX"},
		{[]string{"--raw-request", "GET / HTTP/1.0\\n\\n"}, "give one"},
		{[]string{"--raw-request", "\\q", url}, "no escape"},
		{[]string{"--end-at", "dawn", url}, "close, length or timeout"},
		{[]string{"--recv-size", "0", url}, "--recv-size"},
		{[]string{"--recv-size", "1M", url}, "at most 262144"},
		{[]string{"--recv-delay", "-1", url}, "--recv-delay"},
	} {
		got := shoal(t, c.args...)
		require.Equal(t, exitUsage, got.status, "%q", c.args)
		require.Contains(t, got.stderr, c.expect)
		require.Empty(t, got.stdout)
	}
}
