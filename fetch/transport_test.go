package fetch_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/leaktest"
)

// newTransport is a Transport that ends with the test.
func newTransport(t testing.TB, o fetch.Options) *fetch.Transport {
	leaktest.Check(t)
	transport, err := fetch.NewTransport(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, transport.Close()) })
	return transport
}

// TestTransportBehaves: a client over a Transport sees what one over net/http's
// sees, and so does its server.
func TestTransportBehaves(t *testing.T) {
	s := reflection(t)
	theirs := &http.Transport{DisableCompression: true}
	defer theirs.CloseIdleConnections()
	ours := newTransport(t, fetch.Options{UserAgent: "Go-http-client/1.1"})
	t.Run("all", func(t *testing.T) {
		for name, behave := range behaviours {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				want := behave(&http.Client{Transport: theirs}, s.URL)
				require.Equal(t, want, behave(&http.Client{Transport: ours}, s.URL))
			})
		}
	})
	// A GET alone may be sent again when a kept connection proves to be closed.
	for name, text := range answers {
		path := s.URL + "/raw?text=" + url.QueryEscape(text)
		want := told((&http.Client{Transport: theirs}).Get(path))
		require.Equal(t, want, told((&http.Client{Transport: ours}).Get(path)), name)
	}
}

// TestTransportDecodes: what net/http does with gzip a Transport does with all it
// knows.
func TestTransportDecodes(t *testing.T) {
	s := reflection(t)
	theirs := &http.Transport{}
	defer theirs.CloseIdleConnections()
	ours := newTransport(t, fetch.Options{UserAgent: "Go-http-client/1.1", Decode: true})
	for name, behave := range map[string]func(*http.Client, string) string{
		"gzip":     func(c *http.Client, url string) string { return told(c.Get(url + "/gzip")) },
		"own gzip": behaviours["own gzip"],
		"part": func(c *http.Client, url string) string {
			return told(c.Do(request("GET", url+"/gzip", nil, "Range", "bytes=0-")))
		},
		"head":  func(c *http.Client, url string) string { return told(c.Head(url + "/gzip")) },
		"plain": behaviours["get"],
	} {
		require.Equal(t, behave(&http.Client{Transport: theirs}, s.URL), behave(&http.Client{Transport: ours}, s.URL), name)
	}
}

// TestTransportTLS: the state is all there.
func TestTransportTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that does not believe it
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := &http.Client{Transport: newTransport(t, fetch.Options{TLS: &fetch.TLS{Roots: roots}})}
	res, err := c.Get(s.URL)
	require.NoError(t, err)
	require.Contains(t, told(res, nil), `"hello" none`)
	require.EqualValues(t, tls.VersionTLS13, res.TLS.Version)
	require.True(t, res.TLS.HandshakeComplete)
	require.Equal(t, s.Certificate().Raw, res.TLS.PeerCertificates[0].Raw)

	c.Transport = newTransport(t, fetch.Options{})
	_, err = c.Get(s.URL)
	require.ErrorAs(t, err, new(x509.UnknownAuthorityError))
	var e *fetch.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fetch.PhaseTLS, e.Phase)
}

// TestTransportHoldsBack: a body that is not read is not received, and one that
// is read slowly comes whole.
func TestTransportHoldsBack(t *testing.T) {
	const size = 64 << 20
	var sent atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 64<<10)
		for sent.Load() < size {
			if _, err := w.Write(piece); err != nil {
				return
			}
			sent.Add(int64(len(piece)))
		}
	}))
	defer s.Close()
	c := &http.Client{Transport: newTransport(t, fetch.Options{RecvBuffer: 64 << 10})}
	res, err := c.Get(s.URL)
	require.NoError(t, err)
	defer res.Body.Close()
	last := int64(-1)
	for sent.Load() != last { // until the server can send no more
		last = sent.Load()
		time.Sleep(200 * time.Millisecond)
	}
	require.Less(t, last, int64(size/2))
	n, err := io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
}

