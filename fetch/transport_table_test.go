package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"
)

// heard is a request as a server got it, without what depends on the client's
// taste.
func heard(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	r.Header.Del("Accept-Encoding")
	return fmt.Sprintf("%s %s %s %s %v length %d %v close %v body %q trailer %v %v", r.Method, r.RequestURI, r.Proto, r.Host,
		r.Header, r.ContentLength, r.TransferEncoding, r.Close, body, r.Trailer, err)
}

// reflection is a server that answers in many ways.
func reflection(t testing.TB) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, heard(r)) })
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscan(r.PathValue("code"), &code)
		w.Header().Add("X-Two", "one")
		w.Header().Add("X-Two", "two")
		w.WriteHeader(code)
	})
	mux.HandleFunc("/to/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscan(r.PathValue("code"), &code)
		http.Redirect(w, r, "/elsewhere?"+r.Method, code)
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "many ")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "fish")
		w.Header().Set("X-Sum", "9")
		w.Header().Set(http.TrailerPrefix+"X-Undeclared", "a surprise")
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, "hello")
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "fish", Value: "cod", Path: "/"})
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(code([]byte("many fish"), "gzip"))
		} else {
			fmt.Fprint(w, "many fish")
		}
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) { w.Write(body("/large/3000000/x")) })
	mux.HandleFunc("/raw", func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.WriteString(c, r.URL.Query().Get("text"))
			c.Close()
		}
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// told is what a client got, in words.
func told(res *http.Response, err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "error some" // in a head that is so to us alone
	}
	if err != nil {
		return "error " + wordOf(err)
	}
	defer res.Body.Close()
	declared := fmt.Sprint(res.Trailer)
	text, err := io.ReadAll(res.Body)
	sum := fnv.New64a()
	sum.Write(text)
	res.Header.Del("Date")
	if len(text) > 1000 {
		text = text[:1000]
	}
	return fmt.Sprintf("%s %s %d.%d %v length %d %v close %v uncompressed %v trailer %s then %v tls %v request %s\n%x %q %s",
		res.Status, res.Proto, res.ProtoMajor, res.ProtoMinor, res.Header, res.ContentLength, res.TransferEncoding, res.Close, res.Uncompressed,
		declared, res.Trailer, res.TLS != nil, res.Request.Method+" "+res.Request.URL.String(), sum.Sum64(), text, wordOf(err))
}

// wordOf is what kind of error it is: texts differ.
func wordOf(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return "none"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut off"
	case strings.Contains(err.Error(), "stopped after 10 redirects"):
		return "redirects"
	}
	return "some"
}

