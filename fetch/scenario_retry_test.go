package fetch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
)

// retrying is a scene in which fetches are tried again twice, and a.test answers
// the nth request for a target as it is told.
func retrying(t *testing.T, answer func(q *sim.Request, nth int) sim.Response) *scene {
	s := newScene(t)
	s.options.Retry.Max = 2
	seen := map[string]int{}
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		seen[q.Target]++
		return answer(q, seen[q.Target])
	})
	return s
}

// TestRetriedStatuses: these are tried again, and no others (aria2/aria2#2295).
func TestRetriedStatuses(t *testing.T) {
	again := []int{408, 425, 429, 500, 502, 503, 504, 522, 524}
	for status := 400; status < 600; status++ {
		s := retrying(t, func(_ *sim.Request, nth int) sim.Response {
			if nth < 3 {
				return sim.Reply(status, "", []byte("not now"))
			}
			return sim.Reply(200, "", []byte("hello"))
		})
		got := s.one(fetch.Request{URL: "http://a.test/x"})
		if !slices.Contains(again, status) {
			require.ErrorContains(t, got.err, fmt.Sprint(status))
			require.Equal(t, 1, got.Attempts)
			continue
		}
		require.NoError(t, got.err, "status %d", status)
		require.Equal(t, "hello", string(got.Body))
		require.Equal(t, 3, got.Attempts)
	}
}

// TestRetriesEnd: what fails every time fails, with its last error.
func TestRetriesEnd(t *testing.T) {
	s := retrying(t, func(*sim.Request, int) sim.Response { return sim.Reply(503, "", nil) })
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	var e *fetch.Error
	require.ErrorAs(t, got.err, &e)
	require.EqualError(t, e, "http://a.test/x: status: status 503")
	require.Equal(t, 3, e.Attempt)
	require.Len(t, s.k.Served(), 3)
}

// TestRetriedFailures goes through the ways in which a fetch can fail, and says
// which are tried again.
func TestRetriedFailures(t *testing.T) {
	whole := sim.Reply(200, "", []byte("hello"))
	short := sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"))
	for _, c := range []struct {
		name  string
		first sim.Response
		q     fetch.Request
		tries int
	}{
		{"cut off", then(short, sim.FIN), fetch.Request{}, 2},
		{"reset", then(short, sim.RST), fetch.Request{}, 2},
		{"nothing", then(sim.Raw(nil), sim.FIN), fetch.Request{}, 2},
		{"silence", late(time.Minute, whole), fetch.Request{}, 2},
		{"silence in the body", short, fetch.Request{}, 2},
		{"a PUT", then(short, sim.RST), fetch.Request{Method: "PUT"}, 2},
		{"a POST", then(short, sim.RST), fetch.Request{Method: "POST"}, 1},
		{"no response", sim.Raw([]byte("what?\r\n\r\n")), fetch.Request{}, 1},
		{"too long", sim.Reply(200, "", times("x", 2000)), fetch.Request{}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := retrying(t, func(_ *sim.Request, nth int) sim.Response {
				if nth == 1 {
					return c.first
				}
				return whole
			})
			s.options.MaxBytes = 1000
			c.q.URL = "http://a.test/x"
			got := s.one(c.q)
			require.Len(t, s.k.Served(), c.tries)
			require.Equal(t, c.tries == 1, got.err != nil, "%v", got.err)
		})
	}
}

// TestRetriedDials: a server that is not there yet is waited for, whatever the
// method: nothing has been sent.
func TestRetriedDials(t *testing.T) {
	s := retrying(t, func(*sim.Request, int) sim.Response { return sim.Reply(200, "", []byte("hello")) })
	s.options.Retry.Max = 20
	at := address("10.1.0.2:80")
	s.k.At(3*time.Second, func() {
		s.k.Serve(at, func(*sim.Request, *rand.Rand) sim.Response { return sim.Reply(200, "", []byte("late")) })
	})
	got := s.one(fetch.Request{URL: "http://10.1.0.2/", Method: "POST"})
	require.NoError(t, got.err)
	require.Equal(t, "late", string(got.Body))
	require.Greater(t, got.at, 3*time.Second)
}