// TestTransportAtOnce has many goroutines share a Transport: each gets its own
// answer, connections are used again, and no request has a goroutine of its own.
func TestTransportAtOnce(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.URL.Path, " ", len(text))
	}))
	var opened atomic.Int64
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	transport := newTransport(t, fetch.Options{MaxConns: 16})
	c := &http.Client{Transport: transport}
	var all sync.WaitGroup
	for n := range 32 {
		all.Go(func() {
			for i := range 20 {
				path := fmt.Sprintf("/%d/%d", n, i)
				res, err := c.Post(s.URL+path, "", bytes.NewReader(make([]byte, n*i)))
				if err != nil {
					t.Error(err)
					return
				}
				text, err := io.ReadAll(res.Body)
				if want := fmt.Sprint(path, " ", n*i); err != nil || string(text) != want {
					t.Errorf("%q and %v, not %q", text, err, want)
				}
				res.Body.Close()
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, opened.Load(), int64(16))
	transport.CloseIdleConnections()
}

// TestTransportGoroutines: there is the loop's, and that is all.
func TestTransportGoroutines(t *testing.T) {
	port := startServer(t)
	leaktest.Check(t)
	before := runtime.NumGoroutine()
	transport, err := fetch.NewTransport(fetch.Options{})
	require.NoError(t, err)
	var open []io.Closer
	for n := range 50 {
		r := request("GET", fmt.Sprintf("http://127.0.0.1:%s/length/500000/%d", port, n), nil)
		res, err := transport.RoundTrip(r)
		require.NoError(t, err)
		open = append(open, res.Body)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before+1)
	for _, body := range open {
		require.NoError(t, body.Close())
	}
	require.NoError(t, transport.Close())
}

// TestTransportClose: who waits is told, and who comes later.
func TestTransportClose(t *testing.T) {
	leaktest.Check(t)
	s := reflection(t)
	transport, err := fetch.NewTransport(fetch.Options{MaxConns: 2})
	require.NoError(t, err)
	half, err := transport.RoundTrip(request("GET", s.URL+"/half", nil))
	require.NoError(t, err)
	failed := make(chan error)
	for range 3 { // one of these has a connection
		go func() {
			_, err := transport.RoundTrip(request("GET", s.URL+"/silent", nil))
			failed <- err
		}()
	}
	require.NoError(t, transport.Close())
	for range 3 {
		require.ErrorIs(t, <-failed, fetch.ErrClosed)
	}
	text, err := io.ReadAll(half.Body)
	require.ErrorIs(t, err, fetch.ErrClosed)
	require.Equal(t, "half", string(text))
	require.NoError(t, half.Body.Close())
	_, err = transport.RoundTrip(request("GET", s.URL, nil))
	require.ErrorIs(t, err, fetch.ErrClosed)
	require.NoError(t, transport.Close())
	transport.CloseIdleConnections()
}

// TestTransportIdle: connections that nobody uses are closed when that is asked
// for, and those in use are not.
func TestTransportIdle(t *testing.T) {
	closed := make(chan struct{}, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	c := &http.Client{Transport: newTransport(t, fetch.Options{})}
	require.Contains(t, told(c.Get(s.URL)), "hello")
	c.CloseIdleConnections()
	<-closed
	require.Contains(t, told(c.Get(s.URL)), "hello")
}

// TestTransportOptions: what is a Transport's own is refused by name.
func TestTransportOptions(t *testing.T) {
	for name, o := range map[string]fetch.Options{
		"Sink":          {Sink: &nowhere{}},
		"Accept":        {Accept: func(*fetch.Head) error { return nil }},
		"Interim":       {Interim: func(*fetch.Request, *fetch.Head) error { return nil }},
		"Retry.Max":     {Retry: fetch.Retry{Max: 1}},
		"MaxRedirects":  {MaxRedirects: 5},
		"CheckRedirect": {CheckRedirect: func(*fetch.Request, string) error { return nil }},
		"MaxConns":      {MaxConns: -1},
	} {
		_, err := fetch.NewTransport(o)
		require.ErrorContains(t, err, name)
	}
}

// TestTransportProxies: a reverse proxy of net/http's works over a Transport.
func TestTransportProxies(t *testing.T) {
	s := reflection(t)
	target, err := url.Parse(s.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = newTransport(t, fetch.Options{})
	front := httptest.NewServer(proxy)
	defer front.Close()
	got := told(http.Get(front.URL + "/trailers"))
	require.Contains(t, got, "X-Sum:[9]")
	require.Contains(t, got, `"many fish" none`)
	require.Contains(t, told(http.Post(front.URL, "", strings.NewReader("fish"))), `body \"fish\"`)
}

// TestTransportThroughProxy: a proxy gets of a Transport what it gets of
// net/http's, to forward or to make a tunnel of.
func TestTransportThroughProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			http.Error(w, "no tunnels", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, heard(r))
	}))
	defer proxy.Close()
	for _, login := range []string{"", "me:secret@"} {
		at, err := url.Parse(strings.Replace(proxy.URL, "://", "://"+login, 1))
		require.NoError(t, err)
		theirs := &http.Transport{DisableCompression: true, Proxy: http.ProxyURL(at)}
		ours := newTransport(t, fetch.Options{UserAgent: "Go-http-client/1.1", Proxy: func(*url.URL) (*url.URL, error) { return at, nil }})
		for _, r := range []*http.Request{
			request("GET", "http://fish.test/a%2Fb?c=d", nil, "X-A", "1"),
			request("HEAD", "http://fish.test", nil),
			request("GET", "https://fish.test/", nil),
		} {
			want := told((&http.Client{Transport: theirs}).Do(r))
			require.Equal(t, want, told((&http.Client{Transport: ours}).Do(r)), r.URL)
		}
		theirs.CloseIdleConnections()
	}
}
