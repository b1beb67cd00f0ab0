package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
)

// echo is a server that notes what it is asked. /to/HOST/STATUS/PATH sends to
// that path on another name of its own.
type echo struct {
	*httptest.Server
	mu    sync.Mutex
	asked []asked
}

// asked is one request.
type asked struct {
	*http.Request
	body string
}

func newEcho(t *testing.T) *echo {
	m := new(echo)
	m.Server = httptest.NewUnstartedServer(http.HandlerFunc(m.answer)) // which asks for its URL
	m.Start()
	t.Cleanup(m.Close)
	return m
}

func (m *echo) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	m.asked = append(m.asked, asked{r, string(body)})
	m.mu.Unlock()
	for _, cookie := range r.URL.Query()["set"] {
		w.Header().Add("Set-Cookie", cookie)
	}
	var status int
	rest, isRedirect := strings.CutPrefix(r.URL.Path, "/to/")
	if isRedirect {
		host, rest, _ := strings.Cut(rest, "/")
		code, path, _ := strings.Cut(rest, "/")
		_, _ = fmt.Sscan(code, &status)
		w.Header().Set("Location", m.at(host)+"/"+path)
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, "It's "+r.URL.Path)
}

// at is the server under another name.
func (m *echo) at(host string) string { return strings.Replace(m.URL, "127.0.0.1", host, 1) }

// take gives what was asked since, in the order of the paths.
func (m *echo) take() []asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.asked
	m.asked = nil
	slices.SortStableFunc(all, func(a, b asked) int { return strings.Compare(a.URL.Path, b.URL.Path) })
	return all
}

// atOnceAndInTurn runs a test with one connection and with many: no option may
// depend on that.
func atOnceAndInTurn(t *testing.T, test func(t *testing.T, m *echo, args ...string)) {
	for _, jobs := range []string{"1", "50"} {
		t.Run("-j "+jobs, func(t *testing.T) { test(t, newEcho(t), "-d", t.TempDir(), "-j", jobs) })
	}
}

// TestAsk: what each flag makes of each request.
func TestAsk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(file, []byte("a=\r\n1\x00\n"), 0o600))
	for _, c := range []struct {
		args         []string
		method, body string
		fields       map[string]string
	}{
		{nil, "GET", "", map[string]string{"Content-Type": "", "Referer": "", "Range": ""}},
		{[]string{"-X", "PURGE"}, "PURGE", "", nil},
		{[]string{"-X", "POST"}, "POST", "", map[string]string{"Content-Length": "0"}},
		{[]string{"-e", "http://h/p"}, "GET", "", map[string]string{"Referer": "http://h/p"}},
		{[]string{"-e", "http://h/p", "-H", "Referer: x"}, "GET", "", map[string]string{"Referer": "x"}},
		{[]string{"--data", "a=b"}, "POST", "a=b", map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "3"}},
		{[]string{"--data", "a=b", "--data-binary", "c\n", "--data", ""}, "POST", "a=b&c\n&", nil},
		{[]string{"--data", ""}, "POST", "", map[string]string{"Content-Length": "0"}},
		{[]string{"--data", "@" + file}, "POST", "a=1", nil},
		{[]string{"--data-binary", "@" + file}, "POST", "a=\r\n1\x00\n", nil},
		{[]string{"--data", "@-", "--data", "b"}, "POST", "of stdin&b", nil},
		{[]string{"-X", "PUT", "--data", "{}", "-H", "content-type: application/json"}, "PUT", "{}", map[string]string{"Content-Type": "application/json"}},
		{[]string{"-u", "me:pass:word"}, "GET", "", map[string]string{"Authorization": "Basic bWU6cGFzczp3b3Jk"}},
		{[]string{"--oauth2-bearer", "t0ken"}, "GET", "", map[string]string{"Authorization": "Bearer t0ken"}},
		{[]string{"-u", "me:pass", "-H", "Authorization: mine"}, "GET", "", map[string]string{"Authorization": "mine"}},
		{[]string{"-b", "a=b; c=d", "--cookie", "e=f"}, "GET", "", map[string]string{"Cookie": "a=b; c=d; e=f"}},
		{[]string{"-b", "a=b", "-c", os.DevNull}, "GET", "", map[string]string{"Cookie": "a=b"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			atOnceAndInTurn(t, func(t *testing.T, m *echo, args ...string) {
				got := shoalFrom(t, strings.NewReader("of\n stdin"), slices.Concat(args, c.args, []string{m.URL + "/1", m.URL + "/2", m.URL + "/3"})...)
				require.Equal(t, exitOK, got.status, got.stderr)
				all := m.take()
				require.Len(t, all, 3)
				for _, r := range all {
					require.Equal(t, c.method, r.Method)
					require.Equal(t, c.body, r.body)
					for name, value := range c.fields {
						require.Equal(t, value, r.Header.Get(name), name)
						require.LessOrEqual(t, len(r.Header.Values(name)), 1)
					}
				}
			})
		})
	}
}

