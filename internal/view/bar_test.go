package view

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBar(t *testing.T) {
	for _, c := range []struct {
		share   float64
		columns int
		want    string
	}{
		{0, 10, "[--------]"},
		{0.124, 10, "[--------]"},
		{0.125, 10, "[#-------]"},
		{0.5, 11, "[####-----]"},
		{0.999, 10, "[#######-]"},
		{1, 10, "[########]"},
	} {
		require.Equal(t, c.want, bar(c.share, c.columns), "%+v", c)
	}
}

// TestLineWithoutRoom: a bar that is too short to tell anything is left out, and
// so is one of a share that nobody knows.
func TestLineWithoutRoom(t *testing.T) {
	m := &Moment{Tally: new(Tally), Total: 5, Read: -1}
	text := fit(parts(m, new(pace)), 80)
	require.Equal(t, text, line(m, new(pace), len(text)+barLeast))
	require.Equal(t, "["+strings.Repeat("-", barLeast-2)+"] "+text, line(m, new(pace), len(text)+1+barLeast))
	require.Equal(t, "["+strings.Repeat("-", barMost-2)+"] "+text, line(m, new(pace), 200))
	m.Total = 0
	require.NotContains(t, line(m, new(pace), 200), "[")
}
