package view

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0:             "0 B",
		1023:          "1023 B",
		1024:          "1.0 KB",
		1536:          "1.5 KB",
		1 << 20:       "1.0 MB",
		5<<30 + 1<<29: "5.5 GB",
		math.MaxInt64: "8.0 EB",
	} {
		require.Equal(t, want, Size(n))
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		"as it is, Größe, 日本":     "as it is, Größe, 日本",
		"two\nlines\r\tand a tab": `two\u000alines\u000d\u0009and a tab`,
		"\x1b[2J":                 `\u001b[2J`,
		"\u009b31m":               `\u009b31m`,
		"a\u202eb\u200bc":         `a\u202eb\u200bc`,
		"\xff is no UTF-8":        `\xff is no UTF-8`,
		"\x00\x7f":                `\u0000\u007f`,
	} {
		require.Equal(t, want, Plain(text))
	}
}
