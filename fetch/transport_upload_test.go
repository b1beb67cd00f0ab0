package fetch_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

// pattern is a body of so many bytes, which repeats nowhere soon.
func pattern(size int64) io.Reader {
	at := uint32(0)
	return io.LimitReader(readerFunc(func(p []byte) (int, error) {
		for i := range p {
			at++
			p[i] = byte(at * 2654435761 >> 13)
		}
		return len(p), nil
	}), size)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// watched is a request's body that says what becomes of it.
type watched struct {
	io.Reader
	read   atomic.Int64
	closed atomic.Int32
	gone   chan struct{}
	once   sync.Once
}

func watch(r io.Reader) *watched { return &watched{Reader: r, gone: make(chan struct{})} }

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.read.Add(int64(n))
	return n, err
}

func (w *watched) Close() error {
	w.closed.Add(1)
	w.once.Do(func() { close(w.gone) })
	return nil
}

// thenBlock has a body bring nothing more until it is closed.
func (w *watched) thenBlock() *watched {
	w.Reader = io.MultiReader(w.Reader, readerFunc(func([]byte) (int, error) {
		<-w.gone
		return 0, io.ErrClosedPipe
	}))
	return w
}

func (w *watched) requireClosed(t *testing.T) {
	t.Helper()
	select {
	case <-w.gone:
	case <-time.After(10 * time.Second):
		require.Fail(t, "the body was not closed")
	}
}

// receiver is a server that compares what it is sent with the pattern, and says how
// much came.
func receiver(w http.ResponseWriter, r *http.Request) {
	got, want := bufio.NewReaderSize(r.Body, 64<<10), bufio.NewReader(pattern(1<<40))
	for n := 0; ; n++ {
		b, err := got.ReadByte()
		if err != nil {
			fmt.Fprint(w, n, " ", err, " ", r.ContentLength)
			return
		}
		if same, _ := want.ReadByte(); b != same {
			fmt.Fprint(w, "another byte at ", n)
			return
		}
	}
}

// TestUploads: bodies of any size arrive, whether their length is known or not, over
// TLS and not, many at once.
func TestUploads(t *testing.T) {
	plain, secure := httptest.NewServer(http.HandlerFunc(receiver)), httptest.NewTLSServer(http.HandlerFunc(receiver))
	defer plain.Close()
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	c := &http.Client{Transport: newTransport(t, fetch.Options{TLS: &fetch.TLS{Roots: roots, MinVersion: tls.VersionTLS12}})}
	var all sync.WaitGroup
	for n, size := range []int64{0, 1, 1000, 64 << 10, 64<<10 + 1, 1 << 20, 5_000_001} {
		for _, known := range []bool{true, false} {
			for _, url := range []string{plain.URL, secure.URL} {
				all.Go(func() {
					method := []string{"POST", "PUT"}[n%2]
					r := request(method, url, opaque{pattern(size)})
					length := int64(-1)
					if known && size > 0 {
						r.ContentLength, length = size, size
					}
					res, err := c.Do(r)
					if err != nil {
						t.Errorf("%d bytes: %v", size, err)
						return
					}
					defer res.Body.Close()
					text, err := io.ReadAll(res.Body)
					if want := fmt.Sprint(size, " EOF ", length); err != nil || string(text) != want {
						t.Errorf("%q, %v, and not %q", text, err, want)
					}
				})
			}
		}
	}
	all.Wait()
}

// TestUploadHoldsBack: no more of a body is read than a server takes and buffers
// hold, which have a few megabytes here.
func TestUploadHoldsBack(t *testing.T) {
	const size = 128 << 20
	goOn := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-goOn
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, " ", err)
	}))
	defer s.Close()
	body := watch(pattern(size))
	answered := make(chan string)
	transport := newTransport(t, fetch.Options{})
	go func() {
		res, err := transport.RoundTrip(request("POST", s.URL, body))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		answered <- string(text)
	}()
	last := int64(-1)
	for body.read.Load() != last || last == 0 {
		last = body.read.Load()
		time.Sleep(200 * time.Millisecond)
	}
	require.Less(t, last, int64(size/2))
	close(goOn)
	require.Equal(t, fmt.Sprint(size, " <nil>"), <-answered)
	require.EqualValues(t, size, body.read.Load())
	body.requireClosed(t)
}

// TestUploadConverses: a response may come while its request is still being written,
// and each depend on the other.
func TestUploadConverses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex()
		_ = c.Flush()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			fmt.Fprintf(w, "you said %s\n", lines.Text())
			_ = c.Flush()
		}
	}))
	defer s.Close()
	transport := newTransport(t, fetch.Options{})
	out, in := io.Pipe()
	r := request("POST", s.URL, out)
	r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("once is enough") }
	res, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	answers := bufio.NewReader(res.Body)
	for n := range 20 {
		_, err := fmt.Fprintf(in, "fish %d\n", n)
		require.NoError(t, err)
		answer, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("you said fish %d\n", n), answer)
	}
	require.NoError(t, in.Close())
	_, err = answers.ReadString('\n')
	require.ErrorIs(t, err, io.EOF)
}

