package socks5

import (
	"io"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/proxy"

	"github.com/shoalfetch/shoal/internal/porttest"
	"github.com/shoalfetch/shoal/internal/proxytest"
)

// welcome is what the target of the tests says first, before it sends back what
// it gets.
const welcome = "220 the target speaks first\r\n"

// startTarget starts a server of one connection after another.
func startTarget(t *testing.T) (port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, welcome)
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	}()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// through has a client of ours talk to a real proxy, and then to the target.
func through(t *testing.T, address, host string, port uint16, login *Login) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	target := &Target{Name: host, Port: port}
	if addr, err := netip.ParseAddr(host); err == nil {
		target = &Target{Address: addr.AsSlice(), Port: port}
	}
	var c Client
	require.NoError(t, c.Reset(target, login))
	buf := make([]byte, 1024)
	for {
		kind, err := c.Next()
		switch {
		case err != nil:
			return "", err
		case kind == Send:
			_, err := conn.Write(c.AppendMessage(nil))
			require.NoError(t, err)
		case kind == Done:
			return talk(t, conn, string(c.Rest())), nil
		default:
			n, err := conn.Read(buf)
			c.Feed(buf[:n])
			if err == io.EOF {
				c.EOF()
			} else {
				require.NoError(t, err)
			}
		}
	}
}

// talk reads the welcome, of which some is there already, and has the target
// repeat a word.
func talk(t *testing.T, conn net.Conn, begun string) string {
	t.Helper()
	_, err := io.WriteString(conn, "carp")
	require.NoError(t, err)
	rest := make([]byte, len(welcome)+len("carp")-len(begun))
	_, err = io.ReadFull(conn, rest)
	require.NoError(t, err)
	return begun + string(rest)
}

// throughTheirs is through with another client of SOCKS.
func throughTheirs(t *testing.T, address, host string, port uint16, login *Login) (string, error) {
	t.Helper()
	var auth *proxy.Auth
	if login != nil {
		auth = &proxy.Auth{User: login.User, Password: login.Password}
	}
	dialer, err := proxy.SOCKS5("tcp", address, auth, proxy.Direct)
	require.NoError(t, err)
	conn, err := dialer.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return talk(t, conn, ""), nil
}

// question is what clients ask of a real proxy.
type question struct {
	host   string
	port   uint16
	login  *Login
	expect error
}

// shortAddress is 127.0.0.1 as inet_aton(3) reads it too, and a name to clients
// of SOCKS. localhost may be ::1 first, where the target does not listen.
const shortAddress = "127.1"

// TestRealProxies has the client and another one ask real proxies the same, and
// get the same.
func TestRealProxies(t *testing.T) {
	alive, dead := startTarget(t), netip.MustParseAddrPort(porttest.Closed(t)).Port()
	good, bad := &Login{"carp", "net5"}, &Login{"carp", "net6"}
	open := map[string]question{
		"an address":                {"127.0.0.1", alive, nil, nil},
		"a name":                    {shortAddress, alive, nil, nil},
		"a login that nobody wants": {"127.0.0.1", alive, good, nil},
		"refused":                   {"127.0.0.1", dead, nil, &ReplyError{5}},
		"a name, refused":           {shortAddress, dead, nil, &ReplyError{5}},
	}
	locked := map[string]question{
		"a login":          {shortAddress, alive, good, nil},
		"a login, refused": {"127.0.0.1", dead, good, &ReplyError{5}},
		"a wrong login":    {shortAddress, alive, bad, &AuthError{Offered: true, Refused: true}},
		"no login":         {shortAddress, alive, nil, &AuthError{}},
	}
	t.Run("microsocks", func(t *testing.T) { ask(t, proxytest.Microsocks(t, proxytest.Terms{}), open) })
	t.Run("dante", func(t *testing.T) { ask(t, proxytest.Dante(t), open) })
	t.Run("microsocks with a login", func(t *testing.T) {
		ask(t, proxytest.Microsocks(t, proxytest.Terms{User: good.User, Password: good.Password}), locked)
	})
}

func ask(t *testing.T, p *proxytest.Proxy, questions map[string]question) {
	t.Helper()
	for name, q := range questions {
		t.Run(name, func(t *testing.T) {
			got, err := through(t, p.Address, q.host, q.port, q.login)
			require.Equal(t, q.expect, err)
			theirs, theirErr := throughTheirs(t, p.Address, q.host, q.port, q.login)
			require.Equal(t, err == nil, theirErr == nil, "the other client: %v", theirErr)
			require.Equal(t, theirs, got)
			if err == nil {
				require.Equal(t, welcome+"carp", got)
			}
		})
	}
}
