package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/poller"
)

// TestMain lets this program start itself, as the real one does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && parts[os.Args[1]] != nil {
		if err := play(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestMeasure takes all measurements, of very little.
func TestMeasure(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc here")
	}
	var out bytes.Buffer
	require.NoError(t, size{conns: 20, held: 30, fetches: 20 * window, delay: 50 * time.Millisecond, warmUps: 10}.measure(t.Context(), &out))
	for _, line := range []string{
		`1 drips, saved \| \d+ \| – `, `20 drips, saved \| \d+ \| -?\d+ `, `30 drips \| \d+ \| -?\d+ `,
		`alone \| [1-9]\d* \| \d+ \| \d+ \| 1.00`, `20 drips, saved \| [1-9]\d* \| \d+ \| \d+ \| \d+\.\d+`,
		`30 drips, all connect \| [1-9]\d* \| \d+ \| \d+ \| \d+`, `30 drips \| [1-9]\d* \| \d+ \| \d+ \| \d+`,
		`1–1000 \| \d+\.\d \| `, `19001–20000 \| \d+\.\d \| `,
	} {
		require.Regexp(t, `(?m)^\| `+line+` ?\|?`, out.String())
	}
}

func TestLatencyTable(t *testing.T) {
	alone := probed{Drips: &drips{}, Count: 1001, Median: 500 * time.Microsecond, P99: 990 * time.Microsecond}
	slow := probed{Drips: &drips{Conns: 7, Saved: true}, Count: 7, Median: time.Millisecond, P99: 1980 * time.Microsecond}
	require.Equal(t, "| small fetch beside | fetches | median, µs | p99, µs | ÷ alone |\n|---|---|---|---|---|\n"+
		"| alone | 1001 | 500 | 990 | 1.00 |\n"+
		"| 7 drips, saved | 7 | 1000 | 1980 | 2.00 |\n", latencyTable([]probed{alone, slow}))
}

func TestTurns(t *testing.T) {
	var took []time.Duration
	for i := range 1001 {
		took = append(took, time.Duration(1000-i)*time.Microsecond)
	}
	got := turnsOf(took)
	require.Equal(t, turns{1001, 500 * time.Microsecond, 990 * time.Microsecond, time.Millisecond}, got)
	require.Zero(t, turnsOf(nil))
	require.Equal(t, "| a turn of the loop | turns | median, µs | p99, µs | longest, µs |\n|---|---|---|---|---|\n"+
		"| alone | 0 | 0 | 0 | 0 |\n"+
		"| 7 drips, all connect | 0 | 0 | 0 | 0 |\n"+
		"| 7 drips | 1001 | 500 | 990 | 1000 |\n",
		turnTable([]probed{{Drips: &drips{}}, {Drips: &drips{Conns: 7}, During: got}}))
}

// sleeper is a kernel whose waits are as long as they are asked to be: a real one
// may end at a signal.
type sleeper struct{ kernel.Kernel }

func (sleeper) Wait(_ []poller.Event, timeout time.Duration) (int, error) {
	time.Sleep(timeout)
	return 0, nil
}

// TestTimedKernel: a turn is what comes between two waits, and the waits are no
// part of it.
func TestTimedKernel(t *testing.T) {
	inner, err := kernel.New()
	require.NoError(t, err)
	defer inner.Close()
	k := &timedKernel{Kernel: sleeper{inner}}
	events := make([]poller.Event, 1)
	began := time.Now()
	for range 3 {
		_, err := k.Wait(events, 20*time.Millisecond)
		require.NoError(t, err)
		time.Sleep(5 * time.Millisecond)
	}
	got := k.take()
	require.Equal(t, 2, got.Count, "the third has not ended")
	require.GreaterOrEqual(t, got.Median, 5*time.Millisecond)
	require.LessOrEqual(t, 60*time.Millisecond+got.Median+got.Longest, time.Since(began))
	require.Zero(t, k.take())
}

func TestCostTable(t *testing.T) {
	var all []cost
	for i := range 20 {
		all = append(all, cost{time.Duration(20+i) * time.Millisecond, time.Duration(40+i) * time.Millisecond})
	}
	table := strings.Split(costTable(all), "\n")
	require.Len(t, table, 2+2+10+1+1)
	require.Equal(t, "| 1–1000 | 20.0 | 40.0 | 0.95 |", table[2])
	require.Equal(t, "| 1001–2000 | 21.0 | 41.0 | 1.00 |", table[3])
	require.Equal(t, "| 18001–20000 | 38.0 | 58.0 | 1.81 |", table[13])
	require.Equal(t, "| 19001–20000 | 39.0 | 59.0 | 1.86 |", table[14])
}

func TestMemoryTable(t *testing.T) {
	one := holding{drips: &drips{Conns: 1, Saved: true}, amid: 5 << 20, peak: 6 << 20, cpu: 20 * time.Millisecond, took: 10 * time.Second}
	many := holding{drips: &drips{Conns: 1025}, amid: 6 << 20, peak: 8 << 20, cpu: 2050 * time.Millisecond, took: 10 * time.Second}
	require.Equal(t, "| connections | half-way, KB | bytes each | peak, KB | bytes each | processor time | of one processor | µs a piece |\n|---|---|---|---|---|---|---|---|\n"+
		"| 1 drips, saved | 5120 | – | 6144 | – | 0.02 s | 0.2 % | 1000.0 |\n"+
		"| 1025 drips | 6144 | 1024 | 8192 | 2048 | 2.05 s | 20.5 % | 100.0 |\n", memoryTable(one, many))
}

// TestReadMemory touches memory and sees both numbers rise by it.
func TestReadMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc here")
	}
	const size = 64 << 20
	before, _, err := readMemory(os.Getpid())
	require.NoError(t, err)
	memory := make([]byte, size)
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	resident, highest, err := readMemory(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, resident-before, int64(size/2))
	require.GreaterOrEqual(t, highest, resident)
	runtime.KeepAlive(memory)
}

// TestDrips: no address has more connections than it is quick to have.
func TestDrips(t *testing.T) {
	d := &drips{Addresses: []string{"127.0.0.1:1", "127.0.0.2:1"}, Delay: time.Second}
	require.Contains(t, d.url(0), "//127.0.0.1:1/")
	require.Contains(t, d.url(1), "//127.0.0.2:1/")
	require.NotEqual(t, d.url(0), d.url(2))
}
