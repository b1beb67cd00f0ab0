package fetch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/cookies"
	"github.com/shoalfetch/shoal/internal/sim"
)

// jar is a jar of cookies for one loop.
type jar struct{ *cookies.Jar }

func (j jar) AppendCookies(dst []byte, to fetch.CookieURL, now time.Time) []byte {
	return j.AppendHeader(dst, cookies.URL(to), now)
}

func (j jar) SetCookie(from fetch.CookieURL, value string, now time.Time) {
	_ = j.Set(cookies.URL(from), value, now)
}

// sent are the values of a field in all requests, in order.
func (s *scene) sent(name string) []string {
	var all []string
	for _, v := range s.k.Served() {
		all = append(all, v.Request.Field(name))
	}
	return all
}

// TestJar: what one response sets the next request carries, redirects and
// failures included, and no other host's.
func TestJar(t *testing.T) {
	s := newScene(t)
	s.options.Jar, s.options.MaxConns = jar{cookies.New()}, 1
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		switch q.Target {
		case "/go":
			return sim.Reply(302, "Set-Cookie: a=1\r\nset-cookie: b=2; Path=/x\r\nLocation: /x/y\r\n", nil)
		case "/x/y":
			return sim.Reply(302, "Location: http://b.test/\r\n", nil)
		case "/404":
			return sim.Reply(404, "Set-Cookie: a=3\r\n", nil)
		}
		return ok(q)
	})
	s.host("b.test", "10.1.0.2", func(*sim.Request) sim.Response {
		return sim.Reply(302, "Set-Cookie: c=9; Domain=a.test\r\nLocation: http://a.test/\r\n", nil)
	})
	f := s.fetcher()
	require.NoError(t, s.run(f, gets("http://a.test/go")...)[0].err)
	require.Equal(t, []string{"", "b=2; a=1", "", "a=1"}, s.sent("Cookie"))
	s.run(f, gets("http://a.test/404", "http://a.test/")...)
	require.Equal(t, []string{"a=1", "a=3"}, s.sent("Cookie")[4:])
}

// TestOwnCookies are sent in one field with the jar's, to their own origin.
func TestOwnCookies(t *testing.T) {
	s := newScene(t)
	s.options.Jar = jar{cookies.New()}
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Target == "/" {
			return sim.Reply(302, "Set-Cookie: j=1; Domain=a.test\r\nLocation: /2\r\n", nil)
		}
		return moved(302, "http://b.a.test/")
	})
	s.host("b.a.test", "10.1.0.2", ok)
	q := fetch.Request{URL: "http://a.test/", Fields: []fetch.Field{{Name: "Cookie", Value: "k=v"}, {Name: "cookie", Value: "l=w"}}}
	require.NoError(t, s.one(q).err)
	require.Equal(t, "k=v", s.sent("Cookie")[0])
	require.Equal(t, "k=v; l=w; j=1", s.sent("Cookie")[1])
	require.Equal(t, 1, strings.Count(strings.ToLower(string(s.k.Served()[1].Request.Head)), "cookie:"))
	require.Equal(t, "j=1", s.sent("Cookie")[2])
}

// TestCookieCheckIsNoCircle: a server that sets a cookie and sends back to the
// same URL is asked again, but not for ever.
func TestCookieCheckIsNoCircle(t *testing.T) {
	check := func(q *sim.Request) sim.Response {
		if q.Field("Cookie") != "" {
			return ok(q)
		}
		return sim.Reply(302, "Set-Cookie: seen=1\r\nLocation: /\r\n", nil)
	}
	s := newScene(t)
	s.host("a.test", "10.1.0.1", check)
	s.options.Jar = jar{cookies.New()}
	got := s.one(fetch.Request{URL: "http://a.test/"})
	require.NoError(t, got.err)
	require.Equal(t, 1, got.Redirects)

	s = newScene(t)
	s.host("a.test", "10.1.0.1", check)
	require.ErrorContains(t, s.one(fetch.Request{URL: "http://a.test/"}).err, "circle: http://a.test/ -> http://a.test/", "without a jar")

	s = newScene(t)
	s.options.Jar = jar{cookies.New()}
	n := 0
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
		n++
		return sim.Reply(302, fmt.Sprintf("Set-Cookie: n=%d\r\nLocation: /\r\n", n), nil)
	})
	require.ErrorContains(t, s.one(fetch.Request{URL: "http://a.test/"}).err, "more than 10 redirects")
}

