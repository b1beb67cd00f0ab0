//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

// One call of every kind, what it leaves behind when it is made to fail, and
// how to see that.
var everyCall = []struct {
	call Call
	make func(k Kernel, fd, dir, file int) error
	done func(t *testing.T, k Kernel, fd int, path string) // nil: nothing to see
}{
	{CallSocket, func(k Kernel, _, _, _ int) error { _, err := k.Socket(syscall.AF_INET); return err }, nil},
	{CallBind, func(k Kernel, fd, _, _ int) error { return k.Bind(fd, netip.MustParseAddr("127.0.0.1")) }, nil},
	{CallConnect, func(k Kernel, fd, _, _ int) error {
		return k.Connect(fd, netip.MustParseAddrPort("127.0.0.1:1"))
	}, nil},
	{CallSocketError, func(k Kernel, fd, _, _ int) error { return k.SocketError(fd) }, nil},
	{CallConnected, func(k Kernel, fd, _, _ int) error {
		if k.Connected(fd) {
			return nil
		}
		return syscall.EIO
	}, nil},
	{CallSend, func(k Kernel, fd, _, _ int) error { _, err := k.Send(fd, []byte("x")); return err }, nil},
	{CallRecv, func(k Kernel, fd, _, _ int) error { _, err := k.Recv(fd, make([]byte, 9)); return err },
		receivesAll},
	{CallCloseSocket, func(k Kernel, fd, _, _ int) error { return k.CloseSocket(fd) },
		func(t *testing.T, k Kernel, fd int, _ string) {
			require.Equal(t, syscall.EBADF, k.SocketError(fd), "closed all the same")
		}},
	{CallAdd, func(k Kernel, fd, _, _ int) error { return k.Add(fd, 1, poller.Readable) },
		func(t *testing.T, k Kernel, fd int, _ string) { require.Equal(t, syscall.ENOENT, k.Remove(fd)) }},
	{CallModify, func(k Kernel, fd, _, _ int) error { return k.Modify(fd, 1, poller.Readable) }, nil},
	{CallRemove, func(k Kernel, fd, _, _ int) error {
		if err := k.Add(fd, 1, poller.Readable); err != nil {
			return err
		}
		return k.Remove(fd)
	}, func(t *testing.T, k Kernel, fd int, _ string) { require.Equal(t, syscall.ENOENT, k.Remove(fd)) }},
	{CallWait, func(k Kernel, _, _, _ int) error {
		_, err := k.Wait(make([]poller.Event, 1), time.Minute)
		return err
	}, nil},
	{CallOpenDir, func(k Kernel, _, _, _ int) error { _, err := k.OpenDir("/"); return err }, nil},
	{CallReadDir, func(k Kernel, _, dir, _ int) error { _, err := k.ReadDir(dir); return err }, nil},
	{CallCreate, func(k Kernel, _, dir, _ int) error { _, err := k.Create(dir, "new"); return err },
		func(t *testing.T, _ Kernel, _ int, path string) { require.NoFileExists(t, filepath.Join(path, "new")) }},
	{CallReopen, func(k Kernel, _, dir, _ int) error { _, err := k.Reopen(dir, "file", 0); return err }, unchanged},
	{CallWrite, func(k Kernel, _, _, file int) error { _, err := k.Write(file, []byte("x")); return err },
		unchanged},
	{CallSplice, func(k Kernel, fd, _, file int) error { _, err := k.Splice(fd, file, 9); return err },
		receivesAll},
	{CallRename, func(k Kernel, _, dir, _ int) error { return k.Rename(dir, "file", "new") }, unchanged},
	{CallReplace, func(k Kernel, _, dir, _ int) error { return k.Replace(dir, "file", "new") }, unchanged},
	{CallUnlink, func(k Kernel, _, dir, _ int) error { return k.Unlink(dir, "file") }, unchanged},
	{CallCloseFile, func(k Kernel, _, _, file int) error { return k.CloseFile(file) }, unchanged},
}

func receivesAll(t *testing.T, k Kernel, fd int, _ string) {
	p := make([]byte, 9)
	n, err := k.Recv(fd, p)
	require.NoError(t, err)
	require.Equal(t, "hello", string(p[:n]), "nothing was taken")
}

func unchanged(t *testing.T, _ Kernel, _ int, path string) {
	require.Equal(t, "content", content(t, path, "file"))
}

func TestEveryCallCanFail(t *testing.T) {
	require.Len(t, everyCall, int(AnyCall))
	for _, c := range everyCall {
		t.Run(c.call.String(), func(t *testing.T) {
			inner := open(t)
			path, dir := folder(t, inner)
			fd, peer := pair(t, inner)
			defer inner.CloseSocket(fd)
			put(t, inner, dir, "file", "content")
			_, err := peer.Write([]byte("hello"))
			require.NoError(t, err)
			ready(t, inner, fd, poller.Readable)
			file, err := inner.Create(dir, "other")
			require.NoError(t, err)

			k := Inject(inner, Faults{Call: c.call, Nth: 1, Errno: syscall.EIO})
			require.False(t, k.Fired())
			require.Equal(t, syscall.EIO, c.make(k, fd, dir, file))
			require.True(t, k.Fired())
			if c.done != nil {
				c.done(t, k, fd, path)
			}
			if c.call == CallCloseFile {
				_, err = inner.Write(file, []byte("x"))
				require.Equal(t, syscall.EBADF, err, "closed all the same")
			} else {
				require.NoError(t, inner.CloseFile(file))
			}
		})
	}
}

