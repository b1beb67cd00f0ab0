package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// server is an nginx of our own, with its files in the workspace.
type server struct {
	command *exec.Cmd
	port    int
}

// nginxConfig has one worker and no limit on a connection's requests. Head and
// body leave in one segment where they fit (tcp_nopush), so that a client can
// have both in one read. The folders are named because a user's nginx may not
// write to the system's.
const nginxConfig = `
%s
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections %d; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	default_type image/jpeg;
	keepalive_requests 1000000000;
	keepalive_timeout %d;
	client_body_temp_path temp;
	proxy_temp_path temp;
	fastcgi_temp_path temp;
	uwsgi_temp_path temp;
	scgi_temp_path temp;
	server {
		listen 127.0.0.1:%d backlog=4096;
		root files;
	}
}
`

// startServer starts nginx over the workspace and waits until it listens.
func startServer(ctx context.Context, work string, load workload) (*server, error) {
	program, err := findNginx()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the worker must get into the workspace
	}
	keepAlive := 75
	if load.newConns {
		keepAlive = 0
	}
	config := filepath.Join(work, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, user, 2*load.conns+512, keepAlive, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}

	command := pinned(ctx, serverCore, program, "-p", work, "-c", config, "-e", "stderr")
	command.Stderr = os.Stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &server{command, port}
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// findNginx looks where Debian has it too, which is not in every PATH.
func findNginx() (string, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return exec.LookPath("/usr/sbin/nginx")
	}
	return program, nil
}

// freePort is one that the system has just given out, and may not for a while.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await returns when the server takes connections.
func (s *server) await(ctx context.Context) error {
	const attempts, pause = 100, 50 * time.Millisecond
	for range attempts {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return errors.New("nginx does not listen after 5 seconds")
}

// stop ends nginx: its first process, which ends its worker.
func (s *server) stop() {
	s.command.Cancel()
	s.command.Wait()
}
