package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

// spliceAll moves everything that comes.
func spliceAll(t *testing.T, k Kernel, fd, file, max int) (total int) {
	for {
		n, err := k.Splice(fd, file, max)
		if err == syscall.EAGAIN {
			ready(t, k, fd, poller.Readable)
			continue
		}
		require.NoError(t, err)
		if n == 0 {
			return total
		}
		require.LessOrEqual(t, n, max)
		total += n
	}
}

func TestSplice(t *testing.T) {
	k := open(t)
	for _, c := range []struct{ size, max int }{
		{0, 10}, {1, 1}, {1, 100}, {4095, 1 << 20}, {4097, 100}, {70_057, 1 << 20},
		{300_001, 4096}, {5<<20 + 3, 1 << 20}, {5 << 20, 1 << 30},
	} {
		t.Run(fmt.Sprint(c.size, " by ", c.max), func(t *testing.T) {
			path, dir := folder(t, k)
			fd, peer := pair(t, k)
			defer k.CloseSocket(fd)
			file, err := k.Create(dir, "a")
			require.NoError(t, err)
			_, err = k.Write(file, []byte("head "))
			require.NoError(t, err)
			_, err = k.Splice(fd, file, c.max)
			require.Equal(t, syscall.EAGAIN, err)
			body := fill(c.size)
			go feed(peer, body)
			require.Equal(t, c.size, spliceAll(t, k, fd, file, c.max))
			_, err = k.Write(file, []byte(" tail"))
			require.NoError(t, err)
			require.NoError(t, k.CloseFile(file))
			require.True(t, "head "+string(body)+" tail" == content(t, path, "a"), "byte for byte")
		})
	}
}

// A file that appends cannot be spliced to (splice(2), EINVAL): what has left
// the socket by then is written all the same.
func TestSpliceToFileThatCannot(t *testing.T) {
	k := open(t)
	path := filepath.Join(t.TempDir(), "a")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	require.NoError(t, err)
	defer f.Close()
	fd, peer := pair(t, k)
	defer k.CloseSocket(fd)
	body := fill(1<<20 + 1)
	go feed(peer, body)
	require.Equal(t, len(body), spliceAll(t, k, fd, int(f.Fd()), 300_000))
	require.True(t, string(body) == content(t, path))
}

// After the file has refused bytes they are lost; but never do they come out
// in front of another file's.
func TestSpliceAfterFailure(t *testing.T) {
	for _, c := range []struct {
		name, path string
		flag       int
		want       error
	}{
		{"full, by write", "/dev/full", os.O_WRONLY, syscall.ENOSPC},
		{"not for writing, by splice", "/dev/null", os.O_RDONLY, syscall.EBADF},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := open(t)
			bad, err := os.OpenFile(c.path, c.flag, 0)
			require.NoError(t, err)
			defer bad.Close()
			for range 2 {
				fd, peer := pair(t, k)
				_, err = peer.Write(fill(10_000))
				require.NoError(t, err)
				ready(t, k, fd, poller.Readable)
				n, err := k.Splice(fd, int(bad.Fd()), 5000)
				var refused *SpliceFileError
				require.True(t, errors.As(err, &refused))
				require.Equal(t, c.want, refused.Err)
				require.ErrorIs(t, err, c.want)
				require.Zero(t, n)
				require.NoError(t, k.CloseSocket(fd))
			}

			path, dir := folder(t, k)
			fd, peer := pair(t, k)
			defer k.CloseSocket(fd)
			file, err := k.Create(dir, "a")
			require.NoError(t, err)
			go feed(peer, []byte("clean"))
			require.Equal(t, 5, spliceAll(t, k, fd, file, 100))
			require.NoError(t, k.CloseFile(file))
			require.Equal(t, "clean", content(t, path, "a"))
		})
	}
}

func TestSpliceFromReset(t *testing.T) {
	k := open(t)
	_, dir := folder(t, k)
	file, err := k.Create(dir, "a")
	require.NoError(t, err)
	defer k.CloseFile(file)
	fd, peer := pair(t, k)
	defer k.CloseSocket(fd)
	require.NoError(t, peer.SetLinger(0))
	require.NoError(t, peer.Close())
	ready(t, k, fd, poller.Readable)
	_, err = k.Splice(fd, file, 100)
	require.Equal(t, syscall.ECONNRESET, err)
}

// A folder cannot be spliced from: the socket's half says EINVAL.
func TestSpliceNotPossible(t *testing.T) {
	k := open(t)
	_, dir := folder(t, k)
	file, err := k.Create(dir, "a")
	require.NoError(t, err)
	defer k.CloseFile(file)
	_, err = k.Splice(dir, file, 100)
	require.Equal(t, syscall.ENOTSUP, err)
	require.Panics(t, func() { k.Splice(dir, file, 0) })
}

// TestFaultySplice: what a Faulty takes from a splice or lets it wait for costs
// no byte, and only those that moved some had to do with the disk.
func TestFaultySplice(t *testing.T) {
	k := Inject(open(t), Faults{Seed: 1, RecvMax: 500, RecvAgain: 50, FileSlow: 1})
	path, dir := folder(t, k)
	fd, peer := pair(t, k)
	defer k.CloseSocket(fd)
	file, err := k.Create(dir, "a")
	require.NoError(t, err)
	before := k.Injected()
	body := fill(10_000)
	go feed(peer, body)
	require.Equal(t, len(body), spliceAll(t, k, fd, file, 500))
	require.NoError(t, k.CloseFile(file))
	require.True(t, string(body) == content(t, path, "a"), "byte for byte")
	after := k.Injected()
	require.NotZero(t, after.RecvAgain)
	require.GreaterOrEqual(t, after.Slow-before.Slow, uint64(20))
	require.Less(t, after.Slow-before.Slow, uint64(100))
}

// feed sends bytes from the other end and closes it.
func feed(peer *net.TCPConn, p []byte) {
	io.Copy(peer, bytes.NewReader(p))
	peer.Close()
}
