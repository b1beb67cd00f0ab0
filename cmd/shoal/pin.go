package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strings"

	"github.com/shoalfetch/shoal/fetch"
)

// pinPrefix begins a public key that is given as the base64 of its SHA-256, as
// curl has it.
const pinPrefix = "sha256//"

// readPins reads --pinnedpubkey: hashes, or a file.
func readPins(text string) ([]fetch.Pin, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.HasPrefix(text, pinPrefix) {
		file, err := os.ReadFile(text)
		if err != nil {
			return nil, fmt.Errorf("%w (a hash is written %sBASE64)", err, pinPrefix)
		}
		key, err := publicKeyOf(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		return []fetch.Pin{sha256.Sum256(key)}, nil
	}
	var pins []fetch.Pin
	for one := range strings.SplitSeq(text, ";") {
		code, ok := strings.CutPrefix(one, pinPrefix)
		hash, err := base64.StdEncoding.DecodeString(code)
		if !ok || err != nil || len(hash) != sha256.Size {
			return nil, fmt.Errorf("%q is not %s and the 44 characters of base64 that a SHA-256 has", one, pinPrefix)
		}
		pins = append(pins, fetch.Pin(hash))
	}
	return pins, nil
}
