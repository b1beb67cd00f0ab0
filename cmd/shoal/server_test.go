package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// site is a server with a body for every way to know its end.
//
//	/plain/NAME    4 bytes and the name, with their length
//	/chunked/NAME  the same in chunks
//	/close/NAME    the same up to the close
//	/moved/NAME    a redirect to /plain/NAME
//	/cut/NAME      half of what was promised
//	/none/NAME     404
func site(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/plain/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		fmt.Fprint(w, "It's", r.PathValue("name"))
	})
	mux.HandleFunc("/chunked/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "It's")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, r.PathValue("name"))
	})
	mux.HandleFunc("/close/{name}", func(w http.ResponseWriter, r *http.Request) {
		speak(w, "HTTP/1.1 200 OK\r\n\r\nIt's"+r.PathValue("name"))
	})
	mux.HandleFunc("/moved/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/plain/"+r.PathValue("name"), http.StatusFound)
	})
	mux.HandleFunc("/cut/{name}", func(w http.ResponseWriter, _ *http.Request) {
		speak(w, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nIt's")
	})
	mux.HandleFunc("/none/{name}", http.NotFound)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// speak answers with these bytes and closes.
func speak(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text)
}

// host is what a URL names.
func host(url string) string { return strings.TrimPrefix(url, "http://") }
