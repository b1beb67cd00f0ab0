package main

import (
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// A proxy comes from -x, or from the environment. In both, --noproxy, or else
// no_proxy, names the hosts that are asked directly, in the way of
// [httpproxy.Config]. Where a proxy comes from the environment, this machine
// (localhost and loopback addresses) is always asked directly; with curl only
// when no_proxy says so. No message shows what is given as a proxy: a password
// may be in it.

// proxyFlags are what the flags say of proxies. An empty -x is none at all, an
// empty --noproxy names no host, whatever the environment says.
type proxyFlags struct {
	address, login, direct optionalValue
}

// proxyFor gives the proxy for a URL, which has a port; nil is none.
type proxyFor func(*url.URL) (*url.URL, error)

// checkProxies finds the proxies.
func (s *settings) checkProxies() (err error) {
	if s.textbook.wanted() {
		if s.proxies.address.text != "" {
			return usagef("-x and --textbook together: the textbook's program knows no proxy")
		}
		return nil
	}
	s.proxy, err = s.proxies.choose(os.Getenv)
	return err
}

// choose finds the proxies of the flags, or of the environment. It gives nil
// if there are none.
func (p *proxyFlags) choose(getenv func(string) string) (proxyFor, error) {
	login, err := p.userinfo()
	if err != nil {
		return nil, err
	}
	direct := p.direct.text
	if !p.direct.given {
		_, direct = firstSet(getenv, "no_proxy", "NO_PROXY")
	}
	switch {
	case !p.address.given:
		return fromEnvironment(getenv, login, direct)
	case p.address.text == "":
		return nil, nil
	}
	proxy, err := parseProxy("-x", p.address.text, login)
	if err != nil {
		return nil, err
	}
	return throughOne(proxy, direct), nil
}

// userinfo is what -U says.
func (p *proxyFlags) userinfo() (*url.Userinfo, error) {
	if !p.login.given {
		return nil, nil
	}
	user, password, ok := strings.Cut(p.login.text, ":")
	if !ok {
		return nil, usagef("-U takes USER:PASSWORD, and USER: for an empty password")
	}
	return url.UserPassword(user, password), nil
}

// fromEnvironment gives the proxies of the environment. HTTP_PROXY is none of
// them, as with curl: a CGI program gets it from its client's field Proxy.
func fromEnvironment(getenv func(string) string, login *url.Userinfo, direct string) (proxyFor, error) {
	config := httpproxy.Config{NoProxy: direct}
	for _, p := range []struct {
		to    *string
		names []string
	}{
		{&config.HTTPProxy, []string{"http_proxy", "all_proxy", "ALL_PROXY"}},
		{&config.HTTPSProxy, []string{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}},
	} {
		name, text := firstSet(getenv, p.names...)
		if text == "" {
			continue
		}
		proxy, err := parseProxy(name+" in the environment", text, login)
		if err != nil {
			return nil, err
		}
		*p.to = proxy.String()
	}
	if config.HTTPProxy == "" && config.HTTPSProxy == "" {
		return nil, nil
	}
	return config.ProxyFunc(), nil
}

// firstSet is the first of some variables that is not empty.
func firstSet(getenv func(string) string, names ...string) (name, value string) {
	for _, name := range names {
		if value := getenv(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

// throughOne sends everything through one proxy, but what a list names.
func throughOne(proxy *url.URL, direct string) proxyFor {
	config := httpproxy.Config{HTTPProxy: proxy.String(), HTTPSProxy: proxy.String(), NoProxy: direct}
	choose := config.ProxyFunc()
	return func(u *url.URL) (*url.URL, error) {
		switch { // httpproxy would have this machine asked directly, whatever the list says
		case !isLoopback(u.Hostname()):
			return choose(u)
		case namesLoopback(direct, u):
			return nil, nil
		}
		return proxy, nil
	}
}

// optionalValue is a flag's text, which may be empty, and whether it was given.
type optionalValue struct {
	text  string
	given bool
}

// Set implements pflag.Value.
func (v *optionalValue) Set(text string) error {
	v.text, v.given = text, true
	return nil
}

// String implements pflag.Value. It does not tell the text, which may be a
// secret.
func (v *optionalValue) String() string { return "" }

// Type implements pflag.Value.
func (v *optionalValue) Type() string { return "TEXT" }
