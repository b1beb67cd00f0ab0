package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
)

// estate is a server with a robots.txt.
type estate struct {
	*httptest.Server
	robots http.HandlerFunc

	mu    sync.Mutex
	asked []string
	times []time.Time
}

func newEstate(t *testing.T, robots http.HandlerFunc) *estate {
	e := &estate{robots: robots}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *estate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.asked, e.times = append(e.asked, r.URL.RequestURI()), append(e.times, time.Now())
	e.mu.Unlock()
	switch {
	case r.URL.Path == "/robots.txt":
		e.robots(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/to/"):
		http.Redirect(w, r, r.URL.RawQuery, http.StatusTemporaryRedirect)
		return
	case strings.HasPrefix(r.URL.Path, "/tagged"):
		w.Header().Add("X-Robots-Tag", "nofollow")
		w.Header().Add("X-Robots-Tag", "otherbot: noindex")
		w.Header().Add("X-Robots-Tag", r.URL.RawQuery)
	}
	fmt.Fprint(w, "It's ", r.URL.Path)
}

// takeAsked gives what has been asked for since the last time.
func (e *estate) takeAsked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked := e.asked
	e.asked = nil
	return asked
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// TestPolite: robots.txt is asked for once, before anything else; what it does not
// allow is not asked for; names are those of the order of the list. At every
// number of connections and loops it is the same.
func TestPolite(t *testing.T) {
	for _, how := range [][]string{{"-j", "1"}, {"-j", "50"}, {"-j", "50", "--loops", "2"}} {
		t.Run(fmt.Sprint(how), func(t *testing.T) {
			first := newEstate(t, func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(50 * time.Millisecond) // the second is quicker
				fmt.Fprint(w, "User-agent: *\nDisallow: /private/\nAllow: /private/but\n")
			})
			second := newEstate(t, says("User-agent: shoal\nDisallow: /b$\nUser-agent: *\nDisallow: /\n"))
			other := strings.Replace(second.URL, "127.0.0.1", "localhost", 1)
			dir, failed := t.TempDir(), filepath.Join(t.TempDir(), "failed")
			list := listFile(t, first.URL+"/a", other+"/a", first.URL+"/private/a", first.URL+"/private/but/a",
				other+"/b", other+"/b/c", first.URL+"/robots.txt")
			args := append([]string{"-d", dir, "-i", list, "--polite", "--json", "--failed", failed}, how...)
			got := shoal(t, args...)
			require.Equal(t, exitFailed, got.status)
			require.Contains(t, got.stderr, "5 fetched, 2 failed (2 not allowed by their sites)")
			require.Contains(t, got.stderr, list+":3: "+first.URL+"/private/a: queue: robots.txt does not allow it: line 2, Disallow: /private/\n")
			outcomes := map[int]string{}
			for line, r := range records(t, got.stdout) {
				outcomes[line] = r.Outcome + " " + filepath.Base(r.Path)
				if r.Error != nil {
					outcomes[line] = r.Error.Phase + " " + r.Error.Kind
				}
			}
			require.Equal(t, map[int]string{1: "saved a", 2: "saved a-2", 3: "queue robots", 4: "saved a-4", 5: "queue robots",
				6: "saved c", 7: "saved robots.txt"}, outcomes)
			require.Equal(t, "It's /private/but/a", content(t, dir, "a-4"))
			require.Contains(t, content(t, dir, "robots.txt"), "Disallow: /private/")
			require.Contains(t, content(t, failed), `"name":"a-3"`)
			asked := second.takeAsked()
			require.Equal(t, "/robots.txt", asked[0])
			require.ElementsMatch(t, []string{"/robots.txt", "/a", "/b/c"}, asked)
			require.ElementsMatch(t, []string{"/robots.txt", "/robots.txt", "/a", "/private/but/a"}, first.takeAsked())
			require.Equal(t, exitFailed, shoal(t, args...).status)
			require.NotContains(t, second.takeAsked(), "/a", "what is there is skipped")
		})
	}
}

// TestPoliteWithoutRobots: what cannot be read says no, what is not there says yes
// (RFC 9309 section 2.3.1).
func TestPoliteWithoutRobots(t *testing.T) {
	long := "User-agent: *\nDisallow: /a\n" + strings.Repeat("# "+strings.Repeat("x", 97)+"\n", 20_000)
	for name, c := range map[string]struct {
		robots http.HandlerFunc
		why    string
	}{
		"not there":    {http.NotFound, ""},
		"forbidden":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, ""},
		"out of order": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "robots.txt could not be read: status 500"},
		"busy":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "status 429"},
		"broken": {func(w http.ResponseWriter, _ *http.Request) {
			speak(w, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nUser")
		}, "robots.txt could not be read: "},
		"elsewhere":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) }, ""},
		"empty":       {says(""), ""},
		"endless":     {says(long), "line 2, Disallow: /a"},
		"not for all": {says("User-agent: otherbot\nDisallow: /\n"), ""},
		"not to be kept itself": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Robots-Tag", "noindex")
			fmt.Fprint(w, "User-agent: *\nDisallow: /b\n")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, more := range [][]string{nil, {"--save-errors"}} {
				e, dir := newEstate(t, c.robots), t.TempDir()
				got := shoal(t, append(more, "-d", dir, "--polite", "--retry", "0", e.URL+"/a")...)
				require.Equal(t, c.why != "", got.status == exitFailed, got.stderr)
				require.Contains(t, got.stderr, c.why)
				require.Equal(t, c.why == "", len(names(t, dir)) == 1)
			}
		})
	}
	got := shoal(t, "-d", t.TempDir(), "--polite", "--retry", "0", "http://"+porttest.Closed(t)+"/a")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "robots.txt could not be read: ")
}

