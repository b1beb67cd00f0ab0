package view

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/sim"
	"github.com/shoalfetch/shoal/poller"
)

// world is a simulated network, and what is told of fetches in it.
type world struct {
	t       *testing.T
	k       *sim.Kernel
	options fetch.Options
	body    []byte // of the requests
	told    strings.Builder
	explain *Explain
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, k: sim.New(1, sim.Chaos{})}
	w.k.Fatal = func(text string) { t.Error(text) }
	w.explain = NewExplain(&w.told)
	w.options = fetch.Options{Resolver: w.k, Trace: w.explain.Event}
	return w
}

// host puts a server at an address and gives it a name.
func (w *world) host(name, addr string, answer sim.Server) {
	a := netip.MustParseAddr(addr)
	w.k.Host(name, a)
	w.k.Serve(netip.AddrPortFrom(a, 80), answer)
}

// row is a Source of requests that differ in their URLs alone.
type row struct {
	urls []string
	body []byte
}

func (r *row) Next() (fetch.Request, fetch.Supply) {
	if len(r.urls) == 0 {
		return fetch.Request{}, fetch.End
	}
	url := r.urls[0]
	r.urls = r.urls[1:]
	return fetch.Request{URL: url, Body: r.body}, fetch.More
}

func (r *row) Notify(func()) {}

// golden compares what was told with the file that is named like the test.
func golden(t *testing.T, told string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", t.Name()+".txt"))
	require.NoError(t, err)
	require.Equal(t, string(want), told)
}

// fetch fetches and gives what was told.
func (w *world) fetch(urls ...string) string {
	f, err := fetch.NewOn(w.k, w.k.Runner(), w.options)
	require.NoError(w.t, err)
	w.run(f, urls...)
	require.NoError(w.t, f.Close())
	return w.told.String()
}

func (w *world) run(f *fetch.Fetcher, urls ...string) {
	source := row{urls, w.body}
	for res, err := range f.FetchFrom(context.Background(), w.explain.Source(&source)) {
		w.explain.Result(res, err)
	}
}

// serve answers by the target.
func serve(q *sim.Request, _ *rand.Rand) sim.Response {
	switch q.Target {
	case "/moved":
		return sim.Reply(302, "Location: /chunked\r\n", nil)
	case "/chunked":
		return sim.ReplyChunked(200, "", []byte(strings.Repeat("x", 3000)), 1000)
	case "/close":
		return sim.ReplyUntilClose(200, "", []byte("hello"))
	case "/once":
		p := sim.Reply(200, "", []byte("hello"))
		p.Then = sim.FIN
		return p
	case "/cut":
		p := sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"))
		p.Then = sim.RST
		return p
	case "/none":
		return sim.Raw([]byte("HTTP/1.1 404 No \x9b31m\r\nContent-Length: 0\r\n\r\n"))
	}
	return sim.Reply(200, "", []byte("hello"))
}

func TestExplainOne(t *testing.T) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	golden(t, w.fetch("http://a.test/plain"))
}

func TestExplainSeveral(t *testing.T) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	golden(t, w.fetch("http://a.test/plain", "http://a.test/moved", "http://a.test/close"))
}

// TestExplainReuse: the second goes over the connection of the first, the third
// finds it closed.
func TestExplainReuse(t *testing.T) {
	w := newWorld(t)
	w.host("six.test", "2001:db8::6", serve)
	f, err := fetch.NewOn(w.k, w.k.Runner(), w.options)
	require.NoError(t, err)
	w.run(f, "http://six.test/1")
	w.run(f, "http://six.test/once")
	_, err = w.k.Wait(make([]poller.Event, 1), time.Second)
	require.NoError(t, err)
	w.run(f, "http://six.test/3")
	require.NoError(t, f.Close())
	golden(t, w.told.String())
}

func TestExplainFailures(t *testing.T) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	w.k.Host("dead.test", netip.MustParseAddr("10.1.0.2"))
	w.k.Refuse(netip.MustParseAddrPort("10.1.0.2:80"))
	w.k.Unreachable(netip.MustParseAddrPort("10.1.0.3:80"), syscall.ENETUNREACH)
	w.options.MaxConns = 1
	golden(t, w.fetch("http://dead.test/", "http://10.1.0.3/", "http://nowhere.test/", "ftp://a.test/", "http://a.test/cut", "http://a.test/none"))
}

