package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/shoalfetch/shoal/internal/cookies"
	"github.com/shoalfetch/shoal/internal/netrc"
)

// credentials are the secrets that a run has from files.
type credentials struct {
	passwords *passwords
	jar       *jar // nil: nobody asked for cookies
}

// openCredentials reads them.
func (r *runner) openCredentials(getenv func(string) string) error {
	if r.login.netrc {
		home := getenv("HOME")
		if home == "" {
			return usagef("-n: HOME in the environment does not say where .netrc is")
		}
		file, err := netrc.Open(filepath.Join(home, ".netrc"))
		if err != nil {
			return err
		}
		r.passwords = &passwords{file}
	}
	files := r.cookies.files()
	if files == nil && r.cookies.to == "" {
		return nil
	}
	r.jar = &jar{jar: cookies.New()}
	for _, name := range files {
		if err := r.readCookies(name); err != nil {
			return err
		}
	}
	return nil
}

// readCookies reads one file. The one that -c writes need not be there yet.
func (r *runner) readCookies(name string) error {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && name == r.cookies.to {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	bad, err := r.jar.jar.Read(f, time.Now())
	if err != nil {
		return &fs.PathError{Op: "read", Path: name, Err: err}
	}
	for i, line := range bad {
		if i == failuresShown {
			r.say("%s: and %d more such lines", name, len(bad)-i)
			break
		}
		r.say("%s: %v; this cookie is not used", name, line)
	}
	return nil
}

// writeCookies writes what -c asks for.
func (r *runner) writeCookies() error {
	if r.cookies.to == "" {
		return nil
	}
	if err := r.jar.write(r.cookies.to, r.stdout); err != nil {
		return &halt{exitStopped, "the cookies are lost: " + err.Error()}
	}
	return nil
}