// flaky is a resolver that fails some times before it answers.
type flaky struct {
	*sim.Kernel
	fails int
	err   error
	asked int
}

func (f *flaky) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	f.asked++
	if f.asked <= f.fails {
		return nil, f.err
	}
	return f.Kernel.LookupNetIP(ctx, network, host)
}

// TestRetriedLookups: a name server that does not answer may do so later.
func TestRetriedLookups(t *testing.T) {
	s := retrying(t, func(*sim.Request, int) sim.Response { return sim.Reply(200, "", nil) })
	f := &flaky{Kernel: s.k, fails: 1, err: syscall.ECONNREFUSED}
	s.options.Resolver = f
	for _, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2", "http://a.test/3")...) {
		require.NoError(t, got.err)
	}
	require.Equal(t, 2, f.asked, "once for all that wait, and once more")

	s = retrying(t, nil)
	got := s.one(fetch.Request{URL: "http://nowhere.test/"})
	require.Equal(t, fetch.PhaseLookup, phaseOf(t, got.err))
	require.Equal(t, 1, got.Attempts, "a name that does not exist")
}

// TestRetryAfter waits as long as the server asks for, in seconds or until a
// date, and does not wait for too long.
func TestRetryAfter(t *testing.T) {
	for value, least := range map[string]time.Duration{
		"100":                              100 * time.Second,
		"Thu, 01 Jan 2026 00:02:00 GMT":    100 * time.Second,
		"Thursday, 01-Jan-26 00:02:00 GMT": 100 * time.Second,
		"Thu Jan  1 00:02:00 2026":         100 * time.Second,
		"Thu, 01 Jan 2015 00:02:00 GMT":    0,
		"soon":                             0,
		"-1":                               0,
	} {
		s := retrying(t, func(_ *sim.Request, nth int) sim.Response {
			if nth == 1 {
				return sim.Reply(429, "Retry-After: "+value+"\r\n", nil)
			}
			return sim.Reply(200, "", nil)
		})
		got := s.one(fetch.Request{URL: "http://a.test/x"})
		require.NoError(t, got.err)
		require.GreaterOrEqual(t, got.at, least, value)
		require.Less(t, got.at, least+30*time.Second, value)
	}
	s := retrying(t, func(*sim.Request, int) sim.Response { return sim.Reply(503, "Retry-After: 100000\r\n", nil) })
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	require.ErrorContains(t, got.err, "503")
	require.Less(t, got.at, time.Second, "it would be in vain to wait")
}

// TestRetriesDoNotHinder: while some fetches wait for another try, others go on
// (curl/curl#5905).
func TestRetriesDoNotHinder(t *testing.T) {
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		if q.Target == "/again" && nth < 3 {
			return sim.Reply(503, "Retry-After: 10\r\n", nil)
		}
		return sim.Reply(200, "", nil)
	})
	s.options.MaxConns, s.options.MaxPerHost = 1, 1
	got := s.run(s.fetcher(), gets("http://a.test/again", "http://a.test/1", "http://a.test/2")...)
	require.Equal(t, "http://a.test/again", got[2].Request.URL)
	require.NoError(t, got[2].err)
	require.Less(t, got[1].at, time.Second)
}

// TestRetriesStopped: what waits for another try ends at once when the run does,
// with what it had failed of.
func TestRetriesStopped(t *testing.T) {
	for _, how := range []string{"stop", "cancel", "total"} {
		s := retrying(t, func(*sim.Request, int) sim.Response { return sim.Reply(503, "Retry-After: 60\r\n", nil) })
		ctx, cancel := context.WithCancel(context.Background())
		var f *fetch.Fetcher
		s.options.Trace = func(e fetch.Event) {
			switch {
			case e.Kind == fetch.JobBackingOff && how == "stop":
				f.Stop()
			case e.Kind == fetch.JobBackingOff && how == "cancel":
				cancel()
			}
		}
		if how == "total" {
			s.options.TotalTimeout = 30 * time.Second
		}
		f = s.fetcher()
		for _, err := range f.Fetch(ctx, slices.Values(gets("http://a.test/x"))) {
			if how == "cancel" {
				require.ErrorIs(t, err, context.Canceled)
			} else {
				require.ErrorContains(t, err, "503")
			}
		}
		require.Less(t, s.k.Now(), 10*time.Second)
		cancel()
	}
}