func TestNthOfAnyCall(t *testing.T) {
	k := Inject(open(t), Faults{Call: AnyCall, Nth: 3, Errno: syscall.EMFILE})
	path := t.TempDir()
	for _, name := range []string{"a", "b"} {
		require.NoError(t, os.WriteFile(filepath.Join(path, name), nil, 0o666))
	}
	dir, err := k.OpenDir(path)
	require.NoError(t, err)
	defer k.CloseFile(dir)
	require.NoError(t, k.Unlink(dir, "a"))
	require.Equal(t, syscall.EMFILE, k.Unlink(dir, "b"))
	require.NoError(t, k.Unlink(dir, "b"), "once is enough")
}

// Whatever is cut short, delayed or refused, every byte arrives in the end.
func TestBytesSurviveFaults(t *testing.T) {
	var outcomes [2][2]Counts
	var injected [2]Injected
	for run := range outcomes {
		inner := Count(open(t))
		faulty := Inject(inner, Faults{
			Seed: 42, SendMax: 7, SendAgain: 50, RecvMax: 3, RecvAgain: 90, WriteMax: 2,
		})
		k := Count(faulty)
		path, dir := folder(t, k)
		fd, peer := pair(t, k)
		body := fill(2000)
		go io.Copy(peer, io.LimitReader(peer, int64(len(body)))) // an echo

		for rest := body; len(rest) > 0; {
			n, err := k.Send(fd, rest)
			if err == syscall.EAGAIN {
				ready(t, inner, fd, poller.Writable)
				continue
			}
			require.NoError(t, err)
			require.LessOrEqual(t, n, 7)
			rest = rest[n:]
		}
		file, err := k.Create(dir, "a")
		require.NoError(t, err)
		for left, p := len(body), make([]byte, 100); left > 0; {
			ready(t, inner, fd, poller.Readable) // an EAGAIN took nothing, so there is more
			n, err := k.Recv(fd, p)
			if err == syscall.EAGAIN {
				continue
			}
			require.NoError(t, err)
			require.LessOrEqual(t, n, 3)
			left -= n
			for got := p[:n]; len(got) > 0; {
				n, err := k.Write(file, got)
				require.NoError(t, err)
				require.LessOrEqual(t, n, 2)
				got = got[n:]
			}
		}
		require.NoError(t, k.CloseFile(file))
		require.NoError(t, k.CloseSocket(fd))
		require.True(t, string(body) == content(t, path, "a"))
		outcomes[run] = [2]Counts{k.Snapshot(), inner.Snapshot()}
		injected[run] = faulty.Injected()
	}
	for i, run := range outcomes {
		outside, inside := run[0], run[1]
		require.Equal(t, injected[i].SendAgain, outside.Calls[CallSend]-inside.Calls[CallSend])
		require.Equal(t, injected[i].RecvAgain, outside.Calls[CallRecv]-inside.Calls[CallRecv])
		require.Equal(t, inside.Calls[CallRecv], injected[i].RecvCut, "each asked for 100 bytes")
		require.NotZero(t, injected[i].SendCut)
		require.NotZero(t, injected[i].WriteCut)
		require.Greater(t, outside.Again[CallSend], inside.Again[CallSend]+50)
		require.Greater(t, outside.Again[CallRecv], inside.Again[CallRecv]+1000)
	}
	require.Equal(t, outcomes[0][0].Again[CallSend], outcomes[1][0].Again[CallSend], "the seed decides")
}

func TestResetAt(t *testing.T) {
	inner := open(t)
	k := Inject(inner, Faults{ResetAt: 5})
	l, to := listen(t, "tcp4", "127.0.0.1:0")
	number := -1
	for round := range 2 { // the second has the first one's number, and a count of its own
		fd := dial(t, k, syscall.AF_INET, to)
		if round == 0 {
			number = fd
		}
		require.Equal(t, number, fd)
		peer, err := l.Accept()
		require.NoError(t, err)
		defer peer.Close()
		_, err = peer.Write([]byte("hello, world"))
		require.NoError(t, err)
		ready(t, k, fd, poller.Readable)
		p := make([]byte, 100)
		n, err := k.Recv(fd, p[:3])
		require.NoError(t, err)
		require.Equal(t, 3, n)
		n, err = k.Recv(fd, p)
		require.NoError(t, err)
		require.Equal(t, "lo", string(p[:n]))
		for range 2 {
			_, err = k.Recv(fd, p)
			require.Equal(t, syscall.ECONNRESET, err)
		}
		require.EqualValues(t, 2*(round+1), k.Injected().Reset)
		require.NoError(t, k.CloseSocket(fd))
	}
}

func TestConnectFail(t *testing.T) {
	inner := open(t)
	k := Inject(inner, Faults{Seed: 1, ConnectFail: 50})
	_, to := listen(t, "tcp4", "127.0.0.1:0")
	refused := 0
	for range 100 {
		fd, err := k.Socket(syscall.AF_INET)
		require.NoError(t, err)
		if k.Connect(fd, to) == syscall.ECONNREFUSED {
			refused++
		}
		require.NoError(t, k.CloseSocket(fd))
	}
	require.Greater(t, refused, 20)
	require.Less(t, refused, 80)
	require.EqualValues(t, refused, k.Injected().Refused)
}

func TestFaultsOutOfRange(t *testing.T) {
	for _, faults := range []Faults{
		{RecvAgain: 100}, {SendAgain: -1}, {ConnectFail: 101}, {RecvMax: -1}, {SendMax: -1}, {WriteMax: -1},
		{ResetAt: -1}, {FileSlow: -1}, {FileSlowIn: -1}, {FileSlowIn: 101},
		{Nth: 1, Errno: 0}, {Nth: 1, Errno: syscall.EIO, Call: AnyCall + 1},
	} {
		require.Panics(t, func() { Inject(nil, faults) }, "%+v", faults)
	}
}
