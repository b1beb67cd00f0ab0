package fetch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// redirecting is a scene of two hosts. /go on the first answers with a status
// and a Location; whatever else is asked, either says who it is.
func redirecting(t *testing.T, status int, location string) *scene {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if strings.HasPrefix(q.Target, "/dir/go") {
			return moved(status, location)
		}
		return sim.Reply(200, "", []byte("a"+q.Target))
	})
	s.host("b.test", "10.1.0.2", func(q *sim.Request) sim.Response { return sim.Reply(200, "", []byte("b"+q.Target)) })
	return s
}

// TestLocationForms follows each form that a Location may have (RFC 9110
// section 10.2.2).
func TestLocationForms(t *testing.T) {
	for location, want := range map[string]struct{ url, body string }{
		"/x.jpg":                  {"http://a.test/x.jpg", "a/x.jpg"},
		"x.jpg":                   {"http://a.test/dir/x.jpg", "a/dir/x.jpg"},
		"../x.jpg":                {"http://a.test/x.jpg", "a/x.jpg"},
		"./":                      {"http://a.test/dir/", "a/dir/"},
		"?size=2":                 {"http://a.test/dir/gone?size=2", "a/dir/gone?size=2"},
		"//b.test/x.jpg":          {"http://b.test/x.jpg", "b/x.jpg"},
		"http://b.test/x.jpg":     {"http://b.test/x.jpg", "b/x.jpg"},
		"HTTP://b.test":           {"http://b.test/", "b/"},
		"http://b.test:80/x":      {"http://b.test:80/x", "b/x"},
		"/x.jpg#part":             {"http://a.test/x.jpg", "a/x.jpg"},
		"/with space":             {"http://a.test/with%20space", "a/with%20space"},
		"/50%":                    {"http://a.test/50%25", "a/50%25"},
		"http://\xc2\xaa.test/":   {"http://a.test/", "a/"},
		"/caf\xc3\xa9?q=\xc3\xa9": {"http://a.test/caf%C3%A9?q=%C3%A9", "a/caf%C3%A9?q=%C3%A9"},
	} {
		t.Run(location, func(t *testing.T) {
			s := redirecting(t, 302, location)
			q := "http://a.test/dir/go"
			if location == "?size=2" {
				q = "http://a.test/dir/gone" // the same path: no circle, for the query differs
				s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
					if q.Target == "/dir/gone" {
						return moved(302, location)
					}
					return sim.Reply(200, "", []byte("a"+q.Target))
				})
			}
			got := s.one(fetch.Request{URL: q})
			require.NoError(t, got.err)
			require.Equal(t, want.body, string(got.Body))
			require.Equal(t, want.url, got.URL)
			require.Equal(t, q, got.Request.URL)
			require.Equal(t, 1, got.Redirects)
			require.Equal(t, 2, got.Attempts)
		})
	}
}

// TestLocationRefused tries what is not followed: other schemes, and what no
// URL is. The reason is in the error, and nothing panics.
func TestLocationRefused(t *testing.T) {
	for location, reason := range map[string]string{
		"ftp://b.test/x":              `scheme "ftp"`,
		"data:text/plain,x":           `scheme "data"`,
		"javascript:x":                `scheme "javascript"`,
		"file:///etc/passwd":          `scheme "file"`,
		"http:///x":                   "no host",
		"http:x":                      "no host",
		"http://b.test:99999/":        "port 99999",
		"http://b.test:0/":            "port 0",
		"http://b.test:x/":            "invalid port",
		"http://[::1/":                "missing ']'",
		"http://a\xef\xbc\x8fb.test/": "no form for DNS",
		"http://b.test\t/":            "invalid",
		"http://b\"c.test/":           "",
		"http://b<c>.test/":           "",
		"http://b.test\\@a.test/":     "",
		"http://%41.test/":            "",
		"http://[fe80::1%25lo]:81/x":  "",
		"http://b..test/":             "",
		"http://" + strings.Repeat("b", 300) + ".test/": "",
	} {
		t.Run(fmt.Sprintf("%.40s", location), func(t *testing.T) {
			got := redirecting(t, 302, location).one(fetch.Request{URL: "http://a.test/dir/go"})
			require.Error(t, got.err)
			require.ErrorContains(t, got.err, reason)
			if reason == "" {
				return // refused, or asked for and not found: it must only not panic
			}
			var refused *fetch.RedirectError
			require.ErrorAs(t, got.err, &refused)
			require.Equal(t, strings.TrimSpace(location), refused.Location)
			require.Equal(t, fetch.PhaseStatus, phaseOf(t, got.err))
			require.EqualValues(t, 302, got.Head.Status)
		})
	}
}