// TestManyRetries: as many as may wait at once, and more, each for its turn.
func TestManyRetries(t *testing.T) {
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		if nth == 1 {
			return sim.Reply(503, "", nil)
		}
		return sim.Reply(200, "", nil)
	})
	s.options.MaxConns = 1
	var urls []string
	for n := range 150 {
		urls = append(urls, fmt.Sprintf("http://a.test/%d", n))
	}
	for _, got := range s.run(s.fetcher(), gets(urls...)...) {
		require.NoError(t, got.err)
		require.Equal(t, 2, got.Attempts)
	}
}

// ranged answers as a server of files does: the whole, or the rest from where it
// is asked, under an entity tag.
func ranged(q *sim.Request, content []byte, tag string) sim.Response {
	head := "ETag: " + tag + "\r\nAccept-Ranges: bytes\r\n"
	var from int
	if n, _ := fmt.Sscanf(q.Field("Range"), "bytes=%d-", &from); n == 1 && q.Field("If-Range") == tag {
		head += fmt.Sprintf("Content-Range: bytes %d-%d/%d\r\n", from, len(content)-1, len(content))
		return sim.Reply(206, head, content[from:])
	}
	return sim.Reply(200, head, content)
}

// cut lets a response break off after so many bytes of its body.
func cut(p sim.Response, size, body int) sim.Response {
	whole := p.Bytes()
	return then(sim.Raw(whole[:len(whole)-size+body]), sim.FIN)
}

// TestResume: what broke off goes on where it was, as often as needed.
func TestResume(t *testing.T) {
	content := times("abcdefghij", 100_000)
	for _, tag := range []string{`"v1"`, `W/"v1"`} {
		s := retrying(t, func(q *sim.Request, nth int) sim.Response {
			p := ranged(q, content, tag)
			if nth < 3 {
				return cut(p, bodySize(p), 20_000)
			}
			return p
		})
		got := s.one(fetch.Request{URL: "http://a.test/x"})
		require.NoError(t, got.err)
		require.True(t, string(content) == string(got.Body))
		require.EqualValues(t, len(content), got.Bytes)
		var asked []string
		for _, served := range s.k.Served() {
			asked = append(asked, served.Request.Field("Range"))
		}
		if tag[0] == 'W' {
			require.Equal(t, []string{"", "", ""}, asked, "a weak validator promises nothing")
		} else {
			require.Equal(t, []string{"", "bytes=20000-", "bytes=40000-"}, asked)
		}
	}
}

func bodySize(p sim.Response) int {
	whole := string(p.Bytes())
	for i := range whole {
		if i >= 4 && whole[i-4:i] == "\r\n\r\n" {
			return len(whole) - i
		}
	}
	return 0
}

