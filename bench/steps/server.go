//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
)

// server gives every request the same body, and counts. From the one on at which
// stepping begins it says nothing before it is released: the program then waits,
// and can be halted where it stands.
type server struct {
	url     string
	first   int64
	asked   atomic.Int64
	warm    chan struct{} // closed at the first
	resume  chan struct{}
	release func() // closes resume
	http    http.Server
}

func newServer(size, first int) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: fmt.Sprintf("http://%s", l.Addr()), first: int64(first), warm: make(chan struct{}), resume: make(chan struct{})}
	s.release = sync.OnceFunc(func() { close(s.resume) })
	body, length := make([]byte, size), strconv.Itoa(size)
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := s.asked.Add(1)
		if n == s.first {
			close(s.warm)
		}
		if n >= s.first {
			<-s.resume
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(body)
	})
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

func (s *server) close() {
	s.release()
	_ = s.http.Close()
}
