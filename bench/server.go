package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
)

// server has the files of a workload.
type server interface {
	port() int
	url(i int) string
	stop()
}

// nginx is one of our own, with its files in the folder that it is started in.
type nginx struct {
	command *exec.Cmd
	listens int
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

// startNginx starts nginx over a folder and waits until it listens.
func startNginx(ctx context.Context, launch launcher, dir string, load workload) (*nginx, error) {
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
	if load.NewConns {
		keepAlive = 0
	}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, user, 2*load.Conns+512, keepAlive, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}

	command := launch.server(ctx, program, "-p", dir, "-c", config, "-e", "stderr")
	command.Stderr = os.Stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &nginx{command, port}
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
func (s *nginx) await(ctx context.Context) error {
	const attempts, pause = 100, 50 * time.Millisecond
	for range attempts {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.listens))
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

func (s *nginx) port() int { return s.listens }

func (s *nginx) url(i int) string {
	return fmt.Sprintf("http://127.0.0.1:%d/%s", s.listens, fileName(i))
}

// stop ends nginx: its first process, which ends its worker.
func (s *nginx) stop() {
	s.command.Cancel()
	s.command.Wait()
}

// dripping is this program as a server, in a process of its own.
type dripping struct {
	*origin.Server
	load workload
}

func startDripping(ctx context.Context, launch launcher, load workload) (*dripping, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := origin.Start(launch.server(ctx, self, origin.Part, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	return &dripping{s, load}, nil
}

func (d *dripping) port() int {
	_, port, _ := net.SplitHostPort(d.Address())
	n, _ := strconv.Atoi(port)
	return n
}

func (d *dripping) url(i int) string { return d.URL(i, d.load.Size, d.load.Piece, d.load.Delay) }

func (d *dripping) stop() { d.Stop() }
