//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func open(t testing.TB) *Real {
	k, err := New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

// listen listens on loopback until the test ends.
func listen(t testing.TB, network, address string) (*net.TCPListener, netip.AddrPort) {
	l, err := net.Listen(network, address)
	if err != nil && network == "tcp6" {
		t.Skip("no IPv6 here")
	}
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener), l.Addr().(*net.TCPAddr).AddrPort()
}

// ready waits until fd is ready in a direction.
func ready(t testing.TB, k Kernel, fd int, interest poller.Interest) {
	require.NoError(t, k.Add(fd, 1, interest))
	defer k.Remove(fd)
	events := make([]poller.Event, 1)
	for deadline := k.Now() + 5*time.Second; k.Now() < deadline; {
		n, err := k.Wait(events, time.Second)
		require.NoError(t, err)
		if n > 0 {
			return
		}
	}
	t.Fatal("not ready within five seconds")
}

// dial connects as the engine does.
func dial(t testing.TB, k Kernel, family int, to netip.AddrPort) (fd int) {
	fd, err := k.Socket(family)
	require.NoError(t, err)
	if err := k.Connect(fd, to); err != nil {
		require.Equal(t, syscall.EINPROGRESS, err)
		ready(t, k, fd, poller.Writable)
	}
	require.NoError(t, k.SocketError(fd))
	require.True(t, k.Connected(fd))
	return fd
}

// pair gives a connected socket and its peer.
func pair(t testing.TB, k Kernel) (fd int, peer *net.TCPConn) {
	l, to := listen(t, "tcp4", "127.0.0.1:0")
	fd = dial(t, k, syscall.AF_INET, to)
	peer, err := l.AcceptTCP()
	require.NoError(t, err)
	t.Cleanup(func() { peer.Close() })
	return fd, peer
}

// folder gives a new folder and its descriptor.
func folder(t testing.TB, k Kernel) (path string, dir int) {
	path = t.TempDir()
	dir, err := k.OpenDir(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.CloseFile(dir)) })
	return path, dir
}

// put makes a whole file.
func put(t testing.TB, k Kernel, dir int, name, content string) {
	fd, err := k.Create(dir, name)
	require.NoError(t, err)
	n, err := k.Write(fd, []byte(content))
	require.NoError(t, err)
	require.Equal(t, len(content), n)
	require.NoError(t, k.CloseFile(fd))
}

func content(t testing.TB, elem ...string) string {
	b, err := os.ReadFile(filepath.Join(elem...))
	require.NoError(t, err)
	return string(b)
}

func TestClock(t *testing.T) {
	k := open(t)
	before := k.Now()
	time.Sleep(2 * time.Millisecond)
	require.GreaterOrEqual(t, k.Now()-before, 2*time.Millisecond)
	require.NotEqual(t, k.Random(), k.Random())
}

func TestDescriptorLimit(t *testing.T) {
	k := open(t)
	n, err := k.DescriptorLimit()
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, 64)
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, n-1)
	require.NoError(t, err, "the highest descriptor may be had")
	unix.Close(fd)
	_, err = unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, n)
	require.Error(t, err, "and none above")
}

func TestConnect(t *testing.T) {
	for _, c := range []struct {
		name, network, listen string
		family                int
		address               func(netip.AddrPort) netip.AddrPort
	}{
		{"IPv4", "tcp4", "127.0.0.1:0", syscall.AF_INET, nil},
		{"IPv6", "tcp6", "[::1]:0", syscall.AF_INET6, nil},
		{"IPv4 in IPv6", "tcp4", "127.0.0.1:0", syscall.AF_INET, func(to netip.AddrPort) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := open(t)
			l, to := listen(t, c.network, c.listen)
			if c.address != nil {
				to = c.address(to)
			}
			fd := dial(t, k, c.family, to)
			peer, err := l.Accept()
			require.NoError(t, err)
			defer peer.Close()

			n, err := k.Send(fd, []byte("hello"))
			require.NoError(t, err)
			require.Equal(t, 5, n)
			p := make([]byte, 5)
			_, err = io.ReadFull(peer, p)
			require.NoError(t, err)
			require.Equal(t, "hello", string(p))
			require.NoError(t, k.CloseSocket(fd))
		})
	}
}

