package main

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatency(t *testing.T) {
	var took []time.Duration
	for i := range 1001 {
		took = append(took, time.Duration(1000-i)*time.Microsecond)
	}
	l := newLatency(took)
	require.Equal(t, latency{Count: 1001, Median: 500 * time.Microsecond, P99: 990 * time.Microsecond}, l)
	slow := latency{"slow", 7, time.Millisecond, 1980 * time.Microsecond}
	l.Name = "alone"
	require.Equal(t, "| small fetch | fetches | median, µs | p99, µs | ÷ alone |\n|---|---|---|---|---|\n"+
		"| alone | 1001 | 500 | 990 | 1.00 |\n"+
		"| slow | 7 | 1000 | 1980 | 2.00 |\n", latencyTable(l, slow))
}

func TestMemoryTable(t *testing.T) {
	one := held{conns: 1, amid: 5 << 20, peak: 6 << 20, cpu: 20 * time.Millisecond, took: 10 * time.Second}
	many := held{conns: 1025, amid: 6 << 20, peak: 8 << 20, cpu: 2050 * time.Millisecond, took: 10 * time.Second}
	require.Equal(t, "| connections | half-way, KB | bytes each | peak, KB | bytes each | processor time | of one processor | µs a piece |\n|---|---|---|---|---|---|---|---|\n"+
		"| 1 | 5120 | – | 6144 | – | 0.02 s | 0.2 % | 1000.0 |\n"+
		"| 1025 | 6144 | 1024 | 8192 | 2048 | 2.05 s | 20.5 % | 100.0 |\n", memoryTable(one, many))
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
