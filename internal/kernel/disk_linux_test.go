package kernel

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestRawWhereNear: file calls are raw after a folder in memory was opened, and
// no longer when the caller expects waits, or once a folder was opened that may
// let any call wait. They do the same all the while.
func TestRawWhereNear(t *testing.T) {
	near, err := os.MkdirTemp("/dev/shm", "shoal-test-")
	if err != nil {
		t.Skip("no file system in memory here")
	}
	t.Cleanup(func() { os.RemoveAll(near) })
	k := open(t)
	require.False(t, k.disk.raw(), "raw before it is known where the files are")
	dir, err := k.OpenDir(near)
	require.NoError(t, err)
	defer k.CloseFile(dir)
	require.True(t, k.disk.raw())
	useFiles(t, k, dir, near)
	k.ExpectWaits(true)
	require.False(t, k.disk.raw())
	useFiles(t, k, dir, near)
	k.ExpectWaits(false)
	require.True(t, k.disk.raw())

	far, err := k.OpenDir("/proc/self")
	require.NoError(t, err)
	defer k.CloseFile(far)
	require.False(t, k.disk.raw(), "raw, and a folder is on a file system that nobody knows")
	useFiles(t, k, dir, near)
}

// useFiles makes every file call there is but Splice, and each fail once.
func useFiles(t *testing.T, k *Real, dir int, path string) {
	fd, err := k.Create(dir, "one")
	require.NoError(t, err)
	_, err = k.Create(dir, "one")
	require.Equal(t, unix.EEXIST, err)
	for _, piece := range []string{"some ", "words"} {
		n, err := k.Write(fd, []byte(piece))
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	}
	require.NoError(t, k.CloseFile(fd))
	_, err = k.Write(fd, []byte("more"))
	require.Equal(t, unix.EBADF, err)
	require.Equal(t, unix.EBADF, k.CloseFile(fd))
	require.NoError(t, k.Rename(dir, "one", "two"))
	require.Equal(t, unix.ENOENT, k.Replace(dir, "one", "two"))
	put(t, k, dir, "three", "")
	require.Equal(t, unix.EEXIST, k.Rename(dir, "two", "three"))
	require.NoError(t, k.Replace(dir, "two", "three"))
	require.Equal(t, "some words", content(t, path, "three"))
	require.NoError(t, k.Unlink(dir, "three"))
	require.Equal(t, unix.ENOENT, k.Unlink(dir, "three"))
}

// TestDelayed: what a thread spends in line for a processor is told once.
func TestDelayed(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	k := open(t)
	began := k.Now()
	require.Zero(t, k.Delayed(), "that of all the thread's life")
	require.LessOrEqual(t, k.Delayed(), k.Now()-began)
	k.disk.inLine = -time.Hour
	require.GreaterOrEqual(t, k.Delayed(), time.Hour)
	k.disk.inLine, k.disk.thread = -time.Hour, -1
	require.Zero(t, k.Delayed(), "another thread's")
}
