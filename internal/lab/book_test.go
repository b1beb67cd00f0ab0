package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"image/jpeg"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dialled is a connection to somewhere.
func dialled(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", started(t, Options{}).address())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// reader is the textbook's program: recv(5120) until it returns nothing, a
// line for each, and perhaps a sleep after it. buffer is SO_RCVBUF, if not 0; each
// recv is told of how many bytes there are now.
func reader(t *testing.T, s *Server, request string, delay time.Duration, buffer int, told ...func(total int64)) (lines []string, answer []byte) {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if buffer == 0 {
			return nil
		}
		if e := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer)
		}); e != nil {
			return e
		}
		return err
	}}
	c, err := d.Dial("tcp", s.address())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(15*time.Second)))
	_, err = c.Write([]byte(request))
	require.NoError(t, err)
	for p := make([]byte, 5120); ; time.Sleep(delay) {
		n, err := c.Read(p)
		if n == 0 {
			require.ErrorContains(t, err, "EOF")
			return lines, answer
		}
		answer = append(answer, p[:n]...)
		lines = append(lines, fmt.Sprint(n, " ", len(answer)))
		for _, tell := range told {
			tell(int64(len(answer)))
		}
	}
}

// step keeps a server of the book and its client together: after the sends for
// which with says so, the server goes on when the client has read all. Else what
// one recv gets would be up to when the machine lets each of them run.
type step struct {
	with func(nth int) bool
	nth  int
	sent atomic.Int64
	read atomic.Int64
}

// log is a server's log.
func (s *step) log(e Entry) {
	if e.Kind != Sent {
		return
	}
	s.nth++
	sent := s.sent.Add(e.Bytes)
	if s.with(s.nth) {
		await(func() bool { return s.read.Load() >= sent })
	}
}

// await waits until something is so, but not for ever: a test that has failed has
// still to end.
func await(so func() bool) {
	for n := 0; n < 10_000 && !so(); n++ {
		time.Sleep(time.Millisecond)
	}
}

func atEach(int) bool { return true }

const bookRequest = "GET http://127.0.0.1/cover3.jpg HTTP/1.0\r\n\r\n"

// One segment a recv, and the long one last.
func TestBookUnpaced(t *testing.T) {
	t.Parallel()
	together := step{with: atEach}
	s := started(t, Options{Log: together.log, Book: &Book{Interval: 5 * time.Millisecond}})
	lines, answer := reader(t, s, bookRequest, 0, 0, together.read.Store)
	require.Len(t, lines, 48)
	for i, line := range lines[:47] {
		require.Equal(t, fmt.Sprint("1460 ", (i+1)*1460), line)
	}
	require.Equal(t, "1681 70301", lines[47])
	require.Equal(t, bookAnswer(), answer)
}

// At the book's own pace what comes in between depends on the machine; the
// ends do not.
func TestBookAtItsOwnPace(t *testing.T) {
	t.Parallel()
	together := step{with: func(nth int) bool { return nth == 1 || nth == 47 }}
	lines, _ := reader(t, started(t, Options{Log: together.log, Book: &Book{}}), bookRequest, 0, 0, together.read.Store)
	require.Equal(t, "1460 1460", lines[0])
	require.Equal(t, "1681 70301", lines[len(lines)-1])
}

func TestBookPaced(t *testing.T) {
	t.Parallel()
	together := step{with: func(nth int) bool { return nth == 1 }}
	lines, _ := reader(t, started(t, Options{Log: together.log, Book: &Book{}}), bookRequest, 250*time.Millisecond, 0, func(total int64) {
		together.read.Store(total)
		await(func() bool { return together.sent.Load() == 70_301 })
	})
	want := []string{"1460 1460"}
	for n := 6580; n < 70_301; n += 5120 {
		want = append(want, fmt.Sprint("5120 ", n))
	}
	require.Equal(t, append(want, "2281 70301"), lines)
}

func TestBookAnswer(t *testing.T) {
	head, picture, _ := bytes.Cut(bookAnswer(), []byte("\r\n\r\n"))
	require.Len(t, head, 240)
	require.Len(t, picture, 70_057)
	require.Contains(t, string(head), "\r\nContent-Length: 70057\r\n")
	m, err := jpeg.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	require.Greater(t, m.Bounds().Dx(), 1100, "more padding than picture")
}

