package list

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// readAll gives every item, and every line that is none.
func readAll(t *testing.T, text io.Reader) (items []Item, bad []*LineError) {
	t.Helper()
	r := NewReader(text)
	for {
		item, err := r.Next()
		var line *LineError
		switch {
		case err == io.EOF:
			return items, bad
		case errors.As(err, &line):
			bad = append(bad, line)
		default:
			require.NoError(t, err)
			items = append(items, item)
		}
	}
}

func TestLines(t *testing.T) {
	items, bad := readAll(t, strings.NewReader("\ufeff# a comment\n\nhttp://a/1\r\n  example.org/2\t\n#http://a/3\nlocalhost:8080/4"))
	require.Empty(t, bad)
	require.Equal(t, []Item{
		{URL: "http://a/1", Line: 3},
		{URL: "http://example.org/2", Line: 4},
		{URL: "http://localhost:8080/4", Line: 6},
	}, items)
}

// TestObjects: what a list of failed fetches says is understood again, with the
// lines of the list it came from.
func TestObjects(t *testing.T) {
	items, bad := readAll(t, strings.NewReader(`{"url":"http://a/1","name":"1-2","line":70,"phase":"dial","kind":"refused"}
{"url":"a/2?<&>"}
{"name":"x"}
{"url":7}
{"url":"http://a/3"
http://a/4`))
	require.Equal(t, []Item{
		{"http://a/1", "1-2", 70},
		{"http://a/2?<&>", "", 2},
		{"http://a/4", "", 6},
	}, items)
	require.Len(t, bad, 3)
	require.EqualError(t, bad[0], `line 3: the JSON object has no "url"`)
	require.Equal(t, 4, bad[1].Line)
	require.Equal(t, 5, bad[2].Line)
}

// TestLongLineIsPassedOver: a line that is too long is named, and costs none of
// those around it, wherever the pieces of the text end.
func TestLongLineIsPassedOver(t *testing.T) {
	for _, length := range []int{LineBytes - 1, LineBytes, LineBytes + 1, LineBytes + 2, 2 * LineBytes, 5*LineBytes - 1} {
		for _, last := range []bool{false, true} {
			text := "http://a/1\n" + strings.Repeat("x", length)
			want := []Item{{URL: "http://a/1", Line: 1}}
			if !last {
				text += "\nhttp://a/3\n"
				want = append(want, Item{URL: "http://a/3", Line: 3})
			}
			for _, r := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
				items, bad := readAll(t, r)
				if length <= LineBytes {
					require.Empty(t, bad)
					require.Len(t, items, len(want)+1)
					continue
				}
				require.Equal(t, want, items, "%d bytes, last %v", length, last)
				require.Len(t, bad, 1)
				require.EqualError(t, bad[0], "line 2: the line is longer than 65536 bytes")
				require.Equal(t, strings.Repeat("x", textShown)+"…", bad[0].Text)
			}
		}
	}
}

// TestReadError: a text that cannot be read further ends with the reason.
func TestReadError(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("http://a/1\nhttp://a/"), iotest.ErrReader(errors.New("no more"))))
	item, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, "http://a/1", item.URL)
	_, err = r.Next()
	require.EqualError(t, err, "no more")
}
