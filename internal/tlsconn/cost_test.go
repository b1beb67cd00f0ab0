package tlsconn

import (
	"crypto/tls"
	"math"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A Read for want of data costs nothing; a part of a record costs crypto/tls's
// two small allocations, whatever its length.
func TestAllocationsForWantOfData(t *testing.T) {
	w := newWorld(t, tls.VersionTLS13)
	w.server.DynamicRecordSizingDisabled = true // one record, whose end never comes
	c, sent, _ := w.open(t, false, send(body(16<<10)))
	buf := make([]byte, 64<<10)
	nothing := func() {
		if _, err := c.Read(buf); err != ErrNeedData {
			t.Fatal(err)
		}
	}
	require.Zero(t, testing.AllocsPerRun(100, nothing))
	piece := sent[:1000]
	sent = sent[1000:]
	c.Feed(piece)
	nothing()
	require.Zero(t, testing.AllocsPerRun(100, nothing), "in the middle of a record")
	if raceEnabled {
		return
	}
	count, size := least(func() {
		for range 10 {
			c.Feed(sent[:10])
			sent = sent[10:]
			nothing()
		}
	})
	require.LessOrEqual(t, count, uint64(10*2))
	require.LessOrEqual(t, size, uint64(10*2*24))
	t.Logf("a part of a record: %.1f allocations of %d bytes together", float64(count)/10, size/10)
}

// least is how often f allocates and how many bytes, at the least of ten times:
// the runtime counts what the rest of the process allocates meanwhile, too.
func least(f func()) (count, size uint64) {
	count, size = math.MaxUint64, math.MaxUint64
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		count, size = min(count, after.Mallocs-before.Mallocs), min(size, after.TotalAlloc-before.TotalAlloc)
	}
	return count, size
}

// The conns of a loop that waits: in the middle of a body, and between two.
func TestMemoryPerConn(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	require.LessOrEqual(t, unsafe.Sizeof(Conn{}), uintptr(512), "what is ours of a conn, in bytes")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		idle := memory(t, version, 200, 100, 0)
		middle := memory(t, version, 200, 16<<10, 1000)
		t.Logf("%s: %d bytes for a conn between two small responses, %d in the middle of a record of 16 KB, of these %d ours",
			tls.VersionName(version), idle, middle, unsafe.Sizeof(Conn{}))
		require.Less(t, idle, 10<<10)
		require.Less(t, middle, 26<<10)
	}
}

// memory is what one of n conns takes that were sent a record of data, of which
// some bytes are still to come.
func memory(t *testing.T, version uint16, n, size, missing int) int {
	w := newWorld(t, version).cheap(t)
	w.server.DynamicRecordSizingDisabled = true
	config := w.client.Config("a.example")
	data, buf := body(size), make([]byte, 64<<10)
	conns := make([]*Conn, 0, n)
	before := live()
	for range n {
		c := New(config, w.pad)
		p, sent := connect(t, c, w.server, send(data))
		c.Feed(sent[:len(sent)-missing])
		for err := error(nil); err != ErrNeedData; _, err = c.Read(buf) {
			require.NoError(t, err)
		}
		p.coro.Stop()
		conns = append(conns, c)
	}
	after := live()
	for _, c := range conns {
		c.Stop()
	}
	return int(after-before) / n
}

// live is how much memory is in use.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
