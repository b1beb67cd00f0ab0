package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/lab"
	"github.com/shoalfetch/shoal/internal/porttest"
)

// pages are bytes that tell where they stand, of an edition.
func pages(edition string, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, "%s %d\n", edition, b.Len())
	}
	return b.Bytes()[:size]
}

// press is a server of one content, of which the first request gets a half, and
// the others what a test says.
type press struct {
	*httptest.Server
	content []byte
	then    http.HandlerFunc
	held    chan struct{} // nil, or what is waited for before the half is all

	mu    sync.Mutex
	asked []string // Range fields
}

func newPress(t *testing.T, size int, then http.HandlerFunc) *press {
	return (&press{content: pages("first", size), then: then}).serve(t)
}

// newHeldPress is one whose first half is followed by the other when the test says
// so, and which has all of it for later requests.
func newHeldPress(t *testing.T, size int) *press {
	return (&press{content: pages("first", size), held: make(chan struct{})}).serve(t)
}

func (p *press) serve(t *testing.T) *press {
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *press) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Header.Get("Range"))
	first := len(p.asked) == 1
	p.mu.Unlock()
	switch {
	case first && p.held != nil:
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(p.content)))
		_, _ = w.Write(p.content[:len(p.content)/2])
		w.(http.Flusher).Flush()
		select {
		case <-p.held:
			_, _ = w.Write(p.content[len(p.content)/2:])
		case <-r.Context().Done():
		}
	case first:
		speak(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: %d\r\n\r\n%s", len(p.content), p.content[:len(p.content)/2]))
	case p.then != nil:
		p.then(w, r)
	default:
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.content))
	}
}

// ranges gives the Range fields of the requests so far.
func (p *press) ranges() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// TestContinue: what one run has left, the next one goes on with: in a folder and
// with -o, with one loop and with several.
func TestContinue(t *testing.T) {
	for _, how := range []string{"in a folder", "as a file", "with two loops"} {
		t.Run(how, func(t *testing.T) {
			p, dir := newPress(t, 100_000, nil), t.TempDir()
			args := map[string][]string{
				"in a folder":    {"-d", dir, p.URL + "/name"},
				"as a file":      {"-o", filepath.Join(dir, "name"), p.URL},
				"with two loops": {"-d", dir, "--loops", "2", p.URL + "/name", "http://" + porttest.Closed(t) + "/none"},
			}[how]
			args = append(args, "-s", "--json", "--retry", "0", "-C", "-")
			got := shoal(t, args...)
			require.Equal(t, exitFailed, got.status)
			require.Equal(t, []string{".name.origin", ".name.part"}, names(t, dir))
			require.Equal(t, string(p.content[:50_000]), content(t, dir, ".name.part"))

			got = shoal(t, args...)
			r := records(t, got.stdout)[1]
			require.Equal(t, []any{"saved", int64(100_000), int64(50_000), 206}, []any{r.Outcome, r.Bytes, r.Resumed, r.Status})
			require.Equal(t, []string{"name"}, names(t, dir))
			require.Equal(t, string(p.content), content(t, dir, "name"))
			require.Equal(t, []string{"", "bytes=50000-"}, p.ranges())
		})
	}
}

// TestContinueNothing: without -C nothing is left, and nothing gone on with.
func TestContinueNothing(t *testing.T) {
	p, dir := newPress(t, 100_000, nil), t.TempDir()
	require.Equal(t, exitFailed, shoal(t, "-s", "--retry", "0", "-d", dir, p.URL+"/name").status)
	require.Empty(t, names(t, dir))

	p = newPress(t, 100_000, nil)
	require.Equal(t, exitFailed, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name").status)
	require.Equal(t, exitOK, shoal(t, "-s", "--retry", "0", "-d", dir, p.URL+"/name").status)
	require.Equal(t, []string{"", ""}, p.ranges())
	require.Equal(t, string(p.content), content(t, dir, "name"))
}

// TestContinueRefused goes through what a server may answer to a request for the
// rest: what is saved in the end is what it has then, and never parts of two
// contents (mikf/gallery-dl#2938).
func TestContinueRefused(t *testing.T) {
	second := pages("second", 120_000)
	whole := func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(second) }
	part := func(status int, span, tag string, rest []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				whole(w, r)
				return
			}
			w.Header().Set("Content-Range", span)
			w.Header().Set("ETag", tag)
			w.WriteHeader(status)
			_, _ = w.Write(rest)
		}
	}
	for name, then := range map[string]http.HandlerFunc{
		"ignores the range": whole,
		"another tag":       part(206, "bytes 50000-99999/100000", `"2"`, second[:50_000]),
		"another length":    part(206, "bytes 50000-119999/120000", `"1"`, second[50_000:]),
		"from elsewhere":    part(206, "bytes 0-99999/100000", `"1"`, second[:100_000]),
		"no range":          part(206, "", `"1"`, second[:50_000]),
		"less than it says": part(206, "bytes 50000-99999/100000", `"1"`, second[:100]),
		"not satisfiable":   part(416, "bytes */120000", `"1"`, nil),
		"moved elsewhere": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/name" {
				http.Redirect(w, r, "/other", http.StatusFound)
				return
			}
			part(206, "bytes 50000-99999/100000", `"1"`, second[:50_000])(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, dir := newPress(t, 100_000, then), t.TempDir()
			args := []string{"-s", "-d", dir, "--retry", "0", "-C", "-", p.URL + "/name"}
			require.Equal(t, exitFailed, shoal(t, args...).status)
			require.Equal(t, exitOK, shoal(t, args...).status)
			require.Equal(t, []string{"name"}, names(t, dir))
			require.Equal(t, string(second), content(t, dir, "name"))
		})
	}
}

