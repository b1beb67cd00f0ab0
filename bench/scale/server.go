package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// serverPart is the word that makes this program the server.
const serverPart = "serve"

// How a body drips.
const (
	pieceBytes = 100
	pieceDelay = 500 * time.Millisecond
	pieces     = 20
	smallBytes = 1024
)

// server is a server process.
type server struct {
	command *exec.Cmd
	address string
}

// served counts the servers started, for their addresses.
var served int

// startServer starts a server on a loopback address that no other server of
// this run has: local ports that one run has used up are free for the next.
func startServer(ctx context.Context, core string) (*server, error) {
	served++
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := pinned(ctx, core, self, serverPart)
	command.Env = append(os.Environ(), fmt.Sprintf("%s=127.0.0.%d:0", addressVariable, served))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &server{command: command}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the server did not say its address: %w", err)
	}
	s.address = strings.TrimSpace(line)
	return s, nil
}

func (s *server) stop() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait() // it says that it was killed
}

func (s *server) drip(i int) string  { return fmt.Sprintf("http://%s/drip/%d", s.address, i) }
func (s *server) small(i int) string { return fmt.Sprintf("http://%s/small/%d", s.address, i) }

// addressVariable carries the address to listen on.
const addressVariable = "SHOAL_SCALE_ADDRESS"

// serve is the server process: it says where it listens, and serves until it
// is ended, or its time is over because the process that started it has gone.
func serve(ctx context.Context) error {
	l, err := net.Listen("tcp", os.Getenv(addressVariable))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	fmt.Println(l.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("/drip/", serveDrip)
	mux.HandleFunc("/small/", serveSmall)
	return http.Serve(l, mux)
}

// serveDrip sends a body piece by piece. Each connection begins at a moment of
// its own, as strangers do.
func serveDrip(w http.ResponseWriter, r *http.Request) {
	piece := bytes.Repeat([]byte{'.'}, pieceBytes)
	w.Header().Set("Content-Length", strconv.Itoa(pieces*pieceBytes))
	flush := http.NewResponseController(w)
	wait := rand.N(pieceDelay)
	for range pieces {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
		if _, err := w.Write(piece); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
		wait = pieceDelay
	}
}

func serveSmall(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write(make([]byte, smallBytes))
}
