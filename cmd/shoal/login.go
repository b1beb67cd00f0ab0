package main

import (
	"encoding/base64"
	"strings"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/internal/netrc"
)

// login is what the flags say of names and passwords. No message shows what is
// given.
type login struct {
	user, bearer secretValue
	netrc        bool
}

// addLoginFlags defines the flags.
func addLoginFlags(f *pflag.FlagSet, l *login) {
	f.VarP(&l.user, "user", "u", "log in as `NAME:PASSWORD` (Basic) to the servers of the URLs, but not to those they redirect to")
	f.Var(&l.bearer, "oauth2-bearer", "log in with `TOKEN` (Bearer) in the same way")
	f.BoolVarP(&l.netrc, "netrc", "n", false, "log in to hosts that ~/.netrc has a name and password for; its default entry is for the hosts of the URLs only")
}

// given says whether one of the flags was.
func (l *login) given() bool { return l.user.given || l.bearer.given || l.netrc }

// checkLogin refuses what no server could understand.
func (s *settings) checkLogin() error {
	l := &s.login
	switch {
	case l.user.given && l.bearer.given:
		return usagef("-u and --oauth2-bearer together: a request can carry one of them")
	case l.user.given && !strings.Contains(l.user.text, ":"):
		return usagef("-u takes NAME:PASSWORD, and NAME: for an empty password; others do not see a password that is in ~/.netrc, for -n")
	case l.bearer.given && (l.bearer.text == "" || strings.ContainsFunc(l.bearer.text, func(r rune) bool { return r <= ' ' || r >= 0x7f })):
		return usagef("--oauth2-bearer takes a token, which is of visible ASCII characters")
	}
	return nil
}

// field is the value of the Authorization field, if there is one (RFC 7617, RFC
// 6750).
func (l *login) field() string {
	switch {
	case l.user.given:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(l.user.text))
	case l.bearer.given:
		return "Bearer " + l.bearer.text
	}
	return ""
}

// passwords are what ~/.netrc has; nil is none.
type passwords struct{ *netrc.File }

// login finds a name and password by host, for the engine.
func (p *passwords) login() func(host string, redirected bool) (name, password string, ok bool) {
	if p == nil {
		return nil
	}
	return func(host string, redirected bool) (name, password string, ok bool) {
		e, ok := p.Find(host, "")
		switch {
		case !ok || redirected && e.Machine == "" || e.Login == "" && e.Password == "" || strings.Contains(e.Login, ":"):
			return "", "", false
		}
		return e.Login, e.Password, true
	}
}

// secretValue is a flag's text, which no message shows: so it refuses nothing.
type secretValue struct {
	text  string
	given bool
}

// Set implements pflag.Value.
func (v *secretValue) Set(text string) error {
	v.text, v.given = text, true
	return nil
}

// String implements pflag.Value.
func (*secretValue) String() string { return "" }

// Type implements pflag.Value.
func (*secretValue) Type() string { return "TEXT" }