// TestContinueWhole: a part that has all its bytes only lacked its name, and one
// of unknown length may have; the server still has its say.
func TestContinueWhole(t *testing.T) {
	for _, length := range []string{"100000", "-1"} {
		p, dir := newPress(t, 100_000, nil), t.TempDir()
		require.Equal(t, exitFailed, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name").status)
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".name.part"), p.content, 0o600))
		origin := strings.Replace(content(t, dir, ".name.origin"), "100000", length, 1)
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".name.origin"), []byte(origin), 0o600))
		require.Equal(t, exitOK, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name").status)
		require.Equal(t, []string{"", "bytes=99999-"}, p.ranges())
		require.Equal(t, []string{"name"}, names(t, dir))
		require.Equal(t, string(p.content), content(t, dir, "name"))
	}
}

// TestContinueOrphan: an origin whose part has got its name goes, and nothing else
// that looks like it.
func TestContinueOrphan(t *testing.T) {
	p, dir := newPress(t, 100_000, nil), t.TempDir()
	require.Equal(t, exitFailed, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name").status)
	require.NoError(t, os.Rename(filepath.Join(dir, ".name.part"), filepath.Join(dir, "name")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".mine.origin"), []byte("of species"), 0o600))
	require.Equal(t, exitOK, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name").status)
	require.Equal(t, []string{".mine.origin", "name"}, names(t, dir))
}

// TestContinueOther: what is left of one URL is not gone on with for another of
// the same name, nor is what no longer fits its origin.
func TestContinueOther(t *testing.T) {
	for _, damage := range []func(dir string) error{
		func(string) error { return nil },
		func(dir string) error { return os.Truncate(filepath.Join(dir, ".name.part"), 1<<20) },
		func(dir string) error { return os.Truncate(filepath.Join(dir, ".name.origin"), 30) },
		func(dir string) error { return os.Remove(filepath.Join(dir, ".name.origin")) },
		func(dir string) error { return os.Remove(filepath.Join(dir, ".name.part")) },
	} {
		p, dir := newPress(t, 100_000, nil), t.TempDir()
		require.Equal(t, exitFailed, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name").status)
		require.NoError(t, damage(dir))
		require.Equal(t, exitOK, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", p.URL+"/name?other").status)
		require.Equal(t, []string{"", ""}, p.ranges())
		require.Equal(t, []string{"name"}, names(t, dir))
		require.Equal(t, string(p.content), content(t, dir, "name"))
	}
}

// TestContinueRedirected: a redirect to where the part came from is no other
// content, with a signature of another day.
func TestContinueRedirected(t *testing.T) {
	p, days := newPress(t, 100_000, nil), new(atomic.Int32)
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("%s/name?day=%d", p.URL, days.Add(1)), http.StatusFound)
	}))
	defer away.Close()
	dir := t.TempDir()
	require.Equal(t, exitFailed, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", away.URL+"/name").status)
	require.NotContains(t, content(t, dir, ".name.origin"), "day")
	require.Equal(t, exitOK, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", away.URL+"/name").status)
	require.Equal(t, []string{"", "bytes=50000-"}, p.ranges())
	require.Equal(t, string(p.content), content(t, dir, "name"))
}

// TestContinueLab: a server that closes after half of what it is asked for is
// got the better of by and by.
func TestContinueLab(t *testing.T) {
	s, dir := labServer(t, lab.Options{Seed: 1}), t.TempDir()
	want := t.TempDir()
	require.Equal(t, exitOK, shoal(t, "-s", "-o", filepath.Join(want, "whole"), s.URL()+"/range/bytes/100000.bin").status)
	for runs := 1; ; runs++ {
		require.Less(t, runs, 30)
		if shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", s.URL()+"/range/cut/bytes/100000.bin?at=50").status == exitOK {
			require.Greater(t, runs, 5)
			break
		}
	}
	require.Len(t, names(t, dir), 1)
	require.Equal(t, content(t, want, "whole"), content(t, dir, names(t, dir)[0]))
}

