package proxytest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// squidConfig keeps Squid to itself: no cache, no files but the log, no shared
// memory, no more descriptors than a test needs, an end without a wait.
const squidConfig = `
%s
pid_filename none
cache_log /dev/null
logformat proxytest %%rm %%ru %%>Hs
access_log stdio:%s logformat=proxytest
cache_store_log none
cache deny all
cache_mem 0
memory_cache_shared off
netdb_filename none
pinger_enable off
coredump_dir none
visible_hostname localhost
max_filedescriptors 1024
shutdown_lifetime 0 seconds
`

// squidLogin asks for credentials, which a script of ours judges: the password
// files that Squid's own programs read have hashes that are not in the standard
// library.
const squidLogin = `
auth_param basic program /bin/sh %s
auth_param basic children 1
auth_param basic realm proxytest
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
`

// squidScript answers one line, "USER PASSWORD", with another.
const squidScript = `
while read -r user password; do
	if [ "$user $password" = '%s %s' ]; then echo OK; else echo ERR; fi
done
`

// Squid starts Squid, which forwards requests and makes tunnels.
func Squid(t testing.TB, terms Terms) *Proxy {
	t.Helper()
	program, dir := lookFor(t, "squid"), folder(t)
	address, _ := freeAddress(t)
	rules := "http_port " + address
	if terms.Certificate != "" {
		rules = fmt.Sprintf("https_port %s tls-cert=%s tls-key=%s", address, terms.Certificate, terms.Key)
	}
	if terms.User != "" {
		script := write(t, dir, "login.sh", fmt.Sprintf(squidScript, terms.User, terms.Password))
		rules += fmt.Sprintf(squidLogin, script)
	} else {
		rules += "\nhttp_access allow all"
	}
	// Squid leaves root for a user who may not make files here.
	access := write(t, dir, "access", "")
	require.NoError(t, os.Chmod(access, 0o666))
	config := write(t, dir, "squid.conf", fmt.Sprintf(squidConfig, rules, access))
	p := start(t, dir, address, program, "-N", "-f", config)
	p.log = access
	return p
}

// tinyproxyConfig: without ConnectPort, tunnels may lead to any port.
const tinyproxyConfig = `
Port %s
Listen 127.0.0.1
MaxClients 100
LogLevel Connect
PidFile "%s"
%s
`

// Tinyproxy starts tinyproxy, which forwards requests and makes tunnels.
func Tinyproxy(t testing.TB, terms Terms) *Proxy {
	t.Helper()
	program, dir := lookFor(t, "tinyproxy"), folder(t)
	address, port := freeAddress(t)
	login := ""
	if terms.User != "" {
		login = fmt.Sprintf("BasicAuth %s %s", terms.User, terms.Password)
	}
	text := fmt.Sprintf(tinyproxyConfig, port, filepath.Join(dir, "pid"), login)
	return start(t, dir, address, program, "-d", "-c", write(t, dir, "tinyproxy.conf", text))
}
