package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// said is what a run of the command left behind.
type said struct {
	status         int
	stdout, stderr string
}

// shoal runs the command in this process, with nothing on standard input.
func shoal(t *testing.T, args ...string) said {
	t.Helper()
	return shoalFrom(t, strings.NewReader(""), args...)
}

// shoalFrom runs the command in this process.
func shoalFrom(t *testing.T, stdin io.Reader, args ...string) said {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := runToo(args, stdin, &stdout, &stderr)
	return said{status, stdout.String(), stderr.String()}
}

// flagsToo are given to the runs of a test besides its own.
var flagsToo []string

// runToo is run with flagsToo.
func runToo(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return run(append(slices.Clone(flagsToo), args...), stdin, stdout, stderr)
}

// lines are the lines of a text, without their ends.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// names are what is in a folder, sorted.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	found := []string{}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

// content is what is in a file.
func content(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(text)
}

// listFile writes lines to a file and gives its name.
func listFile(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "list")
	require.NoError(t, os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return name
}