// Other forms of the request get the same; other methods are refused.
func TestBookRequests(t *testing.T) {
	t.Parallel()
	s := started(t, Options{Book: &Book{Apart: time.Millisecond}})
	for _, request := range []string{
		"GET http://127.0.0.1/cover3.jpg HTTP/1.0\n\n", "GET /cover3.jpg HTTP/1.0\r\n\r\n", "GET /cover3.jpg HTTP/1.1\r\nHost: lab\r\n\r\n",
	} {
		_, answer := reader(t, s, request, 0, 0)
		require.Equal(t, bookAnswer(), answer)
	}
	require.True(t, strings.HasPrefix(look(s, "PUT / HTTP/1.0\r\n\r\n").all, "HTTP/1.1 400 "))
}

// A client that reads slowly into a small buffer makes sends block, and every
// block is followed by a release; all bytes arrive.
func TestBookFlowControl(t *testing.T) {
	t.Parallel()
	var d diary
	s := started(t, Options{Log: d.add, Book: &Book{SendBuffer: 8 << 10}})
	_, answer := reader(t, s, bookRequest, 40*time.Millisecond, 8<<10, func(int64) {
		await(func() bool { return len(d.all(Blocked)) > 0 })
	})
	require.Equal(t, bookAnswer(), answer)
	require.Eventually(t, func() bool { return len(d.all(Closed)) == 1 }, 5*time.Second, time.Millisecond)
	require.NotEmpty(t, d.all(Blocked))
	require.Len(t, d.all(Released), len(d.all(Blocked)))
	var sent int64
	for _, e := range d.all(Sent) {
		sent += e.Bytes
	}
	require.EqualValues(t, 70_301, sent)
	require.Contains(t, d.all(Blocked)[0].Text, "would block: the client's buffer is full")
}

// A fast client never makes a send block; there are 48 of them.
func TestBookSends(t *testing.T) {
	t.Parallel()
	var d diary
	s := started(t, Options{Log: d.add, Book: &Book{}})
	reader(t, s, bookRequest, 0, 0)
	require.Empty(t, d.all(Blocked))
	sends := d.all(Sent)
	require.Len(t, sends, 48)
	for _, e := range sends[:47] {
		require.EqualValues(t, 1460, e.Bytes)
	}
	require.EqualValues(t, 1681, sends[47].Bytes)
}

// A client that goes in the middle ends the sending, and the log says so.
func TestBookClientGoes(t *testing.T) {
	t.Parallel()
	var d diary
	together := step{with: atEach}
	s := started(t, Options{Book: &Book{}, Log: func(e Entry) { d.add(e); together.log(e) }})
	c, err := net.Dial("tcp", s.address())
	require.NoError(t, err)
	_, err = c.Write([]byte(bookRequest))
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	together.read.Store(70_301)
	require.Eventually(t, func() bool { return len(d.all(Closed)) == 1 }, 5*time.Second, time.Millisecond)
	require.Contains(t, d.all(Closed)[0].Text, "the client reset")
	require.Less(t, d.all(Closed)[0].Bytes, int64(70_301))
}

// The program in testdata prints what reader saw.
func TestBookProgram(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	together := step{with: atEach}
	s := started(t, Options{Log: together.log, Book: &Book{Interval: 5 * time.Millisecond}})
	file := filepath.Join(t.TempDir(), "cover3.jpg")
	program := exec.Command(python, "-u", "testdata/urljpeg.py", s.URL()+"/cover3.jpg", file)
	var out, complaint strings.Builder
	program.Stderr = &complaint
	pipe, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	for printed := bufio.NewReader(pipe); err == nil; {
		var line string
		line, err = printed.ReadString('\n')
		out.WriteString(line)
		var n, total int64
		if got, _ := fmt.Sscanf(line, "%d %d\n", &n, &total); got == 2 {
			together.read.Store(total)
		}
	}
	require.NoError(t, program.Wait(), complaint.String())
	head, picture, _ := bytes.Cut(bookAnswer(), []byte("\r\n\r\n"))
	require.True(t, strings.HasPrefix(out.String(), "1460 1460\n1460 2920\n"), out.String())
	require.True(t, strings.HasSuffix(out.String(), "\n1460 68620\n1681 70301\nHeader length 240\n"+string(head)+"\n"), out.String())
	saved, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, picture, saved)
}