// TestResumeRefused goes through what servers answer to a request for the rest
// that is not the rest: the fetch starts over, and no two contents are glued
// (mikf/gallery-dl#2938).
func TestResumeRefused(t *testing.T) {
	content, other := times("abcdefghij", 1000), times("0123456789", 1500)
	part := func(span string) sim.Response {
		return sim.Reply(206, "ETag: \"v1\"\r\nContent-Range: "+span+"\r\n", content[400:])
	}
	for _, c := range []struct {
		name   string
		second sim.Response
		want   []byte
		tries  int
	}{
		{"ignored", sim.Reply(200, "", content), content, 2},
		{"changed", sim.Reply(200, "ETag: \"v2\"\r\n", other), other, 2},
		{"from elsewhere", part("bytes 300-999/1000"), content, 3},
		{"of another length", part("bytes 400-999/1001"), content, 3},
		{"not all", part("bytes 400-899/1000"), content, 3},
		{"no range at all", part("400"), content, 3},
		{"backwards", part("bytes 999-400/1000"), content, 3},
		{"no Content-Range", sim.Reply(206, "ETag: \"v1\"\r\n", content[400:]), content, 3},
		{"another tag", sim.Reply(206, "ETag: \"v2\"\r\nContent-Range: bytes 400-999/1000\r\n", content[400:]), content, 3},
		{"of another length than it says", sim.Reply(206, "Content-Range: bytes 400-999/1000\r\n", content[500:]), content, 3},
		{"unsatisfiable", sim.Reply(416, "Content-Range: bytes */1000\r\n", nil), content, 3},
		{"unknown length", part("bytes 400-999/*"), content, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := retrying(t, func(q *sim.Request, nth int) sim.Response {
				switch {
				case nth == 1:
					return cut(ranged(q, content, `"v1"`), len(content), 400)
				case nth == 2:
					return c.second
				}
				require.Empty(t, q.Field("Range"))
				return ranged(q, content, `"v1"`)
			})
			got := s.one(fetch.Request{URL: "http://a.test/x"})
			require.NoError(t, got.err)
			require.Equal(t, string(c.want), string(got.Body))
			require.Len(t, s.k.Served(), c.tries)
		})
	}
}

// TestResumeInFolder: what goes into a file is gone on with too, at the end of
// what is there, also when the disk falls behind; meanwhile no descriptor waits.
func TestResumeInFolder(t *testing.T) {
	content := times("abcdefghij", 100_000)
	for _, chaos := range []sim.Chaos{{}, {SlowDisk: 0.5, SpellMax: time.Minute}} {
		s := newSceneIn(t, chaos)
		counted := kernel.Count(s.k)
		s.on = counted
		s.options.Sink = save.Dir("out")
		s.options.Retry.Max = 3
		nth := 0
		s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
			nth++
			p := ranged(q, content, `"v1"`)
			if nth < 4 {
				return cut(p, bodySize(p), 20_000)
			}
			return p
		})
		s.options.Trace = func(e fetch.Event) {
			if e.Kind == fetch.JobBackingOff && chaos == (sim.Chaos{}) {
				require.NotContains(t, fmt.Sprint(s.k.Open()), "file")
			}
		}
		got := s.one(fetch.Request{URL: "http://a.test/x"})
		require.NoError(t, got.err)
		require.True(t, string(content) == string(s.k.Files("out")["x"]))
		require.EqualValues(t, 3, counted.Snapshot().Calls[kernel.CallReopen])
		var asked []string
		for _, served := range s.k.Served() {
			asked = append(asked, served.Request.Field("Range"))
		}
		require.Equal(t, []string{"", "bytes=20000-", "bytes=40000-", "bytes=60000-"}, asked)
	}
}

// TestResumeOfDamage: a file that is shorter than it should be is not gone on
// with.
func TestResumeOfDamage(t *testing.T) {
	content := times("abcdefghij", 10_000)
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		p := ranged(q, content, `"v1"`)
		if nth == 1 {
			return cut(p, bodySize(p), 2000)
		}
		return p
	})
	s.options.Sink = save.Dir("out")
	s.options.Trace = func(e fetch.Event) {
		if e.Kind == fetch.JobBackingOff {
			for _, name := range s.k.Names("out") {
				s.k.Put("out", name, content[:1000])
			}
		}
	}
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	require.Equal(t, fetch.PhaseSave, phaseOf(t, got.err))
	require.Empty(t, s.k.Names("out"))
}

// TestResumeThroughTrouble: a failure that brings nothing does not lose what is
// there.
func TestResumeThroughTrouble(t *testing.T) {
	content := times("abcdefghij", 1000)
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		switch nth {
		case 1:
			return cut(ranged(q, content, `"v1"`), len(content), 400)
		case 2:
			return sim.Reply(503, "", nil)
		}
		return ranged(q, content, `"v1"`)
	})
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	require.NoError(t, got.err)
	require.Equal(t, string(content), string(got.Body))
	require.Equal(t, "bytes=400-", s.k.Served()[2].Request.Field("Range"))
}

