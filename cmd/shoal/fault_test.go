package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/kernel"
)

func TestFaultValue(t *testing.T) {
	var v faultValue
	require.False(t, v.wanted())
	require.NoError(t, v.Set("recv-max=7,recv-again=50,send-max=1k,send-again=20,reset-at=4096"))
	require.NoError(t, v.Set("connect-fail=5,write-max=3,file-slow=50ms,file-slow-in=100,seed=18446744073709551615"))
	require.NoError(t, v.check())
	require.Equal(t, kernel.Faults{
		Seed: 1<<64 - 1, ConnectFail: 5, SendMax: 1024, SendAgain: 20, RecvMax: 7, RecvAgain: 50, ResetAt: 4096,
		WriteMax: 3, FileSlow: 50 * time.Millisecond, FileSlowIn: 100,
	}, v.Faults)
	again := faultValue{}
	require.NoError(t, again.Set(v.String()))
	require.Equal(t, v, again)
	for spec, want := range map[string]string{
		"": `no fault ""`, "recv-max": "takes a value", "recv-max=": "recv-max: a size", "recv-max=0": "from 1", "recv-max=3G": "at most 2147483647",
		"recv-again=100": "1 to 99, not 100", "send-again=0": "1 to 99, not 0", "connect-fail=x": "1 to 99, not x", "file-slow-in=101": "1 to 100, not 101",
		"file-slow=0": "more than 0", "reset-at=-1": "a size", "seed=-1": "a seed is a whole number", "send-max=1,send-max=1": "given twice",
		"recv-max=1,": `no fault ""`, "rcv-max=1": "there are recv-max, recv-again",
	} {
		require.ErrorContains(t, new(faultValue).Set(spec), want, spec)
	}
	for spec, want := range map[string]string{"seed=1": "give a fault too", "file-slow-in=1": "give file-slow=TIME too"} {
		var v faultValue
		require.NoError(t, v.Set(spec))
		require.ErrorContains(t, v.check(), want)
	}
}

// TestFaultSeed: the seed that was chosen is told, and with it the same sends are
// faulty again.
func TestFaultSeed(t *testing.T) {
	s := smallFiles(t)
	spec, blocked, seeds := "recv-again=30,send-again=50,send-max=9", map[string]bool{}, map[string]bool{}
	for i := range 4 {
		if i == 3 {
			spec = "recv-again=30,send-again=50,send-max=9" // with another seed
		}
		got := shoal(t, "--fault", spec, "--stats", "-o", os.DevNull, "-j", "1", s.URL+"/length/1", s.URL+"/chunked/2", s.URL+"/close/3")
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Regexp(t, `^shoal: faults on purpose; to try the same again: --fault recv-again=30,send-again=50,send-max=9,seed=\d+\n`, got.stderr)
		_, spec, _ = strings.Cut(lines(got.stderr)[0], "--fault ")
		seeds[spec] = true
		line := regexp.MustCompile(`send would block +[1-9]\d*`).FindString(got.stderr)
		require.NotEmpty(t, line, got.stderr)
		if i < 3 {
			blocked[line] = true
		}
	}
	require.Len(t, blocked, 1, "of the first three")
	require.Len(t, seeds, 2)
	require.Empty(t, shoal(t, "-s", "--fault", spec, "-o", os.DevNull, s.URL+"/length/1").stderr)
}

// TestFaultTextbook: the textbook's program under faults too.
func TestFaultTextbook(t *testing.T) {
	s := smallFiles(t)
	got := shoal(t, "--textbook", "--fault", "recv-max=10,seed=1", "--stats", "-s", "-o", os.DevNull, s.URL+"/length/1")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Regexp(t, `^10 10\n10 20\n10 30\n`, got.stdout)
	require.Regexp(t, `(?s)^call .*recv cut short +[1-9]`, got.stderr, "-s leaves what was asked for")
}
