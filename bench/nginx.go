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
	"text/template"
	"time"
)

// nginx is one of our own, with its files in the folder that it is started in.
type nginx struct {
	command *exec.Cmd
	load    workload
	listens int // on this port of each host
}

// nginxConfig has a worker for each host, and no limit on a connection's requests.
// Head and body leave in one segment where they fit (tcp_nopush), so that a client
// can have both in one read. The folders are named because a user's nginx may not
// write to the system's.
var nginxConfig = template.Must(template.New("nginx").Parse(`
{{if .Root}}user root;{{/* the worker must get into the workspace */}}{{end}}
daemon off;
worker_processes {{len .Addresses}};
pid nginx.pid;
error_log stderr warn;
events { worker_connections {{.Conns}}; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	default_type image/jpeg;
	keepalive_requests 1000000000;
	keepalive_timeout {{if .NewConns}}0{{else}}75{{end}};
	client_body_temp_path temp;
	proxy_temp_path temp;
	fastcgi_temp_path temp;
	uwsgi_temp_path temp;
	scgi_temp_path temp;
	server {
		{{- range .Addresses}}
		listen {{.}} backlog=4096{{if $.TLS}} ssl{{end}};
		{{- end}}
		root files;
		{{- if .TLS}}
		ssl_certificate {{.Chain}};
		ssl_certificate_key {{.Key}};
		ssl_protocols TLSv1.3;
		ssl_ecdh_curve X25519;
		ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
		ssl_session_cache off;
		ssl_session_tickets {{if .Resumes}}on{{else}}off{{end}};
		{{- end}}
	}
}
`))

// writeConfig writes nginx.conf into nginx's folder.
func (s *nginx) writeConfig(name string, proof certificate) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	var addresses []string
	for i := range max(1, s.load.Hosts) {
		addresses = append(addresses, s.address(i))
	}
	err = nginxConfig.Execute(file, map[string]any{
		"Root": os.Geteuid() == 0, "Addresses": addresses, "Conns": 2*s.load.Conns + 512, "NewConns": s.load.NewConns,
		"TLS": s.load.TLS, "Chain": proof.chain, "Key": proof.key, "Resumes": s.load.Resumes,
	})
	return errors.Join(err, file.Close())
}

// startNginx starts nginx over a folder and waits until it listens.
func startNginx(ctx context.Context, launch launcher, dir string, load workload, proof certificate) (*nginx, error) {
	program, err := findNginx()
	if err != nil {
		return nil, err
	}
	s := &nginx{load: load}
	if s.listens, err = freePort(); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := s.writeConfig(config, proof); err != nil {
		return nil, err
	}
	s.command = launch.server(ctx, program, "-p", dir, "-c", config, "-e", "stderr")
	s.command.Stderr = os.Stderr
	s.command.Cancel = func() error { return s.command.Process.Signal(syscall.SIGTERM) }
	s.command.WaitDelay = 5 * time.Second
	if err := s.command.Start(); err != nil {
		return nil, err
	}
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
		conn, err := net.Dial("tcp", s.address(0))
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

// address is where it listens as one of its hosts.
func (s *nginx) address(host int) string { return fmt.Sprintf("127.0.0.%d:%d", 1+host, s.listens) }

func (s *nginx) url(i int) string {
	scheme := "http"
	if s.load.TLS {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s/%s", scheme, s.address(i%max(1, s.load.Hosts)), fileName(i))
}

// stop ends nginx: its first process, which ends its worker.
func (s *nginx) stop() {
	s.command.Cancel()
	s.command.Wait()
}