// TestLogin: names and passwords by host, for redirects too.
func TestLogin(t *testing.T) {
	s := redirecting(t, 302, "http://b.test/x")
	s.options.Login = func(host string, redirected bool) (string, string, bool) { return "user", host, !redirected }
	require.NoError(t, s.one(fetch.Request{URL: "http://A.test/dir/go"}).err)
	require.Equal(t, []string{"Basic dXNlcjphLnRlc3Q=", ""}, s.sent("Authorization"))

	s = redirecting(t, 302, "http://b.test/x")
	s.options.Login = func(host string, _ bool) (string, string, bool) { return "user", host, true }
	require.NoError(t, s.one(fetch.Request{URL: "http://u:p@a.test/dir/go"}).err)
	require.Equal(t, []string{"Basic dTpw", "Basic dXNlcjpiLnRlc3Q="}, s.sent("Authorization"), "the URL's own goes before")
}

// TestHops: every request on the way with its status and its own time.
func TestHops(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		switch q.Target {
		case "/1":
			return late(time.Second, moved(301, "/2"))
		case "/2":
			return late(2*time.Second, moved(308, "/3"))
		case "/5":
			return moved(302, "http://none.test/")
		}
		return late(3*time.Second, ok(q))
	})
	f := s.fetcher()
	got := s.run(f, gets("http://u:p@a.test/1")...)[0]
	require.NoError(t, got.err)
	require.Len(t, got.Hops, 3)
	var total, wait time.Duration
	for i, h := range got.Hops {
		require.Equal(t, fmt.Sprint("http://a.test/", i+1), h.URL)
		require.Equal(t, []int{301, 308, 200}[i], h.Status)
		require.InDelta(t, float64(i+1), h.Timings.Wait.Seconds(), 0.1)
		require.GreaterOrEqual(t, h.Timings.Total, h.Timings.Wait)
		total, wait = total+h.Timings.Total, wait+h.Timings.Wait
	}
	require.Equal(t, got.Timings.Total, total)
	require.Equal(t, got.Timings.Wait, wait)
	require.Zero(t, got.Hops[1].Timings.Connect, "a kept connection")

	got = s.run(f, gets("http://a.test/5")...)[0]
	require.Len(t, got.Hops, 2)
	require.Equal(t, "http://none.test/", got.Hops[1].URL)
	require.Zero(t, got.Hops[1].Status)
	require.Nil(t, s.run(f, gets("http://a.test/3")...)[0].Hops)
}

// TestMaxHeadBytes names the limit, and takes what is within it.
func TestMaxHeadBytes(t *testing.T) {
	for _, c := range []struct {
		limit, field int
		text         string
	}{
		{0, 15 << 10, ""}, {0, 17 << 10, "16384"}, {1000, 900, ""}, {1000, 1000, "1000"}, {1 << 20, 1000 << 10, ""},
	} {
		s := newScene(t)
		s.options.MaxHeadBytes = c.limit
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response {
			return sim.Reply(200, "X: "+strings.Repeat("x", c.field)+"\r\n", []byte("hello"))
		})
		got := s.one(fetch.Request{URL: "http://a.test/"})
		if c.text == "" {
			require.NoError(t, got.err)
			continue
		}
		require.ErrorContains(t, got.err, c.text)
		require.Equal(t, fetch.PhaseAwait, phaseOf(t, got.err))
	}
}
