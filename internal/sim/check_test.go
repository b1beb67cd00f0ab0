package sim

import (
	"context"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

// dial opens a connection, in a world without chaos.
func dial(t testing.TB, k *Kernel, to netip.AddrPort) int {
	c := newClient(k, to)
	require.NoError(t, c.connect())
	return c.fd
}

// stage is a good world with one of each kind of thing open in it.
type stage struct {
	*Kernel
	fresh, connecting, connected int
	dir, file                    int
}

func newStage(t testing.TB, seed uint64) *stage {
	k := New(seed, Chaos{})
	k.Serve(anAddress, library)
	k.BlackHole(anotherAddress)
	s := &stage{Kernel: k}
	s.connected = dial(t, k, anAddress)
	s.fresh, _ = k.Socket(syscall.AF_INET)
	s.connecting, _ = k.Socket(syscall.AF_INET6)
	require.Equal(t, syscall.EINPROGRESS, k.Connect(s.connecting, anotherAddress))
	s.dir, _ = k.OpenDir("out")
	s.file, _ = k.Create(s.dir, "temp")
	return s
}

// always does something while one kind of chaos always strikes.
func (s *stage) always(rate *float64, do func()) {
	*rate = 1
	do()
	*rate = 0
}

func TestRules(t *testing.T) {
	p := make([]byte, 10)
	events := make([]poller.Event, 4)
	for _, rule := range []struct {
		want    string
		violate func(s *stage)
	}{
		{"send with descriptor 99, which is not open", func(s *stage) { s.Send(99, p) }},
		{"recv with descriptor -1, which is not open", func(s *stage) { s.Recv(-1, p) }},
		{"connect with descriptor 0, which is not open", func(s *stage) { s.Connect(0, anAddress) }},
		{"so-error with descriptor", func(s *stage) { s.SocketError(s.file) }},
		{"connected with descriptor", func(s *stage) { s.Connected(s.dir) }},
		{"which is no file but socket number 1", func(s *stage) { s.Write(s.connected, p) }},
		{"which is no folder but file temp", func(s *stage) { s.Create(s.file, "b") }},
		{"which is no socket but folder out", func(s *stage) { s.CloseSocket(s.dir) }},
		{"closefile with descriptor", func(s *stage) { s.CloseFile(s.connected) }},
		{"close with descriptor", func(s *stage) { s.CloseSocket(s.fresh); s.CloseSocket(s.fresh) }},
		{"closefile with descriptor", func(s *stage) { s.CloseFile(s.file); s.CloseFile(s.file) }},

		{"a second time", func(s *stage) { s.Connect(s.connected, anAddress) }},
		{"a second time", func(s *stage) { s.Connect(s.connecting, anotherAddress) }},
		{"not of its family", func(s *stage) { s.Connect(s.fresh, anotherAddress) }},
		{"not of its family", func(s *stage) { s.Connect(s.fresh, netip.AddrPort{}) }},
		{"socket of family", func(s *stage) { s.Socket(syscall.AF_UNSPEC) }},
		{"to the path", func(s *stage) { s.ConnectUnix(s.fresh, "/run/s") }},
		{"not of its family", func(s *stage) { fd, _ := s.Socket(syscall.AF_UNIX); s.Connect(fd, anAddress) }},
		{"bind of", func(s *stage) { s.Bind(s.connecting, anotherAddress.Addr()) }},
		{"bind of", func(s *stage) { s.Bind(s.fresh, anotherAddress.Addr()) }},
		{"bind of", func(s *stage) {
			s.Own(anAddress.Addr())
			s.Bind(s.fresh, anAddress.Addr())
			s.Bind(s.fresh, anAddress.Addr())
		}},
		{"not connected yet", func(s *stage) { s.Send(s.connecting, p) }},
		{"not connected yet", func(s *stage) {
			if s.SocketError(s.connecting) == nil { // which says nothing
				s.Send(s.connecting, p)
			}
		}},
		{"not connected yet", func(s *stage) { s.Recv(s.fresh, p) }},
		{"of 0 bytes", func(s *stage) { s.Recv(s.connected, nil) }},
		{"of 0 bytes", func(s *stage) { s.Send(s.connected, nil) }},

		{"in the poller already", func(s *stage) { s.Add(s.connected, 1, 1); s.Add(s.connected, 2, 1) }},
		{"modify of 5, socket number 1, connected, to 10.0.0.1:80, which is not in the poller",
			func(s *stage) { s.Modify(s.connected, 1, poller.Readable) }},
		{"remove of", func(s *stage) { s.Remove(s.connected) }},
		{"remove of", func(s *stage) { s.Add(s.connected, 1, 1); s.Remove(s.connected); s.Remove(s.connected) }},
		{"with interest 0x0", func(s *stage) { s.Add(s.connected, 1, 0) }},
		{"with interest 0x4", func(s *stage) { s.Add(s.connected, 1, 4) }},
		{"with interest 0x0", func(s *stage) { s.Add(s.connected, 1, 1); s.Modify(s.connected, 1, 0) }},
		{"reserved token", func(s *stage) { s.Add(s.connected, poller.Reserved, 1) }},
		{"which is no socket", func(s *stage) { s.Add(s.file, 1, poller.Writable) }},
		{"while it is in the poller", func(s *stage) { s.Add(s.connected, 1, 1); s.CloseSocket(s.connected) }},
		{"no room for an event", func(s *stage) { s.Wait(nil, 0) }},
		{"nothing will ever happen", func(s *stage) { s.Wait(events, -1) }},
		{"nothing will ever happen", func(s *stage) {
			s.Add(s.connecting, 1, poller.Writable)
			s.Wait(events, -1)
		}},
		{"the loop spins", func(s *stage) {
			s.Add(s.connected, 1, poller.Writable)
			for range spinsMax + 1 {
				s.Wait(events, -1)
			}
		}},
		{"the loop spins", func(s *stage) {
			for range spinsMax + 1 {
				s.Wait(events, 0)
			}
		}},

		{"not connected yet", func(s *stage) { s.Splice(s.connecting, s.file, 10) }},
		{"of 0 bytes", func(s *stage) { s.Splice(s.connected, s.file, 0) }},
		{"which is no file", func(s *stage) { s.Splice(s.connected, s.dir, 10) }},
		{"not one plain path component", func(s *stage) { s.Create(s.dir, "a/b") }},
		{"not one plain path component", func(s *stage) { s.Create(s.dir, "") }},
		{"not one plain path component", func(s *stage) { s.Rename(s.dir, "temp", "..") }},
		{"not one plain path component", func(s *stage) { s.Unlink(s.dir, "a\x00") }},
		{"after it was renamed", func(s *stage) { s.Rename(s.dir, "temp", "a"); s.Write(s.file, p) }},
		{"after it was renamed", func(s *stage) { s.Replace(s.dir, "temp", "a"); s.Splice(s.connected, s.file, 1) }},
		{"after it was unlinked", func(s *stage) { s.Unlink(s.dir, "temp"); s.Write(s.file, p) }},
		{"though a write failed", func(s *stage) {
			s.always(&s.chaos.WriteFails, func() { s.Write(s.file, p) })
			s.Rename(s.dir, "temp", "a")
		}},
		{"though its close failed", func(s *stage) {
			s.always(&s.chaos.CloseFails, func() { s.CloseFile(s.file) })
			s.Replace(s.dir, "temp", "a")
		}},

		{"brought what is no request", func(s *stage) {
			s.Send(s.connected, []byte("GET / HTTP/1.1\r\n\r\nGET /GET / HTTP/1.1\r\n\r\n"))
			s.Wait(events, 50*time.Millisecond)
		}},
		{"on the loop's thread", func(s *stage) { s.LookupNetIP(context.Background(), "ip", "a") }},
		{"which is under way", func(s *stage) {
			w := s.Runner()
			w.Submit(1, func() {})
			w.Submit(1, func() {})
		}},
		{"after the runner's Close", func(s *stage) { w := s.Runner(); w.Close(); w.Submit(1, func() {}) }},
		{"the kernel was closed before 5 socket number 1", func(s *stage) { s.Close() }},
		{"socket after Close", func(s *stage) {
			s.CloseSocket(s.connected)
			s.CloseSocket(s.fresh)
			s.CloseSocket(s.connecting)
			s.CloseFile(s.file)
			s.CloseFile(s.dir)
			s.Close()
			s.Socket(syscall.AF_INET)
		}},
	} {
		t.Run(rule.want, func(t *testing.T) {
			s := newStage(t, 42)
			var told []string
			s.Fatal = func(text string) { told = append(told, text) }
			rule.violate(s)
			require.NotEmpty(t, told)
			require.Contains(t, told[0], rule.want)
			require.True(t, strings.HasPrefix(told[0], "sim: seed 42 at "), told[0])
			require.Equal(t, told, s.Violations())
			require.Contains(t, s.Log(), "! violation")

			s = newStage(t, 42)
			require.PanicsWithValue(t, told[0], func() { rule.violate(s) })
		})
	}
}

func TestWhatIsAllowed(t *testing.T) {
	s := newStage(t, 1) // panics on a violation
	p := []byte("x")
	_, err := s.Write(s.file, p)
	require.NoError(t, err)
	require.NoError(t, s.Rename(s.dir, "temp", "a"), "while it is open")
	require.NoError(t, s.CloseFile(s.file))
	require.NoError(t, s.Add(s.connecting, 1, poller.Writable))
	require.NoError(t, s.SocketError(s.connecting))
	require.False(t, s.Connected(s.connecting))
	require.NoError(t, s.Remove(s.connecting))
	require.NoError(t, s.CloseSocket(s.connecting), "while it connects")
	require.NoError(t, s.CloseSocket(s.fresh), "that never connected")
	require.NoError(t, s.CloseSocket(s.connected))
	require.Equal(t, []string{"8 folder out"}, s.Open())
	require.NoError(t, s.CloseFile(s.dir))
	require.NoError(t, s.Close())
	require.Empty(t, s.Violations())
}

func TestEndlessSimulationPanics(t *testing.T) {
	s := newStage(t, 1)
	s.CallsMax = 100
	s.Fatal = func(string) {}
	require.Panics(t, func() {
		for {
			s.SocketError(s.connected)
		}
	})
}

func TestCounts(t *testing.T) {
	s := newStage(t, 1)
	events := make([]poller.Event, 4)
	before := s.Counts()
	require.Equal(t, 3, before.Sockets)
	require.Equal(t, 3, before.MostSockets)
	require.Equal(t, 1, before.Conns)

	s.Add(s.connected, 1, poller.Writable)
	for range 3 {
		s.Wait(events, -1)
	}
	s.Modify(s.connected, 1, poller.Writable)
	s.Modify(s.connected, 1, poller.Readable)
	for range 3 {
		s.Wait(events, time.Second)
	}
	s.Wake()
	s.Wait(events, time.Second)
	s.Remove(s.connected)
	s.Wait(events, 0)

	after := s.Counts()
	require.EqualValues(t, 2, after.Idle-before.Idle, "the third was followed by a call")
	require.EqualValues(t, 3, after.Expired-before.Expired)
	require.EqualValues(t, 1, after.Needless-before.Needless)
	require.EqualValues(t, 1, after.Wakes-before.Wakes)
	require.EqualValues(t, 8, after.Waits-before.Waits)
	require.EqualValues(t, 3, after.Events-before.Events)

	second := dial(t, s.Kernel, anAddress)
	require.Equal(t, 2, s.MostSocketsTo(anAddress))
	require.NoError(t, s.CloseSocket(second))
	second = dial(t, s.Kernel, anAddress)
	require.Equal(t, 2, s.MostSocketsTo(anAddress))
	require.NoError(t, s.CloseSocket(second))
	require.Equal(t, 4, s.Counts().MostSockets)
}
