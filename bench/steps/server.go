//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
)

// server gives every request the same body, and counts.
type server struct {
	url   string
	first int64 // the request at which stepping begins
	asked atomic.Int64
	warm  chan struct{} // closed at the first
	http  http.Server
}

func newServer(size, first int) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: fmt.Sprintf("http://%s", l.Addr()), first: int64(first), warm: make(chan struct{})}
	body, length := make([]byte, size), strconv.Itoa(size)
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.asked.Add(1) == s.first {
			close(s.warm)
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(body)
	})
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

func (s *server) close() { _ = s.http.Close() }
