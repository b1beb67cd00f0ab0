package fetch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRequestHost: those are one host which the engine counts as one, and what
// has none is what the engine refuses.
func TestRequestHost(t *testing.T) {
	for url, want := range map[string]string{
		"http://example.test/a":      "example.test",
		"http://EXAMPLE.test:8080/b": "example.test",
		"http://[::1]:80/":           "::1",
		"http://127.0.0.1":           "127.0.0.1",
	} {
		host, err := (&Request{URL: url}).Host()
		require.NoError(t, err)
		require.Equal(t, want, host)
	}
	for _, r := range []Request{
		{URL: "ftp://h/"}, {URL: "http:///"}, {URL: "http://h:0/"}, {URL: "no URL"},
		{URL: "http://h/", Method: "CONNECT"}, {URL: "http://h/", Fields: []Field{{Name: "Connection", Value: "close"}}},
	} {
		_, err := r.Host()
		require.Error(t, err, "%+v", r)
	}
}