func TestSocketIsPrivate(t *testing.T) {
	k := open(t)
	fd, err := k.Socket(syscall.AF_INET)
	require.NoError(t, err)
	defer k.CloseSocket(fd)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.NotZero(t, flags&unix.FD_CLOEXEC)
	flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	require.NoError(t, err)
	require.NotZero(t, flags&unix.O_NONBLOCK)
	require.False(t, k.Connected(fd))
	require.NoError(t, k.SocketError(fd))

	_, err = k.Socket(-1)
	require.IsType(t, syscall.Errno(0), err)
}

// The outcome of a refused connect is told by Connect itself or, later, by
// SocketError; never by Connected alone.
func TestRefused(t *testing.T) {
	k := open(t)
	l, to := listen(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, l.Close())
	fd, err := k.Socket(syscall.AF_INET)
	require.NoError(t, err)
	defer k.CloseSocket(fd)
	err = k.Connect(fd, to)
	if err == syscall.EINPROGRESS {
		ready(t, k, fd, poller.Writable)
		err = k.SocketError(fd)
	}
	require.Equal(t, syscall.ECONNREFUSED, err)
	require.False(t, k.Connected(fd))
	require.NoError(t, k.SocketError(fd), "SO_ERROR is taken off by the first look")
}

func TestZones(t *testing.T) {
	interfaces, err := net.Interfaces()
	require.NoError(t, err)
	for _, i := range interfaces {
		n, err := zoneIndex(i.Name)
		require.NoError(t, err)
		require.Equal(t, uint32(i.Index), n)
	}
	n, err := zoneIndex("17")
	require.NoError(t, err)
	require.Equal(t, uint32(17), n)
	n, err = zoneIndex("")
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = zoneIndex("no such interface")
	require.Equal(t, unix.ENXIO, err)
}

func TestSendAndRecv(t *testing.T) {
	k := open(t)
	fd, peer := pair(t, k)
	defer k.CloseSocket(fd)
	p := make([]byte, 100)

	_, err := k.Recv(fd, p)
	require.Equal(t, syscall.EAGAIN, err)
	require.Panics(t, func() { k.Recv(fd, nil) })

	_, err = peer.Write([]byte("hello"))
	require.NoError(t, err)
	ready(t, k, fd, poller.Readable)
	n, err := k.Recv(fd, p[:3])
	require.NoError(t, err)
	require.Equal(t, "hel", string(p[:n]))

	sent := 0
	for block := make([]byte, 1<<20); ; {
		n, err := k.Send(fd, block)
		if err == syscall.EAGAIN {
			break
		}
		require.NoError(t, err)
		sent += n
	}
	require.Positive(t, sent)

	require.NoError(t, peer.CloseWrite())
	ready(t, k, fd, poller.Readable)
	n, err = k.Recv(fd, p)
	require.NoError(t, err)
	require.Equal(t, "lo", string(p[:n]))
	n, err = k.Recv(fd, p)
	require.NoError(t, err)
	require.Zero(t, n)
}

// Sending to a peer that is gone is an error, not a signal that ends the
// program.
func TestSendToNobody(t *testing.T) {
	raised := make(chan os.Signal, 1)
	signal.Notify(raised, syscall.SIGPIPE)
	defer signal.Stop(raised)
	k := open(t)
	fd, peer := pair(t, k)
	defer k.CloseSocket(fd)
	require.NoError(t, peer.SetLinger(0))
	require.NoError(t, peer.Close())
	ready(t, k, fd, poller.Readable)
	_, err := k.Recv(fd, make([]byte, 1))
	require.Equal(t, syscall.ECONNRESET, err)
	_, err = k.Send(fd, []byte("x"))
	require.Equal(t, syscall.EPIPE, err)
	select {
	case s := <-raised:
		t.Fatal(s)
	case <-time.After(10 * time.Millisecond):
	}
}

