package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// diary is a log for tests.
type diary struct {
	mu      sync.Mutex
	entries []Entry
}

func (d *diary) add(e Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, e)
}

func (d *diary) all(k Kind) (found []Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.entries {
		if e.Kind == k {
			found = append(found, e)
		}
	}
	return found
}

// started is a server that is closed at the test's end; its goroutines must
// then be gone.
func started(t *testing.T, o Options) *Server {
	t.Helper()
	s := New(o)
	require.NoError(t, s.Listen("127.0.0.1:0"))
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		require.NoError(t, <-served)
		require.Empty(t, s.conns)
		require.Equal(t, s.stats.accepted.Load(), s.stats.closed.Load())
	})
	return s
}

// seen is what a bare socket saw of an answer.
type seen struct {
	all, head, body string // head up to its empty line, if that came
	headEnded       bool
	err             error // nil: FIN
}

func (s seen) reset() bool  { return errors.Is(s.err, syscall.ECONNRESET) }
func (s seen) silent() bool { return errors.Is(s.err, os.ErrDeadlineExceeded) }

const (
	brief   = 2 * time.Second  // how long to listen to what falls silent
	patient = 10 * time.Second // and to what does not
	enough  = 512 << 10        // how much to read of what has no end
)

var errEnough = errors.New("read enough")

// look sends bytes and reads until the end, silence, or enough.
func look(s *Server, request string) seen { return lookFor(patient, patient, s, request) }

// dial connects to a server, over TLS if it speaks that.
func dial(s *Server) (net.Conn, error) {
	if s.secured != nil {
		return dialAs(s, "localhost")
	}
	return net.Dial("tcp", s.address())
}

// lookFor takes a silence for the end: of one length before the first bytes, which
// may come late because others are served at the same time, and of another after
// them.
func lookFor(before, after time.Duration, s *Server, request string) seen {
	c, err := dial(s)
	if err != nil {
		return seen{err: err}
	}
	defer c.Close()
	if _, err = c.Write([]byte(request)); err != nil {
		return seen{err: err}
	}
	return listen(c, before, after)
}

// lookAll looks at every endpoint at once, with a method and the queries of
// claims. By path.
func lookAll(s *Server, method string) map[string]seen {
	var mu sync.Mutex
	all := make(map[string]seen)
	var clients sync.WaitGroup
	for _, subject := range s.subjects {
		for _, e := range subject.endpoints {
			clients.Go(func() {
				before, after := patient, patient
				if subject.title == "Silence" || e.path == "http10/keep" {
					after = brief
				}
				if e.path == "stall/before" {
					before = brief
				}
				got := lookFor(before, after, s, method+strings.TrimPrefix(get("/"+e.path+"/"+small+claims[e.path].query), "GET"))
				got.head = strings.ReplaceAll(got.head, s.URL(), "http://127.0.0.1:PORT")
				got.head = strings.ReplaceAll(got.head, " //"+s.address(), " //127.0.0.1:PORT")
				got.head = strings.ReplaceAll(got.head, strings.Replace(s.URL(), "127.0.0.1", "localhost", 1), "http://localhost:PORT")
				mu.Lock()
				defer mu.Unlock()
				all[e.path] = got
			})
		}
	}
	clients.Wait()
	return all
}

func listen(c net.Conn, before, after time.Duration) (s seen) {
	var all bytes.Buffer
	for p := make([]byte, 32<<10); s.err == nil; {
		silence := after
		if all.Len() == 0 {
			silence = before
		}
		c.SetReadDeadline(time.Now().Add(silence))
		n, err := c.Read(p)
		all.Write(p[:n])
		if s.err = err; err == nil && all.Len() > enough {
			s.err = errEnough
		}
	}
	if s.err == io.EOF {
		s.err = nil
	}
	s.all = all.String()
	s.head, s.body, s.headEnded = strings.Cut(s.all, "\r\n\r\n")
	return s
}

func get(target string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n", target)
}
