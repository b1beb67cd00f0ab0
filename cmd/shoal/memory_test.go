//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bluntServer answers every request with the same few bytes, as quickly as it
// can.
func bluntServer(t *testing.T) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				from := bufio.NewReader(conn)
				for {
					line, err := from.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(bytes.TrimSpace(line)) == 0 {
						if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nIt's")); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// resident is how much memory a process has, in bytes (proc_pid_status(5)).
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "VmRSS:")
	require.True(t, found)
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	require.NoError(t, err)
	return kilobytes << 10
}

// TestFlatMemory: where no name is kept, the two hundred thousandth line costs
// no more than the fifty thousandth (github.com/curl/curl/issues/8933).
func TestFlatMemory(t *testing.T) {
	const lines, every = 200_000, 10_000
	url := bluntServer(t)
	in, out, err := os.Pipe()
	require.NoError(t, err)
	p := &process{Cmd: exec.Command(program(t), "-i", "-", "-o", os.DevNull, "-j", "64", "--max-per-host", "64")}
	p.Stdin, p.Stderr = in, &p.stderr
	require.NoError(t, p.Start())
	in.Close()
	var sizes []int
	w := bufio.NewWriter(out)
	for n := range lines {
		fmt.Fprintf(w, "%s/some/path/of/a/usual/length/%d.jpg\n", url, n)
		if n%every == every-1 {
			require.NoError(t, w.Flush())
			sizes = append(sizes, resident(t, p.Process.Pid))
		}
	}
	require.NoError(t, w.Flush())
	require.NoError(t, out.Close())
	require.Equal(t, exitOK, p.end(t), p.stderr.String())
	require.Contains(t, p.stderr.String(), "200000 fetched")
	// What was not collected yet, at one moment or another, is no growth.
	early, late := slices.Min(sizes[5:10]), slices.Min(sizes[15:])
	t.Logf("%d KB in the second quarter, %d KB in the last", early>>10, late>>10)
	require.Less(t, late, early+4<<20)
}