// TestCheckRedirect: each hop is asked about, with the request as it was given,
// and the first that is refused is the end.
func TestCheckRedirect(t *testing.T) {
	unwanted := errors.New("unwanted")
	for _, refuse := range []string{"", "http://b.test/three%20three"} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return moved(302, "http://me:secret@b.test/two#part") })
		s.host("b.test", "10.1.0.2", func(q *sim.Request) sim.Response {
			if q.Target == "/two" {
				return moved(301, "three three")
			}
			return sim.Reply(200, "", []byte("b"+q.Target))
		})
		var asked []string
		s.options.CheckRedirect = func(r *fetch.Request, to string) error {
			require.Equal(t, "a tag", r.Tag)
			asked = append(asked, r.URL+" "+to)
			if to == refuse {
				return unwanted
			}
			return nil
		}
		got := s.one(fetch.Request{URL: "http://a.test/one#part", Tag: "a tag"})
		require.Equal(t, []string{"http://a.test/one#part http://b.test/two", "http://a.test/one#part http://b.test/three%20three"}, asked)
		if refuse == "" {
			require.NoError(t, got.err)
			require.Equal(t, "b/three%20three", string(got.Body))
			continue
		}
		require.ErrorIs(t, got.err, unwanted)
		require.ErrorContains(t, got.err, `redirect to "three three" not followed: unwanted`)
		require.Equal(t, fetch.PhaseStatus, phaseOf(t, got.err))
		require.Equal(t, 1, got.Redirects)
	}
}

// TestRedirectMethods: 303 asks for a GET; so have 301 and 302 after a POST
// come to; everything else is sent again as it was (RFC 9110 section 15.4).
func TestRedirectMethods(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		then   string
	}{
		{"", 301, "GET"}, {"", 302, "GET"}, {"", 303, "GET"}, {"", 307, "GET"}, {"", 308, "GET"},
		{"HEAD", 301, "HEAD"}, {"HEAD", 302, "HEAD"}, {"HEAD", 303, "HEAD"}, {"HEAD", 307, "HEAD"},
		{"POST", 301, "GET"}, {"POST", 302, "GET"}, {"POST", 303, "GET"}, {"POST", 307, "POST"}, {"POST", 308, "POST"},
		{"PUT", 301, "PUT"}, {"PUT", 302, "PUT"}, {"PUT", 303, "GET"}, {"PUT", 307, "PUT"}, {"DELETE", 303, "GET"},
	} {
		t.Run(fmt.Sprint(c.method, " ", c.status), func(t *testing.T) {
			s := redirecting(t, c.status, "/x")
			q := fetch.Request{URL: "http://a.test/dir/go", Method: c.method, Fields: []fetch.Field{{Name: "Content-Type", Value: "text/plain"}}}
			if c.method == "POST" || c.method == "PUT" {
				q.Body = []byte("payload")
			}
			require.NoError(t, s.one(q).err)
			second := s.k.Served()[1].Request
			require.Equal(t, c.then, second.Method)
			if c.then == c.method && q.Body != nil {
				require.Equal(t, "payload", string(second.Body))
				require.Equal(t, "text/plain", second.Field("Content-Type"))
				return
			}
			require.Empty(t, second.Body)
			require.Empty(t, second.Field("Content-Length"))
			if c.then != c.method && c.method != "" {
				require.Empty(t, second.Field("Content-Type"), "describes a body that is not sent")
			}
		})
	}
}

