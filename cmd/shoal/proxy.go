package main

import (
	"crypto/x509"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
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

	bundle   string // a file of authorities, for HTTPS proxies
	insecure bool   // believe any HTTPS proxy
}

// addProxyFlags defines the flags.
func addProxyFlags(f *pflag.FlagSet, p *proxyFlags) {
	f.VarP(&p.address, "proxy", "x", "go through the proxy `PROXY`, [SCHEME://][USER:PASSWORD@]HOST[:PORT], SCHEME being http, https, socks5, or socks5h, where the proxy looks names up; without it http_proxy, https_proxy and all_proxy in the environment say where to go, but for hosts of this machine")
	f.VarP(&p.login, "proxy-user", "U", "log in to the proxy as `USER:PASSWORD`")
	f.Var(&p.direct, "noproxy", "ask the hosts of `LIST` without a proxy, as in localhost,10.0.0.0/8,example.org:8080 or *, instead of those of no_proxy in the environment")
	f.StringVar(&p.bundle, "proxy-cacert", "", "believe an https proxy by the certificate authorities in `FILE` (PEM), in the place of those for servers")
	f.BoolVar(&p.insecure, "proxy-insecure", false, "believe any https proxy: who is on the way can then read your proxy password")
}

// proxyFor gives the proxy for a URL, which has a port; nil is none.
type proxyFor func(*url.URL) (*url.URL, error)

// checkProxies finds the proxies.
func (s *settings) checkProxies() (err error) {
	if s.textbook.wanted() {
		return s.checkTextbookProxy()
	}
	s.proxy, err = s.proxies.choose(os.Getenv)
	return err
}

// checkTextbookProxy finds the proxy of a textbook run, which asks -x only. The
// textbook's request line, with its whole URL, is the one for an HTTP proxy
// (RFC 9112 section 3.2.2); everything else that a proxy can be sent would stand
// among the bytes that are shown.
func (s *settings) checkTextbookProxy() (err error) {
	if !s.proxies.address.given {
		return nil
	}
	if s.proxy, err = s.proxies.choose(os.Getenv); err != nil || s.proxy == nil {
		return err
	}
	for _, text := range s.urls {
		u, err := url.Parse(text)
		if err != nil {
			continue // the engine says what is wrong with it
		}
		proxy, err := s.proxy(u)
		switch {
		case err != nil || proxy == nil:
		case proxy.Scheme != "http" || u.Scheme != "http":
			return usagef("-x and --textbook together: that goes with a proxy of http:// and URLs of http:// only")
		case proxy.User != nil:
			return usagef("--textbook sends its request as it is, without credentials for a proxy; --raw-request can have them in a field Proxy-Authorization")
		}
	}
	return nil
}

// checkProxyTrust says which HTTPS proxies are believed: what the flags of TLS
// say counts for them too, but for what concerns servers.
func (s *settings) checkProxyTrust() error {
	p := &s.proxies
	if p.bundle == "" && !p.insecure {
		return nil
	}
	t := *s.tls
	t.Insecure, t.Certificates, t.Pins = p.insecure, nil, nil
	if p.bundle != "" {
		t.Roots = x509.NewCertPool()
		if err := addBundle(t.Roots, p.bundle); err != nil {
			return usagef("--proxy-cacert: %w", err)
		}
	}
	s.proxyTLS = &t
	return nil
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
