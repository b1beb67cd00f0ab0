package origin

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Server is a server process.
type Server struct {
	root    string // the URL that those of all bodies begin with
	command *exec.Cmd
	stdin   io.Closer
}

// Start starts a command whose arguments end in [Part] and those of [Serve], and
// waits until it listens.
func Start(command *exec.Cmd) (*Server, error) {
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &Server{command: command, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("the server did not say its address: %w", err)
	}
	s.root = strings.TrimSpace(line)
	return s, nil
}

// At is a server without TLS that another process started; it must not be
// stopped.
func At(address string) *Server { return &Server{root: "http://" + address} }

// Stop ends the process.
func (s *Server) Stop() {
	s.stdin.Close()
	_ = s.command.Wait() // an end by a signal is an end too
}

// Address is the host and the port that it listens on.
func (s *Server) Address() string {
	_, address, _ := strings.Cut(s.root, "://")
	return address
}

// URL is that of body number i, in pieces, with a delay before each.
func (s *Server) URL(i, bytes, piece int, delay time.Duration) string {
	return fmt.Sprintf(urlFormat, s.root, bytes, piece, delay, i)
}