// TestSecretsStay: nothing that says who asks goes to a host that a redirect
// leads to.
func TestSecretsStay(t *testing.T) {
	for _, secret := range [][]string{
		{"-u", "me:secret"}, {"--oauth2-bearer", "secret"}, {"-H", "Authorization: secret"}, {"-b", "a=secret"}, {"-H", "Cookie: a=secret"},
	} {
		atOnceAndInTurn(t, func(t *testing.T, m *echo, args ...string) {
			far, near := m.at("a.localhost")+"/to/b.localhost/302/there", m.at("a.localhost")+"/to/a.localhost/307/here"
			got := shoal(t, slices.Concat(args, secret, []string{far, near})...)
			require.Equal(t, exitOK, got.status, got.stderr)
			for _, r := range m.take() {
				sent := r.Header.Get("Authorization") + r.Header.Get("Cookie")
				require.Equal(t, strings.HasPrefix(r.Host, "a."), sent != "", "%s to %s%s", secret, r.Host, r.URL)
			}
		})
	}
}

// TestNameInURL: it is sent to its host, and goes before -u; nothing that shows
// the URL shows the password.
func TestNameInURL(t *testing.T) {
	atOnceAndInTurn(t, func(t *testing.T, m *echo, args ...string) {
		with := strings.Replace(m.at("a.localhost"), "http://", "http://carp:fry@", 1)
		got := shoal(t, slices.Concat(args, []string{"--json", "-v", "-u", "me:pass", with + "/1", with + "/to/b.localhost/302/2", m.URL + "/3", with + ":1/4"})...)
		require.Equal(t, exitFailed, got.status)
		require.NotContains(t, got.stdout+got.stderr, "fry")
		require.NotContains(t, got.stdout+got.stderr, "carp")
		sent := map[string]string{}
		for _, r := range m.take() {
			sent[r.URL.Path] = r.Header.Get("Authorization")
		}
		require.Equal(t, map[string]string{"/1": "Basic Y2FycDpmcnk=", "/to/b.localhost/302/2": "Basic Y2FycDpmcnk=", "/2": "", "/3": "Basic bWU6cGFzcw=="}, sent)
	})
}

// TestFailedKeepsTheName: the URL is of no use without, so the file becomes its
// user's alone.
func TestFailedKeepsTheName(t *testing.T) {
	dir := t.TempDir()
	dead := "carp:fry@" + porttest.Closed(t)
	failed := filepath.Join(dir, "failed")
	got := shoal(t, "-d", dir, "--failed", failed, dead+"/a", "carp:fr/y@h")
	require.Equal(t, exitFailed, got.status)
	require.NotContains(t, got.stderr, "fr")
	require.Contains(t, content(t, failed), "http://"+dead+"/a")
	info, err := os.Stat(failed)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.Equal(t, exitFailed, shoal(t, "-d", dir, "-i", failed).status)
}

