package main

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestArgs has the whole command line of every peer.
func TestArgs(t *testing.T) {
	want := map[string]string{
		"floor":        "-n 8080 64 OUT LIST",
		"floor-plain":  "-p -n 8080 64 OUT LIST",
		"floor-splice": "-s -n 8080 64 OUT LIST",
		"shoal":        "-i LIST -d OUT -j 64 --max-per-host 64 -s",
		"shoal-loops":  "-i LIST -d OUT -j 64 --max-per-host 64 -s --loops 2",
		"fasthttp":     "-conns 64 -dir OUT -new LIST",
		"net/http":     "-conns 64 -dir OUT -new LIST",
		"curl":         "-q -s -S -f -Z --parallel-max 64 --parallel-immediate --remote-name-all --output-dir OUT -K LIST",
		"wget2":        "--no-config -q --tries=1 --no-robots --max-threads=64 --no-directories -P OUT -i LIST",
		"aria2c":       "--no-conf -q --max-tries=1 --timeout=300 --connect-timeout=300 --file-allocation=none --split=1 -j 64 -d OUT -i LIST",
		"wrk":          "-t 1 -c 64 -d 2s -H Connection: close http://127.0.0.1:8080/000000.jpg",
	}
	run := job{workload{Fetches: 1, Size: 10, Conns: 64, NewConns: true, Hosts: 2}, 8080, "http://127.0.0.1:8080/000000.jpg", "LIST", "OUT", ""}
	for _, p := range peers {
		require.Equal(t, want[p.name], strings.Join(p.args(run), " "), p.name)
		line := p.line("http://127.0.0.1:8080/000000.jpg")
		require.Contains(t, line, "http://127.0.0.1:8080/000000.jpg", p.name)
		require.True(t, strings.HasSuffix(line, "\n"), p.name)
		delete(want, p.name)
	}
	require.Empty(t, want, "no such peers")

	run.authority = "CA"
	for name, option := range map[string]string{"shoal": "--cacert", "fasthttp": "-cacert", "net/http": "-cacert",
		"curl": "--cacert", "wget2": "--ca-certificate", "aria2c": "--ca-certificate"} {
		i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
		require.Contains(t, strings.Join(peers[i].args(run), " "), option+" CA", name)
	}
	run.authority = ""

	run.NewConns = false
	require.Equal(t, "-p 8080 64 OUT LIST", strings.Join(floorArgs("-p")(run), " "))
	require.Equal(t, "-conns 64 -dir OUT LIST", strings.Join(peerArgs(run), " "))
	require.Equal(t, "-t 1 -c 64 -d 2s http://127.0.0.1:8080/000000.jpg", strings.Join(wrkArgs(run), " "))
}

func TestCurlMost(t *testing.T) {
	require.Equal(t, 300, curlMost("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1"))
	require.Equal(t, 300, curlMost("curl 8.15.0 (x86_64-pc-linux-gnu)"))
	require.Equal(t, 65_535, curlMost("curl 8.16.0 (x86_64-pc-linux-gnu)"))
	require.Equal(t, 65_535, curlMost("curl 9.0.0"))
	require.Equal(t, 300, curlMost("something else"))
}

func TestUnfit(t *testing.T) {
	small, large := workload{Size: 10_240}, workload{Size: 70_057}
	require.NotEmpty(t, nothingToSplice(peer{}, small))
	require.Empty(t, nothingToSplice(peer{}, large))
	require.Empty(t, noListForWrk(peer{}, small))
	require.NotEmpty(t, noListForWrk(peer{}, workload{Size: 10_240, Piece: 100}))
	require.NotEmpty(t, noListForWrk(peer{}, workload{Size: 1_024}))
	require.NotEmpty(t, noListForWrk(peer{}, workload{Size: 10_240, Hosts: 2}))
	require.NotEmpty(t, noListForWrk(peer{}, workload{Size: 10_240, TLS: true, Resumes: true}))
	require.NotEmpty(t, notForFloor(peer{}, workload{TLS: true}))
	require.NotEmpty(t, notForFloor(peer{}, workload{Hosts: 2}))
	require.Empty(t, notForFloor(peer{}, large))
	require.NotEmpty(t, nothingToSplice(peer{}, workload{Size: 70_057, TLS: true}))
	require.NotEmpty(t, oneHost(peer{}, large))
	require.Empty(t, oneHost(peer{}, workload{Hosts: 2}))
	require.NotEmpty(t, tooManyForCurl(peer{program: filepath.Join(t.TempDir(), "none")}, small))
}

func TestFit(t *testing.T) {
	odd := peer{name: "odd", unfit: func(_ peer, load workload) string {
		switch {
		case load.Conns%2 == 0:
			return "it wants odd ones"
		case load.Conns > 4:
			return "it wants few"
		}
		return ""
	}}
	any := peer{name: "any"}
	loads := []workload{{Name: "a", Conns: 1}, {Name: "b", Conns: 2}, {Name: "c", Conns: 3}, {Name: "d", Conns: 4}, {Name: "e", Conns: 5}}
	require.Len(t, fit([]peer{odd, any}, loads[0]), 2)
	left := fit([]peer{odd, any}, loads[1])
	require.Len(t, left, 1)
	require.Equal(t, "any", left[0].name)
	require.Equal(t, "bench: WITHOUT odd in b, d: it wants odd ones\nbench: WITHOUT odd in e: it wants few\n", leftOut([]peer{odd, any}, loads))
}

