package tlsconn

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openssl is `openssl s_server`, another's idea of TLS. It takes commands as
// lines, one in each of its reads.
type openssl struct {
	t      *testing.T
	stdin  io.Writer
	stdout *bufio.Reader
	client *Conn
	conn   net.Conn
}

// dialOpenSSL starts it and makes a conn to it.
func dialOpenSSL(t *testing.T, version uint16, flag string) *openssl {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("NOT TESTED: there is no openssl here")
	}
	w := newWorld(t, version)
	cert, key := filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
	der, err := x509.MarshalPKCS8PrivateKey(w.server.Certificates[0].PrivateKey)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificates[0].Certificate[0]}), 0o600))

	cmd := exec.Command(program, "s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, flag)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	// A server that hangs ends all reads of its output and of the connection.
	bound := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		bound.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	o := &openssl{t: t, stdin: stdin, stdout: bufio.NewReader(stdout), client: w.conn()}
	t.Cleanup(o.client.Stop)
	o.conn, err = net.Dial("tcp", strings.TrimSpace(strings.TrimPrefix(o.says("ACCEPT "), "ACCEPT ")))
	require.NoError(t, err)
	t.Cleanup(func() { _ = o.conn.Close() })
	o.handshake()
	return o
}

// says reads the server's output up to a line that begins so.
func (o *openssl) says(prefix string) string {
	for {
		line, err := o.stdout.ReadString('\n')
		require.NoError(o.t, err, "waiting for %q", prefix)
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
}

func (o *openssl) handshake() {
	for {
		status, err := o.client.Handshake()
		require.NoError(o.t, err)
		o.send()
		if status == Done {
			return
		}
		o.receive()
	}
}

func (o *openssl) send() {
	_, err := o.conn.Write(o.client.Outgoing())
	require.NoError(o.t, err)
}

func (o *openssl) receive() {
	b := make([]byte, 64<<10)
	n, err := o.conn.Read(b)
	require.NoError(o.t, err)
	o.client.Feed(b[:n])
}

// types gives the server a line.
func (o *openssl) types(line string) {
	_, err := io.WriteString(o.stdin, line+"\n")
	require.NoError(o.t, err)
}

// read reads until it needs more.
func (o *openssl) read() (got string, err error) {
	b := make([]byte, 100)
	for {
		n, err := o.client.Read(b)
		o.send()
		got += string(b[:n])
		if err != nil {
			return got, err
		}
	}
}

// hears asks for the next data from the server.
func (o *openssl) hears(want string) {
	got, err := o.read()
	for ; len(got) < len(want) && err == ErrNeedData; err = ErrNeedData {
		o.receive()
		more, _ := o.read()
		got += more
	}
	require.Equal(o.t, want, got)
}

func TestKeyUpdatesOfOpenSSL(t *testing.T) {
	o := dialOpenSSL(t, tls.VersionTLS13, "-tls1_3")
	o.types("before")
	o.hears("before\n")
	for _, command := range []string{"k", "K", "K", "k"} { // K asks for the same of the client
		o.types(command)
		o.receive()
		got, err := o.read()
		require.Equal(t, []any{"", ErrNeedData}, []any{got, err})
		o.types("after " + command)
		o.hears("after " + command + "\n")
		require.NoError(t, o.client.Write([]byte("mine\n")))
		o.send()
		o.says("mine")
	}
}

func TestRenegotiationWithOpenSSL(t *testing.T) {
	o := dialOpenSSL(t, tls.VersionTLS12, "-tls1_2")
	o.types("before")
	o.hears("before\n")
	o.types("R")
	o.receive()
	_, err := o.read()
	require.EqualError(t, err, "the server asked to negotiate TLS anew, which is refused")
}
