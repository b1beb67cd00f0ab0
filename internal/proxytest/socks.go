package proxytest

import (
	"fmt"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Microsocks starts microsocks, which speaks SOCKS 5 and nothing else.
func Microsocks(t testing.TB, terms Terms) *Proxy {
	t.Helper()
	program, dir := lookFor(t, "microsocks"), folder(t)
	address, port := freeAddress(t)
	args := []string{"-i", "127.0.0.1", "-p", port}
	if terms.User != "" {
		args = append(args, "-u", terms.User, "-P", terms.Password)
	}
	return start(t, dir, address, program, args...)
}

// danteConfig lets everybody in: the passwords that Dante knows are those of
// the system's users, which are not ours to make.
const danteConfig = `
logoutput: stderr
internal: 127.0.0.1 port = %s
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: %s
user.unprivileged: %[2]s
client pass { from: 0/0 to: 0/0 }
socks pass { from: 0/0 to: 0/0 log: connect }
`

// Dante starts Dante, which speaks SOCKS 5 without credentials.
func Dante(t testing.TB) *Proxy {
	t.Helper()
	program, dir := lookFor(t, "danted"), folder(t)
	address, port := freeAddress(t)
	me, err := user.Current()
	require.NoError(t, err)
	config := write(t, dir, "danted.conf", fmt.Sprintf(danteConfig, port, me.Username))
	return start(t, dir, address, program, "-f", config, "-p", filepath.Join(dir, "pid"))
}