func TestWrkFetches(t *testing.T) {
	said := func(line string) []byte { return []byte("Running 2s test\n  " + line + "\nRequests/sec: 1.0\n") }
	load := workload{Size: 1 << 20}
	fetches, err := wrkFetches(said("1024 requests in 2.00s, 1.00GB read"), load)
	require.NoError(t, err)
	require.Equal(t, 1024, fetches)
	fetches, err = wrkFetches(said("1 requests in 2.00s, 1048577B read"), load)
	require.NoError(t, err)
	require.Equal(t, 1, fetches)
	for _, line := range []string{
		"1024 requests in 2.00s, 0.99GB read",
		"1024 requests in 2.00s, 1.00MB read",
		"0 requests in 2.00s, 0.00B read",
		"1024 requests in 2.00s, 1.00GB read\n  Non-2xx or 3xx responses: 1",
		"1024 requests in 2.00s, 1.00GB read\n  Socket errors: connect 0, read 1, write 0, timeout 0",
		"nothing",
	} {
		_, err := wrkFetches(said(line), load)
		require.Error(t, err, line)
	}
}

func TestTotalCalls(t *testing.T) {
	const head = "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n" +
		" 60.00    0.000060           6        10         1 openat\n 40.00    0.000040          10         4           close\n" +
		"------ ----------- ----------- --------- --------- ----------------\n"
	calls, err := totalCalls(head + "100.00    0.000100           7        14         1 total\n")
	require.NoError(t, err)
	require.Equal(t, 14, calls)
	calls, err = totalCalls(head + "100.00    0.000100           7        15           total\n")
	require.NoError(t, err)
	require.Equal(t, 15, calls)
	_, err = totalCalls(head)
	require.Error(t, err)
}

func TestTracedParts(t *testing.T) {
	parts := func(w workload) [2]int {
		small, large := (&session{load: w}).tracedParts()
		return [2]int{small.Fetches, large.Fetches}
	}
	require.Equal(t, [2]int{500, 1000}, parts(workload{Fetches: 20_000, Size: 10_240, Conns: 64}))
	require.Equal(t, [2]int{1024, 2048}, parts(workload{Fetches: 20_000, Size: 10_240, Conns: 512}))
	require.Equal(t, [2]int{500, 1000}, parts(workload{Fetches: 9_000, Size: 2_000, Conns: 9_000, Piece: 100}))
	fast, _ := (&session{load: workload{Fetches: 1_000, Piece: 100, Delay: time.Second}}).tracedParts()
	require.Equal(t, 500*time.Millisecond, fast.Delay)
	require.Equal(t, [2]int{40, 80}, parts(workload{Fetches: 200, Size: 5 << 20, Conns: 16}))
	require.Equal(t, [2]int{10, 20}, parts(workload{Fetches: 20, Conns: 64}))
}

// TestLaunch builds the launcher and has it measure a shell.
func TestLaunch(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the launcher is for Linux")
	}
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("NOT TESTED what the launcher measures: there is no C compiler here")
	}
	program, err := buildLaunch(t.Context(), t.TempDir())
	require.NoError(t, err)
	ours := make([]byte, 100<<20) // which is not the shell's
	for i := 0; i < len(ours); i += pageBytes {
		ours[i] = 1
	}
	l := launcher{program, canPin}
	used, said, err := l.measure(t.Context(), "sh", "-c", "sleep 0.05; ulimit -n; ulimit -Hn; i=0; while test $i -lt 20000; do i=$((i+1)); done")
	require.NoError(t, err)
	soft, hard, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	require.Equal(t, hard, soft, "as many descriptors as there may be")
	require.Positive(t, used.CPU)
	require.GreaterOrEqual(t, used.Wall.Milliseconds(), int64(50))
	require.Positive(t, used.Switches, "it slept")
	require.Greater(t, used.Peak, 100<<10)
	require.Less(t, used.Peak, 50<<20)
	runtime.KeepAlive(ours)

	_, _, err = l.measure(t.Context(), "sh", "-c", "echo no >&2; exit 3")
	require.ErrorContains(t, err, "exit status 3\nno")
	_, _, err = l.measure(t.Context(), "sh", "-c", "kill -9 $$")
	require.ErrorContains(t, err, "exit status 137")
	_, _, err = l.measure(t.Context(), filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
	out, err := l.server(t.Context(), "sh", "-c", "echo $$; exec cat /proc/self/stat").Output()
	require.NoError(t, err)
	pid, stat, _ := strings.Cut(string(out), "\n")
	require.True(t, strings.HasPrefix(stat, pid+" "), "it becomes the program: %s", out)
}

func TestParseReport(t *testing.T) {
	used, err := parseReport("1500000000 20000 10000 2048 3 4\n")
	require.NoError(t, err)
	require.Equal(t, figures{CPU: 30e6, Wall: 1500e6, Peak: 2 << 20, Switches: 7}, used)
	_, err = parseReport("")
	require.Error(t, err)
}

// TestBuildPeers leaves out what is not there, if nobody asked for it by name.
func TestBuildPeers(t *testing.T) {
	none := peer{name: "none", build: find("no-such-program-anywhere")}
	here := peer{name: "here", build: find("go")}
	built, err := buildPeers(t.Context(), []peer{none, here}, false, t.TempDir())
	require.NoError(t, err)
	require.Len(t, built, 1)
	require.Equal(t, "here", built[0].name)
	require.FileExists(t, built[0].program)
	_, err = buildPeers(t.Context(), []peer{none, here}, true, t.TempDir())
	require.ErrorIs(t, err, exec.ErrNotFound)
}
