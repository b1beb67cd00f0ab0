package main

import (
	"bytes"
	"io"
	"os"
	"strings"
)

// datum is one --data or --data-binary.
type datum struct {
	text   string
	binary bool // a file's line ends stay
}

// dataValue is either flag.
type dataValue struct {
	to     *[]datum
	binary bool
}

// Set implements pflag.Value.
func (v dataValue) Set(text string) error {
	*v.to = append(*v.to, datum{text, v.binary})
	return nil
}

// String implements pflag.Value.
func (dataValue) String() string { return "" }

// Type implements pflag.Value.
func (dataValue) Type() string { return "DATA" }

// bodyOf puts the data together, as an HTML form does.
func bodyOf(data []datum, stdin io.Reader) ([]byte, error) {
	var parts [][]byte
	for _, d := range data {
		part, err := d.load(stdin)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return bytes.Join(parts, []byte("&")), nil
}

// load is the data itself. What --data takes out of a file is what curl does.
func (d *datum) load(stdin io.Reader) (content []byte, err error) {
	name, isFile := strings.CutPrefix(d.text, "@")
	switch {
	case !isFile:
		return []byte(d.text), nil
	case name == standard:
		content, err = io.ReadAll(stdin)
	default:
		content, err = os.ReadFile(name)
	}
	if err != nil || d.binary {
		return content, err
	}
	return bytes.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, content), nil
}
