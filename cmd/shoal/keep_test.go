package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoKeepAlive has each request come over a connection of its own, at any
// number of connections, and otherwise they are kept.
func TestNoKeepAlive(t *testing.T) {
	for _, c := range []struct {
		flags []string
		conns int32
	}{
		{[]string{"-j", "1"}, 1},
		{[]string{"-j", "1", "--no-keepalive"}, 20},
		{[]string{"-j", "50", "--no-keepalive"}, 20},
		{[]string{"-j", "1", "--no-http-keep-alive"}, 20},
		{[]string{"-j", "1", "--max-conn-age", "0.000001"}, 20},
		{[]string{"-j", "1", "--idle-timeout", "100", "--max-conn-age", "100"}, 1},
	} {
		var conns, closing atomic.Int32
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Close {
				closing.Add(1)
			}
		}))
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
		s.Start()
		args := append(c.flags, "-o", os.DevNull)
		for n := range 20 {
			args = append(args, fmt.Sprintf("%s/%d", s.URL, n))
		}
		got := shoal(t, args...)
		s.Close()
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Equal(t, c.conns, conns.Load(), c.flags)
		require.Equal(t, c.conns == 20 && c.flags[2] != "--max-conn-age", closing.Load() == 20, c.flags)
	}
}

// TestKeepTimesRefused: a time of nothing is --no-keepalive.
func TestKeepTimesRefused(t *testing.T) {
	for _, flag := range []string{"--idle-timeout=0", "--max-conn-age=0", "--max-conn-age=x"} {
		got := shoal(t, flag, "http://127.0.0.1:9/")
		require.Equal(t, exitUsage, got.status, flag)
		require.Contains(t, got.stderr, "a time ")
	}
}
