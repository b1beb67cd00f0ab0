package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The types of PEM blocks that matter (RFC 7468).
const (
	pemCertificate = "CERTIFICATE"
	pemPublicKey   = "PUBLIC KEY"
	pemPrivateKey  = "PRIVATE KEY" // with a word before it in older files
	pemEncrypted   = "ENCRYPTED PRIVATE KEY"
)

// blocks are the PEM blocks of a text whose types end in a word.
func blocks(text []byte, suffix string) (found []*pem.Block) {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return found
		}
		if strings.HasSuffix(b.Type, suffix) {
			found = append(found, b)
		}
	}
}

// addBundle adds the certificates of a file to a pool. One that cannot be read
// is passed over if there are others: system bundles have such.
func addBundle(pool *x509.CertPool, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if pool.AppendCertsFromPEM(text) {
		return nil
	}
	if bytes.HasPrefix(text, []byte{asn1Sequence}) {
		return fmt.Errorf("%s is not PEM but DER, as it seems: openssl x509 -inform DER -in %[1]s -out ca.pem makes PEM of it", file)
	}
	return fmt.Errorf("there is no certificate in %s: it should have -----BEGIN CERTIFICATE----- in it", file)
}

// asn1Sequence begins every certificate and every key in DER.
const asn1Sequence = 0x30

// addFolder adds the certificates of all files in a folder to a pool. A folder
// of certificates may have other files, too.
func addFolder(pool *x509.CertPool, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		found = err == nil && pool.AppendCertsFromPEM(text) || found
	}
	if !found {
		return fmt.Errorf("no file in %s has a certificate in it (PEM)", folder)
	}
	return nil
}

// readOwn reads a certificate and its key, which may stand in one file.
func readOwn(certFile, keyFile string) (own tls.Certificate, err error) {
	certText, err := os.ReadFile(certFile)
	if err != nil {
		if file, _, ok := cutPassword(certFile); ok {
			return own, fmt.Errorf("--cert: passwords are not supported: %s", decrypt(file))
		}
		return own, fmt.Errorf("--cert: %w", err)
	}
	if len(blocks(certText, pemCertificate)) == 0 {
		return own, fmt.Errorf("--cert: there is no certificate in %s: it should have -----BEGIN CERTIFICATE----- in it (of PKCS #12, openssl pkcs12 -in FILE -nodes -out own.pem makes that)", certFile)
	}
	keyFlag, keyText := "--key", certText
	if keyFile == "" {
		keyFlag, keyFile = "--cert", certFile
	} else if keyText, err = os.ReadFile(keyFile); err != nil {
		return own, fmt.Errorf("--key: %w", err)
	}
	if err := checkKey(keyText, keyFile); err != nil {
		return own, fmt.Errorf("%s: %w", keyFlag, err)
	}
	if own, err = tls.X509KeyPair(certText, keyText); err != nil {
		return own, fmt.Errorf("--cert %s with the key in %s: %s", certFile, keyFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return own, nil
}

// cutPassword splits what curl takes, FILE:PASSWORD, if there is such a file.
func cutPassword(text string) (file, password string, ok bool) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return "", "", false
	}
	_, err := os.Stat(text[:colon])
	return text[:colon], text[colon+1:], err == nil
}

// checkKey says what is wrong with a private key, as far as it is often wrong.
func checkKey(text []byte, file string) error {
	keys := blocks(text, pemPrivateKey)
	switch {
	case len(keys) == 0:
		return fmt.Errorf("there is no private key in %s: it should have -----BEGIN PRIVATE KEY----- in it; a key in another file is given with --key", file)
	case keys[0].Type == pemEncrypted, strings.Contains(keys[0].Headers["Proc-Type"], "ENCRYPTED"):
		return fmt.Errorf("the key in %s is encrypted, which is not supported: %s", file, decrypt(file))
	}
	return nil
}

// decrypt says how to get rid of a key's password.
func decrypt(file string) string {
	return fmt.Sprintf("openssl pkey -in %s -out plain.pem decrypts a key", file)
}

// publicKeyOf finds a public key in a file's text, which may be that of a
// public key or of a certificate, in PEM or DER. It is given in DER.
func publicKeyOf(text []byte) ([]byte, error) {
	der := text
	if b, _ := pem.Decode(text); b != nil {
		der = b.Bytes
		if b.Type != pemPublicKey && b.Type != pemCertificate {
			return nil, fmt.Errorf("it has a %s, not a %s or a %s", b.Type, pemPublicKey, pemCertificate)
		}
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return der, nil
	}
	if c, err := x509.ParseCertificate(der); err == nil {
		return c.RawSubjectPublicKeyInfo, nil
	}
	return nil, errors.New("it is no public key and no certificate")
}
