package http1

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the events that are found into testdata")

// The files in testdata are to be read by people: each begins with what it is
// about, and has any number of cases. A case is
//
//	=== name, and the request's method in brackets if it is not GET
//	why, in prose (optional)
//	--- input (limits by name, if it has any of its own)
//	the bytes, escaped as in Go; the line ends of the file do not count,
//	and a last line of <close> means that the server closes
//	--- events
//	what the parser finds
type golden struct {
	name   string
	events string
	exchange
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		parts := strings.Split("\n"+string(text), "\n=== ")
		for i, part := range parts[1:] {
			g := parseGolden(t, part)
			if *update {
				before, _, _ := strings.Cut(part, "--- events\n")
				parts[i+1] = before + "--- events\n" + g.read(whole).String()
				continue
			}
			t.Run(filepath.Base(file)+"/"+g.name, g.test)
		}
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(parts, "\n=== ")[1:]), 0o644))
		}
	}
}

func (g golden) test(t *testing.T) {
	require.Equal(t, g.events, g.read(whole).String(), "whole")
	require.Equal(t, g.events, g.read(oneByOne).String(), "byte by byte")
	if !g.closes {
		g.testFollowed(t)
	}
}

// testFollowed reads the case with bytes of another response after it: they
// change neither what was found nor get lost.
func (g golden) testFollowed(t *testing.T) {
	const next = "HTTP/1.1 500 Next\r\nContent-Length: 3\r\n\r\nabc"
	alone := g.read(whole)
	if alone.err == nil && alone.kind != Done {
		return
	}
	g.input += next
	for _, cut := range []func(int) int{whole, oneByOne} {
		followed := g.read(cut)
		require.Equal(t, alone.err, followed.err)
		require.Equal(t, alone.raw, followed.raw)
		require.Equal(t, alone.body, followed.body)
		if alone.err == nil {
			require.Equal(t, Done, followed.kind)
			require.Equal(t, alone.rest+next, followed.rest)
		}
	}
	require.False(t, g.read(whole).used, "reused with bytes over")
}

func parseGolden(t *testing.T, part string) golden {
	title, rest, _ := strings.Cut(part, "\n")
	_, rest, found := strings.Cut(rest, "--- input")
	require.True(t, found, title)
	input, events, found := strings.Cut(rest, "--- events\n")
	require.True(t, found, title)

	g := golden{name: title, events: strings.TrimRight(events, "\n") + "\n", exchange: exchange{method: "GET"}}
	if name, method, found := strings.Cut(title, " ["); found {
		g.name, g.method = name, strings.TrimSuffix(method, "]")
	}
	options, input, _ := strings.Cut(input, "\n")
	g.limits = parseLimits(t, options)
	input, g.closes = strings.CutSuffix(input, "<close>\n")
	input, err := unescape(strings.ReplaceAll(input, "\n", ""))
	require.NoError(t, err, title)
	g.input = input
	return g
}

func parseLimits(t *testing.T, options string) *Limits {
	if options == "" {
		return nil
	}
	var l Limits
	for _, option := range strings.Fields(options) {
		name, value, _ := strings.Cut(option, "=")
		limit, known := map[string]*int{
			"line": &l.LineBytes, "head": &l.HeadBytes, "fields": &l.Fields,
			"interims": &l.Interims, "overhead": &l.ChunkOverhead,
		}[name]
		require.True(t, known, option)
		_, err := fmt.Sscan(value, limit)
		require.NoError(t, err, option)
	}
	return &l
}
