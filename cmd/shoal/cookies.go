package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/cookies"
)

// cookieFlags are what the flags say of cookies.
type cookieFlags struct {
	from []string // pairs if they have a =, else files
	to   string
}

// addCookieFlags defines the flags.
func addCookieFlags(f *pflag.FlagSet, c *cookieFlags) {
	f.VarP((*textsValue)(&c.from), "cookie", "b", "send the cookies `COOKIES`: NAME=VALUE; NAME=VALUE to the servers of the URLs, but not to those they redirect to; or, without a =, those of a file in Netscape's format that fit; may be given several times")
	f.StringVarP(&c.to, "cookie-jar", "c", "", "write all cookies to `FILE` in Netscape's format when the run ends; - is standard output")
}

// given says whether one of the flags was.
func (c *cookieFlags) given() bool { return c.from != nil || c.to != "" }

// pairs are the cookies on the command line.
func (c *cookieFlags) pairs() (all []string) {
	for _, text := range c.from {
		if isPairs(text) {
			all = append(all, strings.Trim(text, "; "))
		}
	}
	return all
}

// files are the files to read. An empty one keeps what servers set, as in curl.
func (c *cookieFlags) files() (all []string) {
	for _, text := range c.from {
		if !isPairs(text) {
			all = append(all, text)
		}
	}
	return all
}

func isPairs(text string) bool { return strings.Contains(text, "=") }

// checkCookies refuses cookies that no request could carry, and files that could
// not be written when the run has ended.
func (s *settings) checkCookies() error {
	for _, pairs := range s.cookies.pairs() {
		if strings.ContainsFunc(pairs, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return usagef("-b takes cookies without line ends, as in -b \"a=b; c=d\"")
		}
	}
	switch to := s.cookies.to; {
	case to == "":
		return nil
	case to == standard && (s.output == standard || s.json == standard || s.ask.heads):
		return usagef("-c - goes to standard output, and so does something else; use -c FILE")
	case isURL(to):
		return usagef("-c %s: that is a URL; -c takes a file", to)
	case to != standard:
		if info, err := os.Stat(filepath.Dir(to)); err != nil || !info.IsDir() {
			return usagef("-c %s: there is no folder %s", to, filepath.Dir(to))
		}
	}
	return nil
}

// jar is the cookies of a run, which several loops may share.
type jar struct {
	mu  sync.Mutex
	jar *cookies.Jar
}

// AppendCookies implements fetch.Jar.
func (j *jar) AppendCookies(dst []byte, to fetch.CookieURL, now time.Time) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.jar.AppendHeader(dst, cookies.URL(to), now)
}

// SetCookie implements fetch.Jar. A cookie that is refused is no fault of the
// fetch's.
func (j *jar) SetCookie(from fetch.CookieURL, value string, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.jar.Set(cookies.URL(from), value, now)
}

// write writes them to a file that is its user's alone.
func (j *jar) write(name string, stdout io.Writer) error {
	if name == standard {
		return j.jar.Write(stdout, time.Now())
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() { // a pipe, /dev/null
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return j.jar.Write(f, time.Now())
	}
	return j.replace(name)
}

// replace writes a regular file, which is there as it was or as it will be.
func (j *jar) replace(name string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".shoal-cookies-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = j.jar.Write(f, time.Now())
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// textsValue is a flag that may be given several times, and refuses nothing.
type textsValue []string

// Set implements pflag.Value.
func (v *textsValue) Set(text string) error {
	*v = append(*v, text)
	return nil
}

// String implements pflag.Value.
func (*textsValue) String() string { return "" }

// Type implements pflag.Value.
func (*textsValue) Type() string { return "TEXT" }
