package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
)

// trust is what its flags say of TLS: which servers are believed, as whom they
// know us, and how is spoken to them.
type trust struct {
	bundle   string // a file of authorities
	folder   string // a folder of such files
	insecure bool
	cert     string // our certificate, and perhaps the key
	key      string // the key, when it is elsewhere
	pins     string
	least    versionValue
	most     versionValue
	curves   curvesValue
}

// addTrustFlags defines the flags.
func addTrustFlags(f *pflag.FlagSet, t *trust) {
	f.StringVar(&t.bundle, "cacert", "", "believe the certificate authorities in `FILE` (PEM), in the place of the system's")
	f.StringVar(&t.folder, "capath", "", "believe those in the files of the folder `DIR`, in the place of the system's; with --cacert, those of both")
	f.BoolVarP(&t.insecure, "insecure", "k", false, "believe any certificate: who is on the way can then read and change everything")
	f.StringVarP(&t.cert, "cert", "E", "", "show a server that asks for it the certificate in `FILE` (PEM, with those between it and its authority, if any)")
	f.StringVar(&t.key, "key", "", "the private key of --cert is in `FILE` (PEM, not encrypted), not beside it")
	f.StringVar(&t.pins, "pinnedpubkey", "", "believe only a server with this public key, in all else as usual: `KEY` is sha256//BASE64, several with ; between them, or a file of a public key or certificate (PEM or DER)")
	f.Var(&t.least, "tls-min", "speak TLS of this version at least, 1.2 or 1.3 (also --tlsv1.2 and --tlsv1.3)")
	f.Var(&t.most, "tls-max", "speak TLS of this version at most, 1.2 or 1.3")
	f.Var(&t.curves, "curves", "offer these key exchanges only, with : between them, as in X25519:P-256")
	for _, least := range []versionValue{tls.VersionTLS12, tls.VersionTLS13} {
		name := "tlsv" + least.String()
		f.BoolFunc(name, "speak TLS of this version at least: --tls-min by curl's name", func(string) error {
			t.least = least
			return nil
		})
		_ = f.MarkHidden(name)
	}
}

// checkTrust reads the files that the flags of TLS name.
func (s *settings) checkTrust() (err error) {
	s.tls, err = s.trust.read()
	if err != nil {
		return usageError{err}
	}
	return nil
}

// read gives the same in the engine's terms.
func (t *trust) read() (*fetch.TLS, error) {
	if t.least != 0 && t.most != 0 && t.least > t.most {
		return nil, fmt.Errorf("at least TLS %v and at most TLS %v leave no version", &t.least, &t.most)
	}
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	ours, err := t.certificates()
	if err != nil {
		return nil, err
	}
	pins, err := readPins(t.pins)
	if err != nil {
		return nil, fmt.Errorf("--pinnedpubkey: %w", err)
	}
	return &fetch.TLS{
		Roots: roots, Insecure: t.insecure, Certificates: ours, Pins: pins,
		MinVersion: uint16(t.least), MaxVersion: uint16(t.most), Curves: t.curves,
	}, nil
}

// roots are the authorities of --cacert and --capath; nil for the system's.
func (t *trust) roots() (*x509.CertPool, error) {
	if t.bundle == "" && t.folder == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if t.bundle != "" {
		if err := addBundle(pool, t.bundle); err != nil {
			return nil, fmt.Errorf("--cacert: %w", err)
		}
	}
	if t.folder != "" {
		if err := addFolder(pool, t.folder); err != nil {
			return nil, fmt.Errorf("--capath: %w", err)
		}
	}
	return pool, nil
}

// certificates is the one of --cert and --key, if it was given.
func (t *trust) certificates() ([]tls.Certificate, error) {
	if t.cert == "" {
		if t.key != "" {
			return nil, fmt.Errorf("--key %s: that is the key of which certificate? It is given with --cert", t.key)
		}
		return nil, nil
	}
	own, err := readOwn(t.cert, t.key)
	if err != nil {
		return nil, err
	}
	return []tls.Certificate{own}, nil
}

// warnOfTrust says what everyone should know who has asked for it.
func (r *runner) warnOfTrust() {
	if r.proxies.insecure {
		r.say("WARNING: --proxy-insecure: whoever is on the way can pose as an https proxy, and read the credentials for it")
	}
	if !r.trust.insecure {
		return
	}
	only := ""
	if r.trust.pins != "" {
		only = " but its public key"
	}
	r.say("WARNING: -k: nothing of a server's certificate is checked%s: whoever is on the way can pose as any server, read everything and change it", only)
}
