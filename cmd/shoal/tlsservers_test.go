package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
)

// tlsSite is a folder from which a real server serves files over TLS.
type tlsSite struct {
	root    string // with cert.pem, key.pem and files/
	address string
	version string // of TLS, the only one it is to speak
	hashes  map[string][sha256.Size]byte
}

// tlsServer is a program that was written by others, and knows TLS by OpenSSL.
type tlsServer struct {
	name   string
	serve  func(t *testing.T, program string, s *tlsSite) *exec.Cmd
	reuses bool // its connections, of which it serves several at once
}

var tlsServers = []tlsServer{
	{"nginx", serveNginx, true},
	{"apache2", serveApache, true},
	{"openssl", serveOpenSSL, false},
}

// TestTLSServers: what real servers serve over each version of TLS comes whole,
// and nobody believes them without their certificate.
func TestTLSServers(t *testing.T) {
	for _, server := range tlsServers {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(server.name+" "+version, func(t *testing.T) {
				program := findServer(t, server.name)
				s := newTLSSite(t, version)
				s.start(t, server.serve(t, program, s))
				s.fetchAll(t, server)
				got := shoal(t, "-v", "-o", os.DevNull, "--cacert", filepath.Join(s.root, "cert.pem"), s.url("001.jpg"))
				require.Equal(t, exitOK, got.status, got.stderr)
				require.Contains(t, got.stderr, "TLS "+version+" agreed on with TLS_")
				got = shoal(t, "-o", os.DevNull, s.url("001.jpg"))
				require.Equal(t, exitFailed, got.status)
				require.Contains(t, got.stderr, "self-signed")
			})
		}
	}
}

func (s *tlsSite) url(name string) string {
	return "https://" + s.address + "/files/" + name
}

// fetchAll fetches each file.
func (s *tlsSite) fetchAll(t *testing.T, server tlsServer) {
	t.Helper()
	var urls []string
	for name := range s.hashes {
		urls = append(urls, s.url(name))
	}
	dir := t.TempDir()
	args := []string{"--cacert", filepath.Join(s.root, "cert.pem"), "-d", dir, "--json", "-i", listFile(t, urls...)}
	if !server.reuses {
		args = append(args, "-j", "1")
	}
	got := shoal(t, args...)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Len(t, names(t, dir), len(urls))
	for name, hash := range s.hashes {
		require.Equal(t, hash, hashOf(t, filepath.Join(dir, name)), name)
	}
	reused := 0
	for _, r := range records(t, got.stdout) {
		if r.Reused {
			reused++
		}
	}
	require.Equal(t, server.reuses, reused > 0)
}

// newTLSSite makes the folder. Others may read it: a server that was started by
// root serves as somebody else.
func newTLSSite(t *testing.T, version string) *tlsSite {
	t.Helper()
	root, err := os.MkdirTemp("", "shoal-test")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(root) })
	require.NoError(t, os.Chmod(root, 0o755))
	s := &tlsSite{root, porttest.Free(t), version, map[string][sha256.Size]byte{}}
	s.certify(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "files"), 0o755))
	noise := mathrand.NewChaCha8([32]byte{})
	for i := range 60 {
		body := make([]byte, 100+i*i*i*17) // up to 3.5 MB
		_, _ = noise.Read(body)
		name := fmt.Sprintf("%03d.jpg", i)
		require.NoError(t, os.WriteFile(filepath.Join(root, "files", name), body, 0o644))
		s.hashes[name] = sha256.Sum256(body)
	}
	return s
}

// certify writes a certificate for this machine that nobody else has signed, and
// its key.
func (s *tlsSite) certify(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "a server of a test"},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	own, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.root, "cert.pem"), pemOf(pemCertificate, own), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(s.root, "key.pem"), pemOf(pemPrivateKey, der), 0o600))
}

// start starts a server, waits until it listens, and ends it with the test.
func (s *tlsSite) start(t *testing.T, server *exec.Cmd) {
	t.Helper()
	server.Dir, server.Stderr = s.root, os.Stderr
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM) // it ends its workers
		_ = server.Wait()
	})
	requireListening(t, s.address)
}

// writeConfig writes a server's configuration into its folder and gives its name.
func writeConfig(t *testing.T, folder, format string, args ...any) string {
	t.Helper()
	name := filepath.Join(folder, "config")
	require.NoError(t, os.WriteFile(name, fmt.Appendf(nil, format, args...), 0o600))
	return name
}

func serveNginx(t *testing.T, program string, s *tlsSite) *exec.Cmd {
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
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path temp;
	proxy_temp_path temp;
	fastcgi_temp_path temp;
	uwsgi_temp_path temp;
	scgi_temp_path temp;
	server {
		listen %s ssl;
		ssl_certificate cert.pem;
		ssl_certificate_key key.pem;
		ssl_protocols TLSv%s;
		root %s;
	}
}
`, user, s.address, s.version, s.root)
	return exec.Command(program, "-p", s.root, "-c", config, "-e", "stderr")
}

func serveApache(t *testing.T, program string, s *tlsSite) *exec.Cmd {
	return apache(t, program, s.root, s.address, []string{"ssl"}, `
SSLEngine on
SSLCertificateFile cert.pem
SSLCertificateKeyFile key.pem
SSLProtocol -all +TLSv%s
`, s.version)
}

// apache serves a folder at an address, with these modules beside those that it
// cannot do without, and directives for them.
func apache(t *testing.T, program, root, address string, modules []string, directives string, args ...any) *exec.Cmd {
	const folder = "/usr/lib/apache2/modules"
	config, user := "", ""
	if os.Geteuid() == 0 {
		user = "User nobody\nGroup nogroup"
	}
	for _, name := range append([]string{"mpm_event", "authz_core"}, modules...) {
		file := filepath.Join(folder, "mod_"+name+".so")
		if _, err := os.Stat(file); err != nil {
			t.Skipf("NOT TESTED against Apache: its mod_%s is not where Debian has it", name)
		}
		config += fmt.Sprintf("LoadModule %s_module %s\n", name, file)
	}
	config += fmt.Sprintf(`
ServerRoot %[1]s
ServerName localhost
%[2]s
PidFile apache.pid
ErrorLog /dev/stderr
LogLevel crit
Listen %[3]s
DocumentRoot %[1]s
`, root, user, address)
	return exec.Command(program, "-f", writeConfig(t, root, "%s", config+fmt.Sprintf(directives, args...)), "-DFOREGROUND")
}

// serveOpenSSL: s_server serves one connection after the other, and ends each
// body by closing, which it says to TLS.
func serveOpenSSL(_ *testing.T, program string, s *tlsSite) *exec.Cmd {
	return exec.Command(program, "s_server", "-accept", s.address, "-cert", "cert.pem", "-key", "key.pem",
		"-tls1_"+s.version[2:], "-WWW", "-quiet")
}
