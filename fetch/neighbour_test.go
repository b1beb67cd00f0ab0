package fetch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNeighbour: which URLs need no reading after another, and that the others
// are read. The answers are parseTarget's in any case, see FuzzNeighbour.
func TestNeighbour(t *testing.T) {
	for _, c := range []struct {
		first, second string
		near          bool
	}{
		{"http://h/a.jpg", "http://h/b/c_d-e.jpg?f=1&g=2", true},
		{"https://[::1]:81/", "https://[::1]:81/x", true},
		{"http://h/a", "http://h", false},
		{"http://h/a", "http://h:81/a", false},
		{"http://h/a", "http://hh/a", false},
		{"http://h/a", "https://h/a", false},
		{"http://h/a", "http://h/./a", false},
		{"http://h/a", "http://h/%41", false},
		{"http://h/a", "http://h/a b", false},
		{"http://h/a", "http://h/a#b", false},
		{"http://user:word@h/a", "http://user:word@h/b", false},
		{"HTTP://h/a", "HTTP://h/b", false},
		{"http://h", "http://h/b", false},
		{"nonsense", "http://h/b", false},
	} {
		var n neighbour
		_, _ = n.read(c.first)
		before := n.site
		require.Equal(t, c.near, before != "" && len(c.second) > len(before) && c.second[:len(before)] == before && isPlainPath(c.second[len(before):]), c.second)
		requireSameTarget(t, &n, c.second)
	}
}

func requireSameTarget(t *testing.T, n *neighbour, raw string) {
	t.Helper()
	want, failure := parseTarget(raw)
	got, err := n.read(raw)
	require.Equal(t, failure, err)
	require.Equal(t, want, got)
}

// FuzzNeighbour: a URL means the same after any other, and so does the next.
func FuzzNeighbour(f *testing.F) {
	f.Add("http://h/a", "http://h/b?c=d")
	f.Add("http://h/a", "http://h//b/.c")
	f.Add("http://a@h/a", "http://a@h/b")
	f.Add("http://h/a", "http://h/?")
	f.Fuzz(func(t *testing.T, first, second string) {
		var n neighbour
		for _, raw := range []string{first, second, first + "x", second} {
			requireSameTarget(t, &n, raw)
		}
	})
}