// TestNotRedirects are statuses whose Location is not followed.
func TestNotRedirects(t *testing.T) {
	for _, status := range []int{200, 201, 300, 304, 305, 306, 399, 404} {
		s := redirecting(t, status, "/x")
		s.options.Accept = func(*fetch.Head) error { return nil }
		got := s.one(fetch.Request{URL: "http://a.test/dir/go"})
		require.NoError(t, got.err)
		require.EqualValues(t, status, got.Head.Status)
		require.Zero(t, got.Redirects)
	}
}

// TestRedirectWithoutLocation is a status like any other.
func TestRedirectWithoutLocation(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(*sim.Request) sim.Response { return sim.Reply(302, "", nil) })
	var status *fetch.StatusError
	require.ErrorAs(t, s.one(fetch.Request{URL: "http://a.test/"}).err, &status)
	require.Equal(t, 302, status.Code)
}

// TestCredentialsStayAtTheirOrigin: what was meant for one host and port goes
// to no other, nor back again.
func TestCredentialsStayAtTheirOrigin(t *testing.T) {
	for _, c := range []struct {
		to   string
		kept bool
	}{
		{"/x", true}, {"http://a.test/x", true}, {"http://A.TEST:80/x", true},
		{"http://b.test/x", false}, {"http://10.1.0.1/x", false}, {"http://a.test:81/x", false}, {"http://b.test/back", false},
	} {
		t.Run(c.to, func(t *testing.T) {
			s := redirecting(t, 307, c.to)
			s.host("b.test", "10.1.0.2", func(q *sim.Request) sim.Response {
				if q.Target == "/back" {
					return moved(307, "http://a.test/x")
				}
				return ok(q)
			})
			s.k.Serve(address("10.1.0.1:81"), serve)
			f := fetch.Request{URL: "http://a.test/dir/go", Fields: []fetch.Field{
				{Name: "authorization", Value: "Basic eDp5"}, {Name: "Cookie", Value: "k=v"}, {Name: "X-Other", Value: "stays"},
				{Name: "Host", Value: "virtual.test"},
			}}
			s.one(f)
			served := s.k.Served()
			require.Equal(t, "virtual.test", served[0].Request.Field("Host"))
			last := served[len(served)-1].Request
			require.Greater(t, len(served), 1)
			require.Equal(t, "stays", last.Field("X-Other"))
			require.Equal(t, c.kept, last.Field("Authorization") != "", "Authorization")
			require.Equal(t, c.kept, last.Field("Cookie") != "", "Cookie")
			require.Equal(t, c.kept, last.Field("Host") == "virtual.test", "Host")
		})
	}
}

// TestUserinfoAtItsOrigin: the name and password of a URL go to its origin, as
// a field, and are shown nowhere; those of a Location go to its.
func TestUserinfoAtItsOrigin(t *testing.T) {
	for _, c := range []struct{ location, then string }{
		{"/x", "Basic dTpw"}, {"http://a.test/x", "Basic dTpw"}, {"http://b.test/x", ""},
		{"http://v:q@b.test/x", "Basic djpx"}, {"//v:q@a.test/x", "Basic djpx"}, {"ftp://v:q@a.test/x", "Basic dTpw"},
	} {
		s := redirecting(t, 302, c.location)
		got := s.one(fetch.Request{URL: "http://u:p@a.test/dir/go"})
		require.NotContains(t, fmt.Sprint(got.URL, got.err), "p@")
		require.NotContains(t, fmt.Sprint(got.URL, got.err), "q@")
		served := s.k.Served()
		require.Equal(t, "Basic dTpw", served[0].Request.Field("Authorization"))
		require.Equal(t, c.then, served[len(served)-1].Request.Field("Authorization"), c.location)
	}
}

// TestOwnAuthorization: what the caller set himself goes before what the URL
// has.
func TestOwnAuthorization(t *testing.T) {
	s := redirecting(t, 302, "/x")
	fields := []fetch.Field{{Name: "authorization", Value: "Bearer x"}}
	require.NoError(t, s.one(fetch.Request{URL: "http://u:p@a.test/", Fields: fields}).err)
	require.Equal(t, "Bearer x", s.k.Served()[0].Request.Field("Authorization"))
}

