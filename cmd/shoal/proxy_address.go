package main

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// parseProxy reads [scheme://][user:password@]host[:port], which stood in
// where; login, if there is one, goes before what it has. What comes back has a
// scheme, a host and a port. The defaults are curl's: http, 1080, for https 443.
func parseProxy(where, text string, login *url.Userinfo) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, usagef("%s takes a proxy as [SCHEME://][USER:PASSWORD@]HOST[:PORT]; in a name or password, / ? # @ : and %% are written %%2F %%3F %%23 %%40 %%3A %%25", where)
	}
	port := u.Port()
	switch u.Scheme {
	case "http", "socks5", "socks5h":
		if port == "" {
			port = "1080"
		}
	case "https":
		port = urlPort(u)
	default:
		return nil, usagef("%s: a proxy's scheme is http, https, socks5 or socks5h, not %s", where, u.Scheme)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, usagef("%s: a proxy's port is from 1 to 65535", where)
	}
	if login == nil {
		login = u.User
	}
	proxy := &url.URL{Scheme: u.Scheme, User: login, Host: net.JoinHostPort(u.Hostname(), port)}
	return proxy, checkLogin(where, proxy)
}

// checkLogin refuses what the protocol that a proxy speaks cannot carry.
func checkLogin(where string, proxy *url.URL) error {
	if proxy.User == nil {
		return nil
	}
	user := proxy.User.Username()
	password, _ := proxy.User.Password()
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case strings.HasPrefix(proxy.Scheme, "socks5") && (user == "" || len(user) > 255 || len(password) > 255):
		return usagef("%s: SOCKS 5 takes a user name of 1 to 255 bytes, and a password of at most 255", where)
	case !strings.HasPrefix(proxy.Scheme, "socks5") && strings.Contains(user, ":"):
		return usagef("%s: a user name has no colon (RFC 7617 section 2)", where)
	case strings.ContainsFunc(user+password, isControl):
		return usagef("%s: a user name or password has no control characters", where)
	}
	return nil
}

// urlPort is a URL's port, or its scheme's.
func urlPort(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