// TestExplainDeadReuse: the server closes while the second request is on its
// way, which then goes out anew.
func TestExplainDeadReuse(t *testing.T) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	w.k.SetChaos(sim.Chaos{CloseOnReuse: 1})
	w.options.MaxConns = 1
	golden(t, w.fetch("http://a.test/1", "http://a.test/2"))
}

// TestExplainShortage: for a fifth of a second there is no descriptor.
func TestExplainShortage(t *testing.T) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	f, err := fetch.NewOn(w.k, w.k.Runner(), w.options)
	require.NoError(t, err)
	enough := w.k.Limit
	w.k.Limit = 0
	w.k.At(w.k.Now()+200*time.Millisecond, func() { w.k.Limit = enough })
	w.run(f, "http://10.1.0.1/1")
	require.NoError(t, f.Close())
	golden(t, w.told.String())
}

// files is a world whose bodies are long.
func files(t *testing.T, size int) *world {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", func(*sim.Request, *rand.Rand) sim.Response {
		return sim.Reply(200, "", []byte(strings.Repeat("x", size)))
	})
	return w
}

// TestExplainSaving: a body that is spliced, and one that is there already.
func TestExplainSaving(t *testing.T) {
	w := files(t, 900_000)
	w.k.Put("out", "old.jpg", nil)
	w.options.Sink = save.Dir("out")
	golden(t, w.fetch("http://a.test/old.jpg", "http://a.test/new.jpg"))
}

func TestExplainPauses(t *testing.T) {
	w := files(t, 100_000)
	w.options.Sink = &pausing{Folder: save.Dir("out"), k: w.k}
	golden(t, w.fetch("http://a.test/new.jpg"))
}

// TestExplainLongRequest: the socket takes it in parts.
func TestExplainLongRequest(t *testing.T) {
	w := newWorld(t)
	w.host("a.test", "10.1.0.1", serve)
	w.body = []byte(strings.Repeat("x", 300_000))
	golden(t, w.fetch("http://a.test/"))
}

// pausing is a folder whose bodies pause after each piece, for ten milliseconds.
type pausing struct {
	*save.Folder
	k *sim.Kernel
}

func (p *pausing) Open(info fetch.OpenInfo) (fetch.Body, error) {
	b, err := p.Folder.Open(info)
	return &pausingBody{b, p.k, info}, err
}

type pausingBody struct {
	fetch.Body
	k    *sim.Kernel
	info fetch.OpenInfo
}

func (b *pausingBody) Write(piece []byte) error {
	if err := b.Body.Write(piece); err != nil {
		return err
	}
	b.k.At(b.k.Now()+10*time.Millisecond, b.info.Resume)
	return fetch.ErrPause
}

// TestExplainAnything: whatever happens, each fetch is introduced once, ends
// once, and between the two all lines are whole.
func TestExplainAnything(t *testing.T) {
	targets := []string{"plain", "moved", "chunked", "close", "once", "cut", "none"}
	for seed := uint64(1); seed <= 30; seed++ {
		w := newWorld(t)
		w.k = sim.New(seed, sim.All())
		w.options.Resolver = w.k
		w.host("a.test", "10.1.0.1", serve)
		w.host("b.test", "2001:db8::6", serve)
		var urls []string
		for n := range 60 {
			urls = append(urls, "http://"+[]string{"a", "b", "c"}[n%3]+".test/"+targets[n%len(targets)])
		}
		f, err := fetch.NewOn(w.k, w.k.Runner(), w.options)
		if err != nil {
			continue // one of the things that happen
		}
		w.run(f, urls...)
		require.NoError(t, f.Close())
		introduced, ended := map[string]int{}, map[string]int{}
		for line := range strings.Lines(w.told.String()) {
			m := lineOfFetch.FindStringSubmatch(line)
			require.NotNil(t, m, "seed %d: %q", seed, line)
			switch {
			case strings.HasPrefix(m[2], "http://"):
				introduced[m[1]]++
			case strings.HasPrefix(m[2], "done: "), strings.HasPrefix(m[2], "failed: "):
				ended[m[1]]++
			}
		}
		require.Len(t, introduced, 60)
		require.Equal(t, introduced, ended, "seed %d", seed)
	}
}

var lineOfFetch = regexp.MustCompile(`^ *\d+\.\d{3} ms  (?:#(\d+) *|     )([a-z][^\n]*)\n$`)
