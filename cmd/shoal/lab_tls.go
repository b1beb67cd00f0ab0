package main

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/shoalfetch/shoal/internal/lab"
)

// labMark begins the files of certificates. Files that begin otherwise are
// somebody else's. Whoever reads PEM passes over it (RFC 7468, section 2).
const labMark = "made by shoal lab, and worth nothing when it has ended\n"

func (r *labRun) authorityFile() string { return filepath.Join(r.tlsDir, "ca.pem") }
func (r *labRun) clientFile() string    { return filepath.Join(r.tlsDir, "client.pem") }

// writeCertificates writes what a client needs to speak to the lab over TLS.
func (r *labRun) writeCertificates(a *lab.Authority) error {
	if err := os.MkdirAll(r.tlsDir, 0o777); err != nil {
		return err
	}
	if err := replaceOwn(r.authorityFile(), a.PEM(), 0o666); err != nil {
		return err
	}
	return replaceOwn(r.clientFile(), a.ClientPEM(), 0o600)
}

// replaceOwn writes a file in the place of an earlier lab's. One of anybody
// else's is left as it is.
func replaceOwn(name string, text []byte, mode fs.FileMode) error {
	before, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !bytes.HasPrefix(before, []byte(labMark)):
		return usagef("%s is there and is not a lab's: name another folder with --tls-dir", name)
	}
	return os.WriteFile(name, append([]byte(labMark), text...), mode)
}

// portOf is the port in the URL of a site.
func portOf(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return ""
	}
	_, port, _ := net.SplitHostPort(u.Host)
	return port
}