// TestUnaskedPart: a part that nobody asked for is not the whole. Who writes the
// request himself may have asked.
func TestUnaskedPart(t *testing.T) {
	part := sim.Reply(206, "Content-Range: bytes 0-4/10\r\n", []byte("hello"))
	s := retrying(t, func(*sim.Request, int) sim.Response { return part })
	s.options.MaxPerHost = 1
	raw := []byte("GET /z HTTP/1.1\r\nHost: a.test\r\nRange: bytes=0-4\r\n\r\n")
	got := s.run(s.fetcher(), fetch.Request{URL: "http://a.test/x"},
		fetch.Request{URL: "http://a.test/y", Fields: []fetch.Field{{Name: "Range", Value: "bytes=0-4"}}},
		fetch.Request{URL: "http://a.test/z", Raw: raw})
	require.ErrorContains(t, got[0].err, "no range was asked for")
	for _, asked := range got[1:] {
		require.NoError(t, asked.err)
		require.Equal(t, "hello", string(asked.Body))
	}
}

// TestResumeByDate: a date of change serves where there is no tag, and the rest
// need not repeat it (RFC 9110 section 15.3.7).
func TestResumeByDate(t *testing.T) {
	const changed, date = "Thu, 01 Jan 2015 00:00:00 GMT", "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
	content := times("abcdefghij", 1000)
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		switch nth {
		case 1:
			return cut(sim.Reply(200, date+"Last-Modified: "+changed+"\r\n", content), 1000, 400)
		case 2:
			return cut(sim.Reply(206, date+"Content-Range: bytes 400-999/1000\r\n", content[400:]), 600, 400)
		}
		require.Equal(t, changed, q.Field("If-Range"))
		return sim.Reply(206, date+"Content-Range: bytes 800-999/1000\r\n", content[800:])
	})
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	require.NoError(t, got.err)
	require.Equal(t, string(content), string(got.Body))
	require.Equal(t, "bytes=800-", s.k.Served()[2].Request.Field("Range"))
}

// TestResumeUntilClose: a rest without a length is whole when it has brought what
// its head said, and neither before nor after.
func TestResumeUntilClose(t *testing.T) {
	content := times("abcdefghij", 1000)
	for _, c := range []struct {
		name string
		rest []byte
		err  string
		end  int
	}{
		{"whole", content[400:], "", 2},
		{"short", content[400:700], "", 3},
		{"long", append(slices.Clone(content[400:]), "more"...), "its body has more, 1004 bytes", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := retrying(t, func(q *sim.Request, nth int) sim.Response {
				switch p := ranged(q, content, `"v1"`); nth {
				case 1:
					return cut(p, len(content), 400)
				case 2:
					return sim.ReplyUntilClose(206, "ETag: \"v1\"\r\nContent-Range: bytes 400-999/1000\r\n", c.rest)
				default:
					return p
				}
			})
			got := s.one(fetch.Request{URL: "http://a.test/x"})
			require.Len(t, s.k.Served(), c.end)
			if c.err != "" {
				require.ErrorContains(t, got.err, c.err)
				return
			}
			require.NoError(t, got.err)
			require.Equal(t, string(content), string(got.Body))
		})
	}
}

// TestResumeIsAccepted: whoever accepts a response accepts its rest, which has
// another status.
func TestResumeIsAccepted(t *testing.T) {
	content := times("abcdefghij", 1000)
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		if p := ranged(q, content, `"v1"`); nth > 1 {
			return p
		}
		return cut(ranged(q, content, `"v1"`), len(content), 400)
	})
	s.options.Accept = func(h *fetch.Head) error {
		if h.Status != 200 {
			return fmt.Errorf("%d is not 200", h.Status)
		}
		return nil
	}
	got := s.one(fetch.Request{URL: "http://a.test/x"})
	require.NoError(t, got.err)
	require.Equal(t, string(content), string(got.Body))
}

// unlucky is a sink whose first body takes half of a piece, and fails.
type unlucky struct{ bodies []*halfway }

