package state

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkOpenMillion opens a file of a million URLs, with paths, sums and
// validators, and says how much memory the index takes.
func BenchmarkOpenMillion(b *testing.B) {
	const million = 1_000_000
	name := fileName(b)
	s := open(b, name)
	start := time.Now()
	for i := range million {
		put(b, s, Record{
			URL:  fmt.Sprintf("https://images.example.org/collection/%d/%x.jpg?width=1024", i%1000, i*2654435761),
			Path: fmt.Sprintf("%05d/%09d.jpg", i/10000, i), Complete: true, Size: 70057,
			SHA256: sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)}),
			ETag:   fmt.Sprintf(`"%x-%x"`, i, 70057), LastModified: "Sun, 06 Nov 1994 08:49:37 GMT",
		})
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/million, "ns/put")
	b.ReportMetric(float64(s.end)/million, "filebytes/url")
	require.NoError(b, s.Close())
	before := liveBytes()
	var cpu time.Duration
	for b.Loop() {
		start := cpuTime(b)
		s := open(b, name)
		cpu += cpuTime(b) - start
		require.Equal(b, million, s.Len())
		b.StopTimer()
		b.ReportMetric(float64(liveBytes()-before)/million, "membytes/url")
		require.NoError(b, s.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// cpuTime is what this process has used of the processors, which the machine's
// other work does not change much.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkGet looks one URL up.
func BenchmarkGet(b *testing.B) {
	s := open(b, fileName(b))
	put(b, s, several[0])
	for b.Loop() {
		requireRecord(b, s, several[0])
	}
	require.NoError(b, s.Close())
}
