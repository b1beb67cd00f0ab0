package view

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseStyle(t *testing.T) {
	for _, s := range []Style{StyleNone, StylePlain, StyleLine} {
		got, ok := ParseStyle(s.String())
		require.True(t, ok)
		require.Equal(t, s, got)
	}
	for _, word := range []string{"", "bar", "LINE"} {
		_, ok := ParseStyle(word)
		require.False(t, ok, word)
	}
}

func TestStyleForWhatIsNoTerminal(t *testing.T) {
	require.Equal(t, StylePlain, StyleFor(new(bytes.Buffer)))
	file, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer file.Close()
	require.Equal(t, StylePlain, StyleFor(file))
	require.Equal(t, usualWidth, width(file))
	require.Equal(t, time.Minute, StylePlain.every(isTerminal(file)))
}

func TestStyleForATerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("NOT TESTED: no terminal can be made here: %v", err)
	}
	defer terminal.Close()
	if !isTerminal(terminal) {
		t.Skip("NOT TESTED: this system's /dev/ptmx is no terminal itself")
	}
	t.Setenv("TERM", "xterm")
	require.Equal(t, StyleLine, StyleFor(terminal))
	t.Setenv("TERM", "dumb")
	require.Equal(t, StylePlain, StyleFor(terminal))
	require.Equal(t, usualWidth, width(terminal), "a terminal whose size nobody has set")
	require.Equal(t, 10*time.Second, StylePlain.every(true))
	require.Equal(t, 100*time.Millisecond, StyleLine.every(true))
}
