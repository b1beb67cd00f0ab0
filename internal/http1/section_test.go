package http1

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const someFields = "Content-Type: image/jpeg\r\n" +
	"set-cookie:a=1 \n" +
	"X-Empty:\r\n" +
	"Set-Cookie: b=2;\r\n\t c=3\r\n" +
	"Content-Type-Too: no\r\n"

func TestSection(t *testing.T) {
	s := Section(someFields)
	require.Equal(t, "image/jpeg", s.Get("content-TYPE"))
	require.Equal(t, "a=1", s.Get("Set-Cookie"))
	require.Equal(t, "no", s.Get("Content-Type-Too"))
	require.Empty(t, s.Get("X-Empty"))
	require.True(t, s.Has("x-empty"))
	require.False(t, s.Has("Content"))
	require.False(t, s.Has(""))
	require.False(t, s.Has("c=3"))
	require.Equal(t, []string{"a=1", "b=2; c=3"}, slices.Collect(s.Values("SET-COOKIE")))
	require.Empty(t, slices.Collect(s.Values("Nothing")))

	var names []string
	for name := range s.Fields() {
		names = append(names, name)
	}
	require.Equal(t, []string{"Content-Type", "set-cookie", "X-Empty", "Set-Cookie", "Content-Type-Too"}, names)
}

// requireAllFound asks a head for each of its fields, in either case.
func requireAllFound(t *testing.T, h Head) {
	for name := range h.Fields() {
		for _, spelled := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			require.True(t, h.Has(spelled), spelled)
			require.Equal(t, h.Section().Get(name), h.Get(spelled))
			require.Equal(t, slices.Collect(h.Section().Values(name)), slices.Collect(h.Values(spelled)))
		}
	}
}

// TestHeadNames: whatever fields there are, a head finds those and no others.
func TestHeadNames(t *testing.T) {
	const text = "HTTP/1.1 200 OK\r\nServer: s\r\n" + someFields + "~-9: odd\r\nContent-Length: 0\r\n"
	ours, p := readAll(t, "GET", text+"\r\n")
	require.NoError(t, ours.err)
	h := p.Head()
	requireAllFound(t, h)
	require.Equal(t, "b=2; c=3", slices.Collect(h.Values("Set-Cookie"))[1])
	for _, absent := range []string{"", "c=3", "Transfer-Encoding", "Serve", "Servers", "Xerver"} {
		require.False(t, h.Has(absent), absent)
		require.Empty(t, h.Get(absent))
		require.Empty(t, slices.Collect(h.Values(absent)))
	}
}

func TestSectionStops(t *testing.T) {
	for range Section(someFields).Values("set-cookie") {
		break
	}
	for range Section(someFields).Fields() {
		break
	}
}

func TestZeroHead(t *testing.T) {
	var h Head
	require.True(t, h.IsZero())
	require.Empty(t, h.Raw())
	require.Empty(t, h.Reason())
	require.Empty(t, h.Get("A"))
	require.False(t, h.Has(""))
	require.Empty(t, maps.Collect(h.Fields()))
	require.Empty(t, slices.Collect(h.Values("A")))
}

func TestEqualFold(t *testing.T) {
	require.True(t, equalFold("Keep-Alive", "kEEP-aLIVE"))
	require.False(t, equalFold("keep-alive", "keep_alive"))
	require.False(t, equalFold("k", "\u212a"), "the Kelvin sign")
	require.False(t, equalFold("[", "{"), "32 apart, but no letters")
	require.False(t, equalFold("a", "ab"))
}

func TestHasElement(t *testing.T) {
	s := Section("Connection: a, b\r\nconnection:c\r\nX: d\r\n")
	for _, token := range []string{"a", "B", "c"} {
		require.True(t, s.hasElement("Connection", token), token)
	}
	require.False(t, s.hasElement("Connection", "d"))
	require.False(t, s.hasElement("Connection", "a, b"))
}

// What is no section from a parser makes no panic.
func FuzzSection(f *testing.F) {
	f.Add(someFields, "set-cookie")
	f.Add("no end", "")
	f.Add("\n \n:\r", "\n")
	f.Fuzz(func(t *testing.T, text, name string) {
		s := Section(text)
		value, has := s.Get(name), s.Has(name)
		if values := slices.Collect(s.Values(name)); has {
			require.Equal(t, value, values[0])
		} else {
			require.Empty(t, values)
		}
		for name := range maps.Collect(s.Fields()) {
			require.LessOrEqual(t, len(name), len(text))
		}
	})
}
