package fetch_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

// TestRedirectsLikeNetHTTP: after each status, for each method, the request that
// follows is the one that the standard library's client makes, to the same
// origin and to another. Two differences are meant: 301 and 302 change a POST
// only (RFC 9110 section 15.4.2), and that client adds a Referer.
func TestRedirectsLikeNetHTTP(t *testing.T) {
	var mu sync.Mutex // of the log, which servers write
	var log []string
	take := func() []string {
		mu.Lock()
		defer mu.Unlock()
		taken := log
		log = nil
		return taken
	}
	note := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		log = append(log, fmt.Sprint(r.Method, r.URL, string(body), r.ContentLength, r.Header.Get("Content-Type"), r.Header.Get("X-Mine"),
			r.Header.Get("Authorization"), r.Header.Get("Cookie")))
	}
	other := httptest.NewServer(http.HandlerFunc(note))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(w, r)
		var status int
		if n, _ := fmt.Sscanf(r.URL.Path, "/far/%d", &status); n == 1 {
			w.Header().Set("Location", strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/there")
			w.WriteHeader(status)
		} else if n, _ := fmt.Sscanf(r.URL.Path, "/near/%d", &status); n == 1 {
			w.Header().Set("Location", "../here?x=y")
			w.WriteHeader(status)
		}
	}))
	defer server.Close()
	f, err := fetch.New(fetch.Options{})
	require.NoError(t, err)
	defer f.Close()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			if (status == 301 || status == 302) && !slices.Contains([]string{"GET", "HEAD", "POST"}, method) {
				continue
			}
			for _, way := range []string{"near", "far"} {
				r := fetch.Request{URL: fmt.Sprintf("%s/%s/%d", server.URL, way, status), Method: method, Fields: []fetch.Field{
					{Name: "X-Mine", Value: "1"}, {Name: "Authorization", Value: "Basic eDp5"}, {Name: "Cookie", Value: "k=v"},
				}}
				if method == "POST" || method == "PUT" {
					r.Body, r.Fields = []byte("payload"), append(r.Fields, fetch.Field{Name: "Content-Type", Value: "text/plain"})
				}
				askStandardLibrary(t, r)
				want := take()
				require.Len(t, want, 2)
				for _, err := range f.Fetch(context.Background(), slices.Values([]fetch.Request{r})) {
					require.NoError(t, err)
				}
				require.Equal(t, want, take(), "%s %s", method, r.URL)
			}
		}
	}
}

// askStandardLibrary has net/http make a request of ours.
func askStandardLibrary(t *testing.T, r fetch.Request) {
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	q, err := http.NewRequest(r.Method, r.URL, body)
	require.NoError(t, err)
	for _, field := range r.Fields {
		q.Header.Set(field.Name, field.Value)
	}
	answer, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
}