// TestRedirectCircles are refused at once, not after ten rounds.
func TestRedirectCircles(t *testing.T) {
	for _, urls := range [][]string{{"/dir/a", "/dir/a"}, {"/dir/a", "/dir/b", "/dir/a"}, {"/dir/a", "/dir/b", "http://b.test/c", "/dir/b"}} {
		s := newScene(t)
		next := map[string]string{}
		for i := range urls[1:] {
			_, path, _ := strings.Cut(strings.TrimPrefix(urls[i], "http://"), "/")
			next["/"+path] = urls[i+1]
		}
		turn := func(q *sim.Request) sim.Response {
			to := next[q.Target]
			if strings.HasPrefix(to, "/") {
				to = "http://a.test" + to
			}
			return moved(302, to)
		}
		s.host("a.test", "10.1.0.1", turn)
		s.host("b.test", "10.1.0.2", turn)
		got := s.one(fetch.Request{URL: "http://a.test" + urls[0]})
		require.ErrorContains(t, got.err, "circle: http://a.test/dir/")
		for _, u := range urls[1:] {
			require.ErrorContains(t, got.err, u+" ->")
		}
		require.NotContains(t, got.err.Error(), "-> http://a.test/dir/a ->", "where it begins is the circle's")
		require.Len(t, s.k.Served(), len(urls)-1)
	}
}

// TestPostThenGetIsNoCircle: the way back from a form is to its own URL.
func TestPostThenGetIsNoCircle(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		if q.Method == "POST" {
			return moved(303, "/form")
		}
		return ok(q)
	})
	require.NoError(t, s.one(fetch.Request{URL: "http://a.test/form", Method: "POST", Body: []byte("x")}).err)
	require.Equal(t, []string{"POST /form", "GET /form"}, s.targets())
}

// TestRedirectLimit follows as many as it may, and names the limit.
func TestRedirectLimit(t *testing.T) {
	for _, c := range []struct{ option, followed int }{{0, 10}, {1, 1}, {3, 3}} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response { return moved(302, q.Target+"x") })
		s.options.MaxRedirects = c.option
		got := s.one(fetch.Request{URL: "http://a.test/"})
		require.ErrorContains(t, got.err, fmt.Sprintf("more than %d redirects", c.followed))
		require.Equal(t, c.followed, got.Redirects)
		require.Len(t, s.k.Served(), c.followed+1)
		require.Equal(t, 1, s.k.Counts().Conns, "the bodies of redirects are read past, the connection kept")
	}
}

// TestNoRedirects takes a redirect for an answer.
func TestNoRedirects(t *testing.T) {
	s := redirecting(t, 302, "/x")
	s.options.MaxRedirects = -1
	var status *fetch.StatusError
	require.ErrorAs(t, s.one(fetch.Request{URL: "http://a.test/dir/go"}).err, &status)
	require.Equal(t, 302, status.Code)
	require.Len(t, s.k.Served(), 1)
}

// TestRedirectWithEndlessBody does not wait for the end of a body that nobody
// wants.
func TestRedirectWithEndlessBody(t *testing.T) {
	for name, p := range map[string]sim.Response{
		"declared":    {Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 302 \r\nLocation: /x\r\nContent-Length: 99999999\r\n\r\n")}}, Then: sim.Stall},
		"until close": {Pieces: []sim.Piece{{Bytes: append([]byte("HTTP/1.1 302 \r\nLocation: /x\r\n\r\n"), make([]byte, 70<<10)...)}}, Then: sim.Stall},
		"cut short":   {Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 302 \r\nLocation: /x\r\nContent-Length: 9\r\n\r\nhal")}}, Then: sim.FIN},
		"reset":       {Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 302 \r\nLocation: /x\r\nContent-Length: 9\r\n\r\nhal")}}, Then: sim.RST},
		"silent":      {Pieces: []sim.Piece{{Bytes: []byte("HTTP/1.1 302 \r\nLocation: /x\r\nContent-Length: 9\r\n\r\nhal")}}, Then: sim.Stall},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
				if q.Target == "/" {
					return p
				}
				return ok(q)
			})
			got := s.one(fetch.Request{URL: "http://a.test/"})
			require.NoError(t, got.err)
			require.Equal(t, "hello", string(got.Body))
		})
	}
}