func TestBadDescriptors(t *testing.T) {
	k := open(t)
	p := make([]byte, 1)
	to := netip.MustParseAddrPort("127.0.0.1:1")
	for name, call := range map[string]func() error{
		"connect":    func() error { return k.Connect(-1, to) },
		"bind":       func() error { return k.Bind(-1, to.Addr()) },
		"unix":       func() error { return k.ConnectUnix(-1, "/x") },
		"connect6":   func() error { return k.Connect(-1, netip.MustParseAddrPort("[::1]:1")) },
		"getsockopt": func() error { return k.SocketError(-1) },
		"send":       func() error { _, err := k.Send(-1, p); return err },
		"recv":       func() error { _, err := k.Recv(-1, p); return err },
		"close":      func() error { return k.CloseSocket(-1) },
		"create":     func() error { _, err := k.Create(-1, "x"); return err },
		"write":      func() error { _, err := k.Write(-1, p); return err },
		"rename":     func() error { return k.Rename(-1, "x", "y") },
		"replace":    func() error { return k.Replace(-1, "x", "y") },
		"unlink":     func() error { return k.Unlink(-1, "x") },
		"closefile":  func() error { return k.CloseFile(-1) },
		"readdir":    func() error { _, err := k.ReadDir(-1); return err },
	} {
		require.Equal(t, syscall.EBADF, call(), name)
	}
	require.False(t, k.Connected(-1))
}

func TestOpenDir(t *testing.T) {
	k := open(t)
	top := t.TempDir()
	deep := filepath.Join(top, "a", "b", "c")
	for range 2 { // made, and found
		dir, err := k.OpenDir(deep)
		require.NoError(t, err)
		require.DirExists(t, deep)
		require.NoError(t, k.CloseFile(dir))
	}
	link := filepath.Join(top, "link")
	require.NoError(t, os.Symlink(deep, link))
	dir, err := k.OpenDir(link)
	require.NoError(t, err)
	require.NoError(t, k.CloseFile(dir))

	file := filepath.Join(top, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	_, err = k.OpenDir(file)
	require.Equal(t, syscall.ENOTDIR, err)
	_, err = k.OpenDir(filepath.Join(file, "below"))
	require.Equal(t, syscall.ENOTDIR, err)
	_, err = k.OpenDir("")
	require.Equal(t, syscall.ENOENT, err)
}

func TestReadDir(t *testing.T) {
	k := open(t)
	_, dir := folder(t, k)
	names, err := k.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names)
	var want []string
	for i := range 1000 {
		name := strings.Repeat("x", i%200+1) + string(rune('a'+i/200))
		want = append(want, name)
		put(t, k, dir, name, "")
	}
	slices.Sort(want)
	for range 2 { // it begins at the beginning each time
		names, err = k.ReadDir(dir)
		require.NoError(t, err)
		slices.Sort(names)
		require.Equal(t, want, names)
	}
}

// No program that this one starts gets to hold its files.
func TestFilesArePrivate(t *testing.T) {
	k := open(t)
	_, dir := folder(t, k)
	file, err := k.Create(dir, "a")
	require.NoError(t, err)
	defer k.CloseFile(file)
	for _, fd := range []int{dir, file} {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		require.NoError(t, err)
		require.NotZero(t, flags&unix.FD_CLOEXEC)
	}
}

func TestCreate(t *testing.T) {
	k := open(t)
	path, dir := folder(t, k)
	put(t, k, dir, "a", "hello")
	require.Equal(t, "hello", content(t, path, "a"))
	_, err := k.Create(dir, "a")
	require.Equal(t, syscall.EEXIST, err)

	require.NoError(t, os.Symlink(filepath.Join(path, "elsewhere"), filepath.Join(path, "link")))
	_, err = k.Create(dir, "link")
	require.Equal(t, syscall.EEXIST, err)
	require.NoFileExists(t, filepath.Join(path, "elsewhere"))

	longest := strings.Repeat("n", 255)
	put(t, k, dir, longest, "x")
	require.Equal(t, "x", content(t, path, longest))
	_, err = k.Create(dir, longest+"n")
	require.Equal(t, syscall.ENAMETOOLONG, err)
	put(t, k, dir, "b", "") // nothing of the longer name is left over
	require.FileExists(t, filepath.Join(path, "b"))
}

