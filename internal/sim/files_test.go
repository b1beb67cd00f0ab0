package sim

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/stretchr/testify/require"
)

func TestFiles(t *testing.T) {
	k := New(1, Chaos{})
	k.Put("out/", "old.jpg", []byte("old"))
	dir, err := k.OpenDir("./out")
	require.NoError(t, err)
	_, err = k.OpenDir("out/old.jpg")
	require.Equal(t, syscall.ENOTDIR, err)

	_, err = k.Create(dir, "old.jpg")
	require.Equal(t, syscall.EEXIST, err)
	_, err = k.Create(dir, strings.Repeat("n", 256))
	require.Equal(t, syscall.ENAMETOOLONG, err)
	fd, err := k.Create(dir, ".temp")
	require.NoError(t, err)
	n, err := k.Write(fd, []byte("new "))
	require.NoError(t, err)
	require.Equal(t, 4, n)
	k.Write(fd, []byte("content"))
	require.NoError(t, k.CloseFile(fd))
	require.Equal(t, []string{".temp", "old.jpg"}, k.Names("out"))

	require.Equal(t, syscall.EEXIST, k.Rename(dir, ".temp", "old.jpg"))
	require.Equal(t, syscall.ENOENT, k.Rename(dir, "missing", "b"))
	require.NoError(t, k.Rename(dir, ".temp", "new.jpg"))
	names, err := k.ReadDir(dir)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"new.jpg", "old.jpg"}, names)
	require.Equal(t, map[string][]byte{"new.jpg": []byte("new content"), "old.jpg": []byte("old")}, k.Files("out"))

	require.NoError(t, k.Replace(dir, "new.jpg", "old.jpg"))
	require.Equal(t, map[string][]byte{"old.jpg": []byte("new content")}, k.Files("out"))
	require.NoError(t, k.Unlink(dir, "old.jpg"))
	require.Equal(t, syscall.ENOENT, k.Unlink(dir, "old.jpg"))
	require.Empty(t, k.Names("out"))
	require.Nil(t, k.Files("elsewhere"))
	require.Nil(t, k.Names("elsewhere"))
}

func TestFileChaos(t *testing.T) {
	stage := func() (k *Kernel, dir, fd int) {
		k = New(1, Chaos{})
		dir, _ = k.OpenDir("out")
		fd, _ = k.Create(dir, "temp")
		return k, dir, fd
	}

	k, dir, fd := stage()
	k.SetChaos(Chaos{NoSpace: 1})
	_, err := k.Write(fd, []byte("abc"))
	require.Equal(t, syscall.ENOSPC, err)
	_, err = k.Create(dir, "b")
	require.Equal(t, syscall.ENOSPC, err)
	k.SetChaos(Chaos{})
	_, err = k.Write(fd, []byte("abc"))
	require.NoError(t, err, "the disk has room, and the write may be tried again")
	require.NoError(t, k.Rename(dir, "temp", "a"))

	k, _, fd = stage()
	k.SetChaos(Chaos{WriteFails: 1})
	_, err = k.Write(fd, []byte("abc"))
	require.Equal(t, syscall.EIO, err)
	require.Empty(t, k.Files("out")["temp"])

	k, _, fd = stage()
	k.SetChaos(Chaos{ShortDisk: 1})
	short := 0
	for range 20 {
		n, err := k.Write(fd, []byte("abcdefgh"))
		require.NoError(t, err)
		require.Positive(t, n)
		if n < 8 {
			short++
		}
	}
	require.Positive(t, short)

	k, dir, _ = stage()
	k.SetChaos(Chaos{NameTaken: 1})
	require.Equal(t, syscall.EEXIST, k.Rename(dir, "temp", "a"))
	_, err = k.Create(dir, "b")
	require.Equal(t, syscall.EEXIST, err)
	require.Equal(t, map[string][]byte{"temp": nil, "a": []byte(Foreign), "b": []byte(Foreign)}, k.Files("out"))
	require.NoError(t, k.Replace(dir, "temp", "a"))

	k, dir, fd = stage()
	k.SetChaos(Chaos{RenameFails: 1, UnlinkFails: 1, CloseFails: 1})
	require.Equal(t, syscall.EIO, k.Rename(dir, "temp", "a"))
	require.Equal(t, syscall.EIO, k.Replace(dir, "temp", "a"))
	require.Equal(t, syscall.EIO, k.Unlink(dir, "temp"))
	require.Equal(t, []string{"temp"}, k.Names("out"))
	require.Equal(t, syscall.EIO, k.CloseFile(fd))
	require.Equal(t, []string{"5 folder out"}, k.Open())

	k, dir, _ = stage()
	k.SetChaos(Chaos{ShuffleFolder: 1})
	k.Put("out", "b", nil)
	k.Put("out", "c", nil)
	orders := map[string]bool{}
	for range 100 {
		names, _ := k.ReadDir(dir)
		orders[strings.Join(names, " ")] = true
	}
	require.Len(t, orders, 6)
}

func TestSplice(t *testing.T) {
	k := New(1, Chaos{})
	k.Listen(anAddress, newParrot)
	socket := dial(t, k, anAddress)
	dir, _ := k.OpenDir("out")
	file, _ := k.Create(dir, "temp")
	_, err := k.Splice(socket, file, 10)
	require.Equal(t, syscall.EAGAIN, err)

	k.Send(socket, []byte("abcdef"))
	k.advance(k.now + time.Second)
	k.NoSplice = true
	_, err = k.Splice(socket, file, 10)
	require.Equal(t, syscall.ENOTSUP, err)
	k.NoSplice = false
	n, err := k.Splice(socket, file, 4)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	n, err = k.Splice(socket, file, 4)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, "abcdef", string(k.Files("out")["temp"]))
	require.EqualValues(t, 6, k.Counts().Received)
	require.EqualValues(t, 6, k.Counts().Written)

	k.Send(socket, []byte("xyz"))
	k.advance(k.now + time.Second)
	k.chaos.WriteFails = 1
	n, err = k.Splice(socket, file, 2)
	var lost *kernel.SpliceFileError
	require.ErrorAs(t, err, &lost)
	require.ErrorIs(t, err, syscall.EIO)
	require.Zero(t, n)
	k.chaos.WriteFails = 0
	p := make([]byte, 9)
	n, _ = k.Recv(socket, p)
	require.Equal(t, "z", string(p[:n]), "two bytes are lost")
	k.Fatal = func(string) {}
	k.Rename(dir, "temp", "a")
	require.Contains(t, k.Violations()[0], "though a splice lost bytes")

	k.Send(socket, []byte("bye"))
	k.advance(k.now + time.Second)
	other, _ := k.Create(dir, "other")
	n, err = k.Splice(socket, other, 100)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	n, err = k.Splice(socket, other, 100)
	require.NoError(t, err)
	require.Zero(t, n)
}