type halfway struct {
	got   []byte
	fails bool
}

func (u *unlucky) Open(fetch.OpenInfo) (fetch.Body, error) {
	u.bodies = append(u.bodies, &halfway{fails: len(u.bodies) == 0})
	return u.bodies[len(u.bodies)-1], nil
}

func (h *halfway) Write(p []byte) error {
	if h.fails {
		h.fails = false
		h.got = append(h.got, p[:len(p)/2]...)
		return syscall.EIO
	}
	h.got = append(h.got, p...)
	return nil
}

func (h *halfway) Keep() error   { return nil }
func (h *halfway) Commit() error { return nil }
func (h *halfway) Discard()      { h.got = nil }

// TestNoResumeAfterSaving: what a sink failed to write is fetched from the
// beginning, if it is at all.
func TestNoResumeAfterSaving(t *testing.T) {
	content := times("more than comes at once. ", 3_000_000)
	s := retrying(t, func(q *sim.Request, _ int) sim.Response { return ranged(q, content, `"v1"`) })
	s.options.Retry.When = func(*fetch.Error, *fetch.Head) bool { return true }
	sink := new(unlucky)
	s.options.Sink = sink
	require.NoError(t, s.one(fetch.Request{URL: "http://a.test/x"}).err)
	require.Len(t, sink.bodies, 2)
	require.True(t, string(content) == string(sink.bodies[1].got))
}

// TestRetryAfterTheQueue: time in line at a host is not the server's.
func TestRetryAfterTheQueue(t *testing.T) {
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		if q.Target == "/last" && nth == 1 {
			return sim.Reply(503, "", nil)
		}
		return late(20*time.Second, sim.Reply(200, "", nil))
	})
	s.options.MaxPerHost, s.options.Retry.MaxTime = 1, 30*time.Second
	for _, got := range s.run(s.fetcher(), gets("http://a.test/1", "http://a.test/2", "http://a.test/last")...) {
		require.NoError(t, got.err)
	}
}

// TestRetriesKeepTheirPlace: a fetch that waits for another try, and has lost its
// conn, still counts at its host: who comes there meanwhile and it share one
// limit.
func TestRetriesKeepTheirPlace(t *testing.T) {
	s := retrying(t, func(q *sim.Request, nth int) sim.Response {
		switch {
		case q.Target == "/slow":
			return late(10*time.Second, sim.Reply(200, "", nil))
		case nth == 1:
			return sim.Reply(503, "Retry-After: 2\r\n", times("too long to be read past. ", 1<<20))
		}
		return sim.Reply(200, "", nil)
	})
	s.host("b.test", "10.1.0.2", func(*sim.Request) sim.Response {
		return late(time.Second, moved(302, "http://a.test/slow"))
	})
	s.options.MaxPerHost = 1
	for _, got := range s.run(s.fetcher(), gets("http://a.test/again", "http://b.test/")...) {
		require.NoError(t, got.err)
		require.Greater(t, got.at, 10*time.Second)
	}
	require.Equal(t, 1, s.k.MostSocketsTo(address("10.1.0.1:80")))
}

// TestBackingOffAtItsOrigin: a job whose conn is closed under it, and that will be
// tried again, keeps its origin: a second one would have conns of its own.
func TestBackingOffAtItsOrigin(t *testing.T) {
	short := sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"))
	for _, first := range []sim.Response{short, then(short, sim.RST), sim.Reply(503, "", times("x", 1<<20))} {
		s := retrying(t, func(_ *sim.Request, nth int) sim.Response {
			if nth == 1 {
				return first
			}
			return sim.Reply(200, "", []byte("hello"))
		})
		var f *fetch.Fetcher
		backedOff := 0
		s.options.Trace = func(e fetch.Event) {
			if e.Kind == fetch.JobBackingOff {
				backedOff++
				require.Equal(t, 1, f.Origins())
			}
		}
		f = s.fetcher()
		require.NoError(t, s.run(f, fetch.Request{URL: "http://a.test/x"})[0].err)
		require.Equal(t, 1, backedOff)
	}
}