// request makes a request, with fields in pairs.
func request(method, url string, body io.Reader, fields ...string) *http.Request {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// opaque hides what a reader is, and with it how long.
type opaque struct{ io.Reader }

// behaviours are what clients of net/http do, and what they get of it.
var behaviours = map[string]func(c *http.Client, url string) string{
	"get":         func(c *http.Client, url string) string { return told(c.Get(url + "/a?b=c")) },
	"path":        func(c *http.Client, url string) string { return told(c.Get(url + "/a%2Fb/c%20d;e/f,g?q=%zz&r=a+b")) },
	"fragment":    func(c *http.Client, url string) string { return told(c.Get(url + "/a#b")) },
	"query alone": func(c *http.Client, url string) string { return told(c.Get(url + "?a")) },
	"head":        func(c *http.Client, url string) string { return told(c.Head(url + "/large")) },
	"post": func(c *http.Client, url string) string {
		return told(c.Post(url+"/", "text/plain", strings.NewReader("fish")))
	},
	"post form": func(c *http.Client, u string) string { return told(c.PostForm(u, url.Values{"a": {"b", "c"}})) },
	"post chunked": func(c *http.Client, url string) string {
		return told(c.Post(url+"/", "text/plain", opaque{strings.NewReader("fish")}))
	},
	"post nothing": func(c *http.Client, url string) string { return told(c.Post(url+"/", "text/plain", nil)) },
	"post no bytes": func(c *http.Client, url string) string {
		return told(c.Post(url+"/", "text/plain", opaque{strings.NewReader("")}))
	},
	"put": func(c *http.Client, url string) string {
		return told(c.Do(request("PUT", url+"/p", strings.NewReader("fish"), "X-A", "1", "X-A", "2")))
	},
	"patch": func(c *http.Client, url string) string {
		return told(c.Do(request("PATCH", url+"/p", bytes.NewReader([]byte("fish")))))
	},
	"delete": func(c *http.Client, url string) string { return told(c.Do(request("DELETE", url+"/p", nil))) },
	"long body": func(c *http.Client, url string) string {
		return told(c.Post(url+"/", "text/plain", strings.NewReader(strings.Repeat("many fish ", 20_000))))
	},
	"long opaque body": func(c *http.Client, url string) string {
		return told(c.Do(request("PUT", url+"/", opaque{strings.NewReader(strings.Repeat("many fish ", 20_000))})))
	},
	"body of said length": func(c *http.Client, url string) string {
		r := request("PATCH", url+"/", opaque{strings.NewReader("many fish")})
		r.ContentLength = 9
		return told(c.Do(r))
	},
	"body redirected": func(c *http.Client, url string) string {
		return told(c.Post(url+"/to/307", "text/plain", strings.NewReader(strings.Repeat("many fish ", 20_000))))
	},
	"opaque body redirected": func(c *http.Client, url string) string {
		return told(c.Post(url+"/to/307", "text/plain", opaque{strings.NewReader(strings.Repeat("many fish ", 20_000))}))
	},
	"delete body": func(c *http.Client, url string) string {
		return told(c.Do(request("DELETE", url+"/p", opaque{strings.NewReader("x")})))
	},
	"get with body": func(c *http.Client, url string) string {
		return told(c.Do(request("GET", url+"/p", opaque{strings.NewReader("")})))
	},
	"options": func(c *http.Client, url string) string { return told(c.Do(request("OPTIONS", url+"/p", nil))) },
	"own method": func(c *http.Client, url string) string {
		return told(c.Do(request("PROPFIND", url+"/p", nil, "Depth", "1")))
	},
	"no agent": func(c *http.Client, url string) string { return told(c.Do(request("GET", url, nil, "User-Agent", ""))) },
	"own agent": func(c *http.Client, url string) string {
		return told(c.Do(request("GET", url, nil, "User-Agent", "fish/1")))
	},
	"odd field": func(c *http.Client, url string) string { return told(c.Do(request("GET", url, nil, "X-\n", "1"))) },
	"odd value": func(c *http.Client, url string) string {
		return told(c.Do(request("GET", url, nil, "X-A", "1\r\nX-B: 2")))
	},
	"odd method": func(c *http.Client, url string) string {
		r := request("GET", url, nil)
		r.Method = "G T"
		return told(c.Do(r))
	},
	"own length": func(c *http.Client, url string) string {
		return told(c.Do(request("GET", url, nil, "Content-Length", "7", "Transfer-Encoding", "x")))
	},
	"scheme":  func(c *http.Client, url string) string { return told(c.Get("ftp" + strings.TrimPrefix(url, "http"))) },
	"no host": func(c *http.Client, url string) string { return told(c.Get("http:///a")) },
	"userinfo": func(c *http.Client, url string) string {
		return told(c.Get(strings.Replace(url, "://", "://me:secret@", 1)))
	},
	"basic auth": func(c *http.Client, url string) string {
		r := request("GET", url, nil)
		r.SetBasicAuth("me", "x")
		return told(c.Do(r))
	},
	"host": func(c *http.Client, url string) string {
		r := request("GET", url, nil)
		r.Host = "other.test"
		return told(c.Do(r))
	},
	"close": func(c *http.Client, url string) string {
		r := request("GET", url, nil)
		r.Close = true
		return told(c.Do(r))
	},
	"opaque": func(c *http.Client, u string) string {
		r := request("GET", u, nil)
		r.URL.Opaque = "/x//y"
		return told(c.Do(r))
	},
	"trailers sent": sendTrailers,
	"wrong length": func(c *http.Client, url string) string {
		r := request("POST", url, opaque{strings.NewReader("fish")})
		r.ContentLength = 9
		return told(c.Do(r))
	},
	"broken body": func(c *http.Client, url string) string { return told(c.Post(url, "", brokenReader{})) },
	"204":         func(c *http.Client, url string) string { return told(c.Get(url + "/status/204")) },
	"304":         func(c *http.Client, url string) string { return told(c.Get(url + "/status/304")) },
	"404":         func(c *http.Client, url string) string { return told(c.Get(url + "/status/404")) },
	"500":         func(c *http.Client, url string) string { return told(c.Get(url + "/status/500")) },
	"301":         func(c *http.Client, url string) string { return told(c.Get(url + "/to/301")) },
	"303 after post": func(c *http.Client, url string) string {
		return told(c.Post(url+"/to/303", "", strings.NewReader("fish")))
	},
	"307 after post": func(c *http.Client, url string) string {
		return told(c.Post(url+"/to/307", "", strings.NewReader("fish")))
	},
	"round":        func(c *http.Client, url string) string { return told(c.Get(url + "/round")) },
	"not followed": notFollowed,
	"trailers":     func(c *http.Client, url string) string { return told(c.Get(url + "/trailers")) },
	"early hints":  func(c *http.Client, url string) string { return withTrace(c, request("GET", url+"/early", nil), nil) },
	"hook refuses": func(c *http.Client, url string) string {
		return withTrace(c, request("GET", url+"/early", nil), errors.New("no"))
	},
	"100 continue": func(c *http.Client, url string) string {
		return withTrace(c, request("POST", url, strings.NewReader("fish"), "Expect", "100-continue"), nil)
	},
	"cookies": keepCookies,
	"large":   func(c *http.Client, url string) string { return told(c.Get(url + "/large")) },
	"own gzip": func(c *http.Client, url string) string {
		return told(c.Do(request("GET", url+"/gzip", nil, "Accept-Encoding", "gzip")))
	},
	"canceled before": func(c *http.Client, url string) string { return withContext(c, url, canceled()) },
	"deadline":        func(c *http.Client, url string) string { return withDeadline(c, url+"/silent") },
	"deadline, body":  func(c *http.Client, url string) string { return withDeadline(c, url+"/half") },
	"client timeout": func(c *http.Client, url string) string {
		c.Timeout = 50 * time.Millisecond
		return told(c.Get(url + "/silent"))
	},
	"timeout, body": func(c *http.Client, url string) string {
		c.Timeout = 2 * time.Second
		return told(c.Get(url + "/half"))
	},
	"cancel in body": cancelInBody,
	"read after end": readAfterEnd,
	"closed early":   closedEarly,
	"nobody there":   func(c *http.Client, url string) string { return told(c.Get("http://127.0.0.1:1/")) },
}

// answers are what comes of a connection before its server closes it, whatever
// the answer has said of that. So a client may have a connection that is closed
// among those it keeps.
var answers = map[string]string{
	"reason":        "HTTP/1.1 299 Very Odd\r\nContent-Length: 0\r\n\r\n",
	"old":           "HTTP/1.0 200 OK\r\n\r\nuntil the end",
	"folded":        "HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 2\r\n\r\nhi",
	"bare lf":       "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
	"says close":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
	"chunked close": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"cut":           "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi",
	"chunks cut":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
	"head cut":      "HTTP/1.1 200 OK\r\nContent-Le",
	"nothing":       "",
	"not http":      "SSH-2.0-OpenSSH\r\n\r\n",
	"two lengths":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
	"bad length":    "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
}

// brokenReader is a body that cannot be read.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func withContext(c *http.Client, url string, ctx context.Context) string {
	return told(c.Do(request("GET", url, nil).WithContext(ctx)))
}