// slowShelf serves files of some size and more, with tags, in small pieces.
func slowShelf(t *testing.T, files, size int) (urls []string, texts map[string][]byte, resumed func() int) {
	texts = map[string][]byte{}
	for n := range files {
		name := fmt.Sprintf("%d.txt", n)
		texts[name] = bytes.Join(bytes.SplitAfter(pages(name, size), []byte("99\n")), []byte(strings.Repeat(".", 300)))
	}
	var mu sync.Mutex
	parts := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, from := texts[r.URL.Path[1:]], 0
		w.Header().Set("ETag", fmt.Sprintf("%q", r.URL.Path))
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); n == 1 {
			mu.Lock()
			parts++
			mu.Unlock()
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(text)-1, len(text)))
			w.WriteHeader(http.StatusPartialContent)
		}
		for piece := range bytes.Lines(text[from:]) {
			if _, err := w.Write(piece); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(200 * time.Microsecond)
		}
	}))
	t.Cleanup(s.Close)
	for n := range files {
		urls = append(urls, fmt.Sprintf("%s/%d.txt", s.URL, n))
	}
	return urls, texts, func() int {
		mu.Lock()
		defer mu.Unlock()
		return parts
	}
}

// TestContinueKilled kills runs at random moments: each goes on where the one
// before was killed, what is there at any time is the beginning of what was
// served, and in the end all is whole (rom1504/img2dataset#289).
func TestContinueKilled(t *testing.T) {
	urls, texts, resumed := slowShelf(t, 8, 9000)
	dir, list := t.TempDir(), listFile(t, urls...)
	dice := rand.New(rand.NewPCG(3, 4))
	killed := 0
	for range 15 {
		p := startShoal(t, "-s", "-d", dir, "-i", list, "-j", "6", "--retry", "0", "-C", "-")
		time.Sleep(time.Duration(30+dice.IntN(90)) * time.Millisecond)
		require.NoError(t, p.Process.Kill())
		if p.end(t) != exitOK {
			killed++
		}
		for _, name := range names(t, dir) {
			hidden, isPart := strings.CutSuffix(name, partEnd)
			switch {
			case isPart:
				require.True(t, bytes.HasPrefix(texts[hidden[1:]], []byte(content(t, dir, name))), "%s is glued", name)
			case name[0] != '.':
				require.True(t, string(texts[name]) == content(t, dir, name), "%s is not what was served", name)
			}
		}
	}
	t.Logf("%d of 15 were killed, %d requests for the rest", killed, resumed())
	require.GreaterOrEqual(t, killed, 3)
	p := startShoal(t, "-s", "-d", dir, "-i", list, "--retry", "0", "-C", "-")
	require.Equal(t, exitOK, p.end(t), p.stderr.String())
	require.Positive(t, resumed())
	require.Len(t, names(t, dir), len(urls))
	for name, text := range texts {
		require.True(t, string(text) == content(t, dir, name), "%s is not what was served", name)
	}
}

const partEnd = ".part"

// TestContinueInterrupted: a signal leaves what has come.
func TestContinueInterrupted(t *testing.T) {
	s, dir := newHeldPress(t, 100_000), t.TempDir()
	p := startShoal(t, "-d", dir, "--retry", "0", "-C", "-", s.URL+"/name")
	awaitSize(t, filepath.Join(dir, ".name.part"), 50_000)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	p.says(t, toEnd)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	require.Equal(t, 130, p.end(t))
	require.Equal(t, []string{".name.origin", ".name.part"}, names(t, dir))
	require.Equal(t, exitOK, shoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", s.URL+"/name").status)
	require.Equal(t, []string{"", "bytes=50000-"}, s.ranges())
	require.Equal(t, string(s.content), content(t, dir, "name"))
}

// awaitSize waits until a file has so many bytes.
func awaitSize(t *testing.T, name string, size int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		info, err := os.Stat(name)
		return err == nil && info.Size() == size
	}, 20*time.Second, time.Millisecond, "%s has not %d bytes", name, size)
}

// TestContinueTwice: two runs do not go on with the same parts.
func TestContinueTwice(t *testing.T) {
	s, dir := newHeldPress(t, 100_000), t.TempDir()
	p := startShoal(t, "-s", "-d", dir, "--retry", "0", "-C", "-", s.URL+"/name")
	awaitSize(t, filepath.Join(dir, ".name.part"), 50_000)
	got := shoal(t, "-d", dir, "--retry", "0", "-C", "-", s.URL+"/name")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "another run that resumes")
	close(s.held)
	require.Equal(t, exitOK, p.end(t))
}