// TestRange saves the part, and no file when the server sends another or all.
func TestRange(t *testing.T) {
	whole := strings.Repeat("0123456789", 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ignores":
			_, _ = io.WriteString(w, whole)
			return
		case "/lies":
			r.Header.Set("Range", "bytes=1-4")
		case "/confused":
			w.Header().Set("Content-Range", "bytes ?")
			w.WriteHeader(206)
			return
		}
		http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader(whole))
	}))
	defer s.Close()
	for span, want := range map[string]string{"0-4": "01234", "95-": "56789", "-3": "789", "98-200": "89", "0-": whole, "-200": whole} {
		dir := t.TempDir()
		got := shoal(t, "-d", dir, "-r", span, s.URL+"/a")
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Equal(t, want, content(t, dir, "a"), span)
	}
	dir := t.TempDir()
	got := shoal(t, "-d", dir, "-r", "0-4", s.URL+"/ignores", s.URL+"/lies", s.URL+"/confused")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "200 instead of 206")
	require.Contains(t, got.stderr, "bytes 1-4/100")
	require.Contains(t, got.stderr, "no range")
	require.Empty(t, names(t, dir))
	require.Contains(t, shoal(t, "-d", dir, "-r", "200-", s.URL+"/a").stderr, "416")
}

// TestHead prints heads and saves nothing.
func TestHead(t *testing.T) {
	atOnceAndInTurn(t, func(t *testing.T, m *echo, args ...string) {
		got := shoal(t, append(args, "-I", m.URL+"/1")...)
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Regexp(t, `^HTTP/1.1 200 OK\r\n(?s:.*)Content-Type: text/plain\r\n(?s:.*)\r\n\r\n$`, got.stdout)
		require.NotContains(t, got.stdout, "==>")
		got = shoal(t, append(args, "-X", "HEAD", m.URL+"/1", m.URL+"/to/localhost/303/2")...)
		require.Contains(t, got.stdout, "==> "+m.URL+"/1 <==\nHTTP/1.1 200 OK\r\n")
		require.Contains(t, got.stdout, "==> "+m.URL+"/to/localhost/303/2 <==\nHTTP/1.1 200 OK\r\n")
		for _, r := range m.take() {
			require.Equal(t, "HEAD", r.Method)
		}
		require.Empty(t, names(t, args[1]))
	})
	got := shoal(t, "-I", site(t).URL+"/none/x")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stdout, "HTTP/1.1 404 Not Found\r\n")
	require.Empty(t, shoal(t, "-I", "-o", os.DevNull, site(t).URL+"/plain/x").stdout)
}

// TestHopsInRecords: each request of a redirect is told, and a circle named.
func TestHopsInRecords(t *testing.T) {
	m := newEcho(t)
	got := shoal(t, "-d", t.TempDir(), "--json", m.URL+"/to/a.localhost/301/to/127.0.0.1/307/x")
	var record struct {
		FinalURL string `json:"final_url"`
		Hops     []struct {
			URL     string
			Status  int
			Timings struct{ Total float64 }
		}
		Timings struct{ Total float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &record))
	require.Len(t, record.Hops, 3)
	require.Equal(t, m.at("a.localhost")+"/to/127.0.0.1/307/x", record.Hops[1].URL)
	require.Equal(t, record.FinalURL, record.Hops[2].URL)
	require.Equal(t, []int{301, 307, 200}, []int{record.Hops[0].Status, record.Hops[1].Status, record.Hops[2].Status})
	require.InDelta(t, record.Timings.Total, record.Hops[0].Timings.Total+record.Hops[1].Timings.Total+record.Hops[2].Timings.Total, 1e-6)
}

// TestMaxHeaderSize names the limit.
func TestMaxHeaderSize(t *testing.T) {
	m := newEcho(t)
	got := shoal(t, "-d", t.TempDir(), "--max-header-size", "1k", m.URL+"/a?set="+strings.Repeat("x", 2000))
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "longer than 1024 bytes")
	require.Equal(t, exitOK, shoal(t, "-d", t.TempDir(), "--max-header-size", "40k", m.URL+"/a?set="+strings.Repeat("x", 30000)).status)
}
