package list

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readAll(t *testing.T, text string) ([]Item, error) {
	t.Helper()
	r := NewReader(strings.NewReader(text))
	var items []Item
	for {
		item, err := r.Next()
		if err == io.EOF {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
}

func TestLines(t *testing.T) {
	items, err := readAll(t, "\ufeff# a comment\n\nhttp://a/1\r\n  example.org/2\t\n#http://a/3\nlocalhost:8080/4")
	require.NoError(t, err)
	require.Equal(t, []Item{
		{"http://a/1", 3},
		{"http://example.org/2", 4},
		{"http://localhost:8080/4", 6},
	}, items)
}

func TestLongLineIsNamed(t *testing.T) {
	items, err := readAll(t, "http://a/1\n"+strings.Repeat("x", LineBytes+1)+"\nhttp://a/2\n")
	require.EqualError(t, err, "line 2 is longer than 65536 bytes")
	require.Len(t, items, 1)
}
