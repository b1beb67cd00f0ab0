//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"reflect"
	"syscall"
	"testing"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

func TestCounted(t *testing.T) {
	k := Count(open(t))
	path, dir := folder(t, k)
	fd, peer := pair(t, k)
	_, err := k.Recv(fd, make([]byte, 1))
	require.Equal(t, syscall.EAGAIN, err)
	before := k.Snapshot()

	_, err = k.Send(fd, make([]byte, 100))
	require.NoError(t, err)
	_, err = peer.Write(make([]byte, 7))
	require.NoError(t, err)
	ready(t, k, fd, poller.Readable)
	p := make([]byte, 4)
	for _, want := range []int{4, 3} {
		n, err := k.Recv(fd, p)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	require.NoError(t, peer.Close())
	ready(t, k, fd, poller.Readable)
	k.Recv(fd, p) // the end, or the reset that unread bytes bring
	require.NoError(t, k.CloseSocket(fd))
	require.False(t, k.Connected(fd))
	put(t, k, dir, "a", "hello")
	require.Equal(t, syscall.EEXIST, func() error { _, err := k.Create(dir, "a"); return err }())
	file, err := k.Reopen(dir, "a", 5)
	require.NoError(t, err)
	require.NoError(t, k.CloseFile(file))
	require.NoError(t, k.Rename(dir, "a", "b"))
	require.NoError(t, k.Replace(dir, "b", "a"))
	names, err := k.ReadDir(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names)
	require.NoError(t, k.Unlink(dir, "a"))
	again, err := k.OpenDir(path)
	require.NoError(t, err)
	require.NoError(t, k.CloseFile(again))

	got := k.Snapshot()
	for call, want := range map[Call]uint64{
		CallSocket: 1, CallConnect: 1, CallSocketError: 1, CallConnected: 2, CallSend: 1, CallRecv: 4,
		CallCloseSocket: 1, CallOpenDir: 2, CallReadDir: 1, CallCreate: 2, CallWrite: 1, CallSplice: 0,
		CallRename: 1, CallReplace: 1, CallUnlink: 1, CallCloseFile: 3, CallReopen: 1, CallModify: 0,
		CallAdd: got.Calls[CallRemove],
	} {
		require.Equal(t, want, got.Calls[call], "%v", call)
	}
	require.Equal(t, uint64(1), got.Again[CallRecv])
	require.Equal(t, uint64(1), got.Failed[CallCreate])
	require.Equal(t, uint64(1), got.Failed[CallConnected])
	require.Zero(t, got.Failed[CallSend])
	require.Equal(t, uint64(100), got.Sent)
	require.Equal(t, uint64(7), got.Received)
	require.Equal(t, uint64(5), got.Written)
	require.Equal(t, uint64(1), got.RecvSizes[3], "4 to 7 bytes")
	require.Equal(t, uint64(1), got.RecvSizes[2], "2 and 3 bytes")
	require.GreaterOrEqual(t, got.Events, uint64(2))
	require.Equal(t, got.Calls[CallWait], got.Batches[0]+got.Batches[1])

	require.Zero(t, before.Sent, "a snapshot stays as it was")
}

// TestCountsAdd wants every number there is to be added, those too that a later
// field brings.
func TestCountsAdd(t *testing.T) {
	var one, sum Counts
	numbers := func(c *Counts) (all []*uint64) {
		var in func(reflect.Value)
		in = func(v reflect.Value) {
			switch v.Kind() {
			case reflect.Struct:
				for i := range v.NumField() {
					in(v.Field(i))
				}
			case reflect.Array:
				for i := range v.Len() {
					in(v.Index(i))
				}
			default:
				all = append(all, v.Addr().Interface().(*uint64))
			}
		}
		in(reflect.ValueOf(c).Elem())
		return all
	}
	for i, n := range numbers(&one) {
		*n = uint64(i + 1)
	}
	sum.Add(&one)
	sum.Add(&one)
	for i, n := range numbers(&sum) {
		require.Equal(t, uint64(2*(i+1)), *n, "number %d", i)
	}
	require.Greater(t, len(numbers(&sum)), 100)
}

func TestHistogram(t *testing.T) {
	var h Histogram
	for _, n := range []int{0, 1, 2, 3, 4, 1<<20 - 1, 1 << 20} {
		h.count(n)
	}
	require.Equal(t, Histogram{0: 1, 1: 1, 2: 2, 3: 1, 20: 1, 21: 1}, h)
}

func TestCallNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range AnyCall + 1 {
		require.NotEmpty(t, c.String())
		require.False(t, seen[c.String()], c.String())
		seen[c.String()] = true
	}
}
