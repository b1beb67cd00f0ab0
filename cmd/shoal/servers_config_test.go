package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// realServer is a program that was written by others, and serves files as its
// users have it do.
type realServer struct {
	name   string
	serve  func(t *testing.T, program string, s *realSite) *exec.Cmd
	limits bool // can limit the requests of a connection
	chunks bool // what it compresses, not knowing the length before
}

// lighttpd is one process, so that a kill ends all of it.
var lighttpd = realServer{"lighttpd", serveRealLighttpd, true, false}

var realServers = []realServer{
	{"nginx", serveRealNginx, true, true},
	{"apache2", serveRealApache, true, true},
	lighttpd,
	{"caddy", serveRealCaddy, false, true},
}

// start starts the server, waits until it listens, and ends it with the test.
func (r realServer) start(t *testing.T, s *realSite) *exec.Cmd {
	t.Helper()
	server := r.serve(t, findServer(t, r.name), s)
	told, err := os.CreateTemp(s.root, "stderr")
	require.NoError(t, err)
	server.Dir, server.Stderr = s.root, told
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM) // it ends its workers
		_ = server.Wait()
		told.Close()
		if t.Failed() {
			t.Logf("%s told:\n%s", r.name, content(t, told.Name()))
		}
	})
	requireListening(t, s.address)
	return server
}

func serveRealNginx(t *testing.T, program string, s *realSite) *exec.Cmd {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	config := writeConfig(t, s.root, `
%s
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 2048; }
http {
	access_log off;
	types { text/plain txt; image/jpeg jpg; }
	client_body_temp_path temp;
	proxy_temp_path temp;
	fastcgi_temp_path temp;
	uwsgi_temp_path temp;
	scgi_temp_path temp;
	gzip on;
	gzip_types text/plain;
	keepalive_requests %d;
	keepalive_timeout %d;
	server {
		listen %s backlog=1024;
		root %s;
		location /moved/ { rewrite ^/moved/(.*)$ /files/$1 redirect; }
	}
}
`, user, max(s.keepAlive, 1), min(s.keepAlive, 60), s.address, s.root)
	return exec.Command(program, "-p", s.root, "-c", config, "-e", "stderr")
}

func serveRealApache(t *testing.T, program string, s *realSite) *exec.Cmd {
	keepAlive := "Off"
	if s.keepAlive > 0 {
		keepAlive = "On"
	}
	return apache(t, program, s.root, s.address, []string{"alias", "filter", "deflate", "mime"}, `
ListenBacklog 1024
StartServers 2
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
AsyncRequestWorkerFactor 8
KeepAlive %s
MaxKeepAliveRequests %d
TypesConfig /dev/null
AddType text/plain .txt
AddType image/jpeg .jpg
AddOutputFilterByType DEFLATE text/plain
RedirectMatch ^/moved/(.*)$ /files/$1
`, keepAlive, s.keepAlive)
}

const lighttpdDeflate = `
server.modules += ("mod_deflate")
deflate.mimetypes = ("text/plain")
deflate.allowed-encodings = ("gzip")
`

// hasDeflate tells whether lighttpd can compress, which is a package of its own
// in Debian.
func hasDeflate() bool {
	_, err := os.Stat("/usr/lib/lighttpd/mod_deflate.so")
	return err == nil
}

func serveRealLighttpd(t *testing.T, program string, s *realSite) *exec.Cmd {
	deflate := ""
	if hasDeflate() {
		deflate = lighttpdDeflate
	}
	config := writeConfig(t, s.root, `
server.modules = ("mod_redirect")
server.bind = "127.0.0.1"
server.port = %[2]s
server.document-root = "%[1]s"
server.listen-backlog = 1024
server.max-fds = 4096
server.max-connections = 2048
server.max-keep-alive-requests = %[3]d
mimetype.assign = (".txt" => "text/plain", ".jpg" => "image/jpeg")
url.redirect = ("^/moved/(.*)$" => "/files/$1")
url.redirect-code = 302
%[4]s
`, s.root, s.port(), s.keepAlive, deflate)
	return exec.Command(program, "-D", "-f", config)
}

// serveRealCaddy: Caddy knows no number of requests for a connection, but how
// long one may be idle, which is made short instead.
func serveRealCaddy(t *testing.T, program string, s *realSite) *exec.Cmd {
	keepAlive := ""
	if s.keepAlive == 0 {
		keepAlive = "header Connection close"
	}
	config := writeConfig(t, s.root, `
{
	admin off
	auto_https off
	log {
		level ERROR
	}
	servers {
		timeouts {
			idle 100ms
		}
	}
}
http://%[1]s {
	root * %[2]s
	encode gzip
	%[3]s
	@moved path_regexp moved ^/moved/(.*)$
	redir @moved /files/{re.moved.1} 302
	file_server
}
`, s.address, s.root, keepAlive)
	caddy := exec.Command(program, "run", "--config", config, "--adapter", "caddyfile")
	caddy.Env = append(os.Environ(), "HOME="+s.root, "XDG_DATA_HOME="+s.root, "XDG_CONFIG_HOME="+s.root)
	return caddy
}