// A file is gone on with behind what is known to be good, however much it has.
func TestReopen(t *testing.T) {
	k := open(t)
	path, dir := folder(t, k)
	put(t, k, dir, "a", "hello")
	for _, c := range []struct {
		size int64
		more string
		want string
	}{{5, " world", "hello world"}, {2, "n", "hen"}, {0, "", ""}} {
		fd, err := k.Reopen(dir, "a", c.size)
		require.NoError(t, err)
		n, err := k.Write(fd, []byte(c.more))
		require.NoError(t, err)
		require.Equal(t, len(c.more), n)
		require.NoError(t, k.CloseFile(fd))
		require.Equal(t, c.want, content(t, path, "a"))
	}
	require.NoError(t, os.Symlink("a", filepath.Join(path, "link")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(path, "fifo"), 0o600))
	for name, size := range map[string]int64{"a": 1, "none": 0, "link": 0, "fifo": 0} {
		_, err := k.Reopen(dir, name, size)
		require.Error(t, err, name)
	}
	_, err := k.Reopen(dir, "a", 1)
	require.Equal(t, io.ErrUnexpectedEOF, err)
}

// A folder is locked once, until that descriptor is closed.
func TestLock(t *testing.T) {
	k := open(t)
	path, dir := folder(t, k)
	other, err := k.OpenDir(path)
	require.NoError(t, err)
	require.NoError(t, k.Lock(dir))
	require.NoError(t, k.Lock(dir))
	require.Equal(t, syscall.EWOULDBLOCK, k.Lock(other))
	require.NoError(t, k.CloseFile(other))
	require.Equal(t, syscall.EBADF, k.Lock(other))
}

func TestRename(t *testing.T) {
	for name, rename := range map[string]func(k Kernel, dir int, from, to string) error{
		"as New gives it": Kernel.Rename,
		"by link":         func(_ Kernel, dir int, from, to string) error { return renameByLink(dir, from, to) },
		"by look":         func(_ Kernel, dir int, from, to string) error { return renameByLook(dir, from, to) },
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t)
			path, dir := folder(t, k)
			put(t, k, dir, "temp", "new")
			put(t, k, dir, "taken", "old")
			require.NoError(t, os.Symlink("nowhere", filepath.Join(path, "link")))

			require.Equal(t, syscall.EEXIST, rename(k, dir, "temp", "taken"))
			require.Equal(t, syscall.EEXIST, rename(k, dir, "temp", "link"))
			require.Equal(t, "old", content(t, path, "taken"))
			require.Equal(t, "new", content(t, path, "temp"))

			require.NoError(t, rename(k, dir, "temp", "final"))
			require.Equal(t, "new", content(t, path, "final"))
			require.NoFileExists(t, filepath.Join(path, "temp"))
			require.Equal(t, syscall.ENOENT, rename(k, dir, "temp", "other"))
		})
	}
}

func TestReplaceAndUnlink(t *testing.T) {
	k := open(t)
	path, dir := folder(t, k)
	put(t, k, dir, "temp", "new")
	put(t, k, dir, "taken", "old")
	require.NoError(t, k.Replace(dir, "temp", "taken"))
	require.Equal(t, "new", content(t, path, "taken"))
	require.NoFileExists(t, filepath.Join(path, "temp"))
	require.Equal(t, syscall.ENOENT, k.Replace(dir, "temp", "taken"))

	require.NoError(t, k.Unlink(dir, "taken"))
	require.NoFileExists(t, filepath.Join(path, "taken"))
	require.Equal(t, syscall.ENOENT, k.Unlink(dir, "taken"))
}

func TestNames(t *testing.T) {
	k := open(t)
	_, dir := folder(t, k)
	for _, name := range []string{"", ".", "..", "/", "a/b", "/a", "a/", "a\x00b", "\x00"} {
		require.Panics(t, func() { k.Create(dir, name) }, "%q", name)
		require.Panics(t, func() { k.Rename(dir, name, "b") }, "%q", name)
		require.Panics(t, func() { k.Rename(dir, "b", name) }, "%q", name)
		require.Panics(t, func() { k.Replace(dir, name, "b") }, "%q", name)
		require.Panics(t, func() { k.Replace(dir, "b", name) }, "%q", name)
		require.Panics(t, func() { k.Unlink(dir, name) }, "%q", name)
	}
	put(t, k, dir, "...", "three dots are a name")
}

// fill gives n bytes that differ from place to place.
func fill(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}