// TestRobotsTag: what a head forbids is not saved, wherever bodies go.
func TestRobotsTag(t *testing.T) {
	e, dir := newEstate(t, http.NotFound), t.TempDir()
	for query, kind := range map[string]string{"noindex": "robots", "all": "", "shoal:%20none": "", "NoAI,%20other": "robots"} {
		for _, to := range [][]string{{"-d", dir}, {"-o", filepath.Join(dir, "one")}, {"-o", os.DevNull}} {
			got := shoal(t, append(to, "-s", "--polite", "--json", e.URL+"/tagged/"+strings.Map(plain, query)+"?"+query)...)
			r := records(t, got.stdout)[1]
			if kind == "" {
				require.Equal(t, "saved", r.Outcome)
				continue
			}
			require.Equal(t, []string{"failed", "status", kind}, []string{r.Outcome, r.Error.Phase, r.Error.Kind})
		}
	}
	got := shoal(t, "-s", "-d", t.TempDir(), e.URL+"/tagged/x?noindex")
	require.Equal(t, exitOK, got.status, "nobody asked to be polite")
}

func plain(c rune) rune {
	if c >= 'a' && c <= 'z' {
		return c
	}
	return '_'
}

// TestCrawlDelay: a site's lines go one by one, and hold up no other's.
func TestCrawlDelay(t *testing.T) {
	slow, quick := newEstate(t, says("User-agent: *\nCrawl-delay: 0.2\n")), newEstate(t, says(""))
	other := strings.Replace(quick.URL, "127.0.0.1", "localhost", 1)
	var urls []string
	for n := range 4 {
		urls = append(urls, fmt.Sprintf("%s/%d", slow.URL, n), fmt.Sprintf("%s/%d", other, n))
	}
	require.Equal(t, exitOK, shoal(t, "-s", "-d", t.TempDir(), "--polite", "-i", listFile(t, urls...)).status)
	require.Equal(t, []string{"/robots.txt", "/0", "/1", "/2", "/3"}, slow.takeAsked())
	slow.requireApart(t, 200*time.Millisecond)
}

// requireApart has the requests after that for robots.txt be so far apart. A handler
// may come late to any of them, so each is measured from that one, before which
// none was sent.
func (e *estate) requireApart(t *testing.T, delay time.Duration) {
	t.Helper()
	for n, at := range e.times[1:] {
		require.GreaterOrEqual(t, at.Sub(e.times[0]), time.Duration(n)*delay)
	}
}

// TestPoliteInterrupted: lines that wait for a robots.txt are left for the next
// run, under their names.
func TestPoliteInterrupted(t *testing.T) {
	begun, end := make(chan struct{}, 1), make(chan struct{})
	silent := newEstate(t, func(_ http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-end
	})
	var urls []string
	for n := range 50 {
		urls = append(urls, fmt.Sprintf("%s/%d/x", silent.URL, n))
	}
	rest := filepath.Join(t.TempDir(), "rest")
	p := startShoal(t, "-d", t.TempDir(), "--polite", "--rest", rest, "-i", listFile(t, urls...))
	<-begun
	require.NoError(t, p.Process.Signal(os.Interrupt))
	p.says(t, "1 "+toEnd)
	close(end)
	require.Equal(t, 130, p.end(t))
	require.Contains(t, p.stderr.String(), "50 URLs left")
	left := lines(content(t, rest))
	require.Len(t, left, 50)
	require.Contains(t, left[7], `"name":"x-8"`)
}

// TestPoliteManyLines: more lines of one site than may wait hold up nothing for
// good.
func TestPoliteManyLines(t *testing.T) {
	e := newEstate(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(100 * time.Millisecond)
		fmt.Fprint(w, "User-agent: *\nDisallow: /0\n")
	})
	var urls []string
	for n := range heldMost + 1000 {
		urls = append(urls, fmt.Sprintf("%s/%d", e.URL, n))
	}
	got := shoal(t, "-o", os.DevNull, "--polite", "-i", listFile(t, urls...))
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, fmt.Sprintf("%d fetched, 1 failed (1 not", heldMost+999))
	require.Equal(t, "/robots.txt", e.takeAsked()[0])
}