// TestUploadAgain: what can be sent twice, and whose body can be had twice, is sent
// again when a kept-alive connection proves dead.
func TestUploadAgain(t *testing.T) {
	long := strings.Repeat("many fish ", 100_000)
	for name, c := range map[string]struct {
		method string
		body   func() io.Reader
		again  bool
	}{
		"idempotent":     {"PUT", func() io.Reader { return strings.NewReader(long) }, true},
		"not idempotent": {"POST", func() io.Reader { return strings.NewReader(long) }, false},
		"once":           {"PUT", func() io.Reader { return opaque{strings.NewReader(long)} }, false},
		"once and short": {"PUT", func() io.Reader { return opaque{strings.NewReader(long[:1000])} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == 2 {
					_, _ = io.CopyN(io.Discard, r.Body, 500_000) // more than is kept to be sent again
					c, _, err := w.(http.Hijacker).Hijack()
					if err == nil {
						_ = c.Close()
					}
					return
				}
				n, err := io.Copy(io.Discard, r.Body)
				fmt.Fprint(w, n, " ", err)
			}))
			defer s.Close()
			client := &http.Client{Transport: newTransport(t, fetch.Options{})}
			require.Contains(t, told(client.Get(s.URL)), "0 <nil>")
			r := request(c.method, s.URL, c.body())
			res, err := client.Do(r)
			if !c.again {
				require.Error(t, err)
				require.EqualValues(t, 2, asked.Load())
				return
			}
			require.NoError(t, err)
			require.Same(t, r, res.Request)
			require.Regexp(t, `"(1000000|1000) <nil>"`, told(res, err))
			require.EqualValues(t, 3, asked.Load())
		})
	}
}

// TestRequestBodyClosedOnce: as net/http does, however a body is sent.
func TestRequestBodyClosedOnce(t *testing.T) {
	s := reflection(t)
	transport := newTransport(t, fetch.Options{})
	for _, size := range []int64{1, 100_000} {
		body := watch(pattern(size))
		r := request("POST", s.URL, body)
		r.ContentLength = size
		r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("once is enough") }
		res, err := transport.RoundTrip(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		body.requireClosed(t)
		require.NoError(t, res.Body.Close())
		require.EqualValues(t, 1, body.closed.Load())
	}
	body := watch(pattern(1))
	_, err := transport.RoundTrip(&http.Request{URL: request("GET", "http:///", nil).URL, Header: http.Header{}, Body: body})
	require.Error(t, err)
	require.EqualValues(t, 1, body.closed.Load())
}

// TestUploadsTakeTurns: requests one after the other go over one connection.
func TestUploadsTakeTurns(t *testing.T) {
	var opened atomic.Int32
	away := make(chan struct{}, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(r.Body, readerFunc(func([]byte) (int, error) {
			<-away // for the loop, too, the request is over: else this would be an early answer
			return 0, io.EOF
		})))
		receiver(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := &http.Client{Transport: newTransport(t, fetch.Options{Trace: func(e fetch.Event) {
		if e.Kind == fetch.ExchangeAwaiting {
			away <- struct{}{}
		}
	}})}
	for range 20 {
		require.Contains(t, told(c.Do(request("PUT", s.URL, opaque{pattern(100_000)}))), "100000 EOF -1")
	}
	require.EqualValues(t, 1, opened.Load())
}

// TestUploadEndsEarly: who has sent enough, or answers before it has heard all, ends
// the body; so does the caller. It is closed, and nothing is left.
func TestUploadEndsEarly(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done() // which a server sees when it has read all
			return
		}
		w.Header().Set("Connection", "close")
		http.Error(w, "enough", http.StatusRequestEntityTooLarge)
	}))
	defer s.Close()
	broken := errors.New("the disk is gone")
	for name, c := range map[string]struct {
		path string
		body *watched
		said int64
		want string
	}{
		"answered":         {"/", watch(pattern(100_000)).thenBlock(), -1, "413 Request Entity Too Large"},
		"cancelled":        {"/wait", watch(pattern(100_000)).thenBlock(), -1, "context canceled"},
		"cancelled before": {"/wait", watch(pattern(0)).thenBlock(), -1, "context canceled"},
		"broken":           {"/wait", watch(io.MultiReader(pattern(100_000), iotest.ErrReader(broken))), -1, broken.Error()},
		"broken at once":   {"/wait", watch(iotest.ErrReader(broken)), 10, broken.Error()},
		"too short":        {"/wait", watch(pattern(100_000)), 100_001, "ContentLength=100001 with Body length 100000"},
		"too long":         {"/wait", watch(pattern(100_001)), 100_000, "ContentLength=100000 with Body length 100001"},
	} {
		t.Run(name, func(t *testing.T) {
			transport, body := newTransport(t, fetch.Options{}), c.body
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if strings.HasPrefix(name, "cancelled") {
				time.AfterFunc(100*time.Millisecond, cancel)
			}
			r := request("POST", s.URL+c.path, body).WithContext(ctx)
			r.ContentLength = c.said
			res, err := transport.RoundTrip(r)
			if err != nil {
				require.ErrorContains(t, err, c.want)
			} else {
				require.Equal(t, c.want, res.Status)
				text, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.Equal(t, "enough\n", string(text))
				require.NoError(t, res.Body.Close())
			}
			body.requireClosed(t)
			require.EqualValues(t, 1, body.closed.Load())
		})
	}
}