func withDeadline(c *http.Client, url string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return withContext(c, url, ctx)
}

func sendTrailers(c *http.Client, url string) string {
	r := request("POST", url, opaque{strings.NewReader("fish")})
	r.Trailer = http.Header{"X-Sum": {"4"}}
	return told(c.Do(r))
}

func notFollowed(c *http.Client, url string) string {
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return told(c.Get(url + "/to/302"))
}

func keepCookies(c *http.Client, url string) string {
	c.Jar, _ = cookiejar.New(nil)
	return told(c.Get(url+"/cookie")) + told(c.Get(url+"/a"))
}

// withTrace is what the hooks see, and what comes of it.
func withTrace(c *http.Client, r *http.Request, refuse error) string {
	var said strings.Builder
	trace := &httptrace.ClientTrace{
		Got100Continue: func() { said.WriteString("go on\n") },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			fmt.Fprintln(&said, code, header)
			return refuse
		},
	}
	got := told(c.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace))))
	return said.String() + got
}

func cancelInBody(c *http.Client, url string) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	res, err := c.Do(request("GET", url+"/half", nil).WithContext(ctx))
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	text := make([]byte, 4)
	_, err = io.ReadFull(res.Body, text)
	time.AfterFunc(10*time.Millisecond, cancel)
	_, then := res.Body.Read(text)
	return fmt.Sprintf("%q %v %s", text, err, wordOf(then))
}

func readAfterEnd(c *http.Client, url string) string {
	res, err := c.Get(url + "/trailers")
	if err != nil {
		return err.Error()
	}
	_, first := io.ReadAll(res.Body)
	n, again := res.Body.Read(make([]byte, 1))
	closed, twice := res.Body.Close(), res.Body.Close()
	_, after := res.Body.Read(make([]byte, 1))
	return fmt.Sprint(first, n, again, closed, twice, after != nil && after != io.EOF)
}

func closedEarly(c *http.Client, url string) string {
	res, err := c.Get(url + "/large")
	if err != nil {
		return err.Error()
	}
	_, err = io.ReadFull(res.Body, make([]byte, 10))
	return fmt.Sprint(err, res.Body.Close()) + told(c.Get(url+"/a"))
}
