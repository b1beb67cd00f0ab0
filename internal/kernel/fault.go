package kernel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/poller"
)

// Faults says what a [Faulty] does wrong. The zero value does everything right.
// Percentages are from 0 to 99, so that trying again gets through in the end, but
// for FileSlowIn; sizes are in bytes, and 0 means no limit.
//
// Nothing a fault withholds is lost: a Recv that answers EAGAIN has taken
// nothing, and level-triggered readiness reports the socket again.
type Faults struct {
	Seed uint64 // the same seed and the same number of calls of a kind give the same faults

	ConnectFail int // percent of Connects that are ECONNREFUSED at once

	SendMax   int // most that one Send takes
	SendAgain int // percent of Sends that are EAGAIN

	RecvMax   int   // most that one Recv or Splice gives
	RecvAgain int   // percent of Recvs and Splices that are EAGAIN
	ResetAt   int64 // a socket that has given so many bytes answers ECONNRESET

	WriteMax   int           // most that one Write takes
	FileSlow   time.Duration // how much longer each call to files and names takes, but for closing
	FileSlowIn int           // percent of these calls that do, 0 to 100; 0 is all of them

	// The Nth call of a kind (from 1; 0: none), or of AnyCall, answers Errno
	// and does nothing, but for calls that give something back: Remove,
	// CloseSocket and CloseFile do their work and then answer Errno. Connected
	// answers false.
	Nth   uint64
	Call  Call
	Errno syscall.Errno
}

// Faulty is a Kernel that does wrong on purpose what another Kernel would do
// right.
type Faulty struct {
	Kernel
	faults   Faults
	seen     atomic.Uint64 // calls that count towards Nth
	received []int64       // bytes given so far, by socket; only with ResetAt
	injected Injected
	disk     badDisk

	// Each kind of call has a generator of its own: how many recvs there are is
	// chance, and must not change what becomes of the sends.
	connects, sends, recvs *rand.Rand
}

var _ Kernel = (*Faulty)(nil)

// Inject puts a Faulty in front of a Kernel. It panics on faults out of range.
func Inject(k Kernel, faults Faults) *Faulty {
	for _, percent := range [...]int{faults.ConnectFail, faults.SendAgain, faults.RecvAgain} {
		if percent < 0 || percent > 99 {
			panic(fmt.Sprintf("kernel: a fault in %d percent of calls; it must be 0 to 99", percent))
		}
	}
	if min(faults.SendMax, faults.RecvMax, faults.WriteMax) < 0 || faults.ResetAt < 0 {
		panic("kernel: a fault's size must not be negative")
	}
	if faults.FileSlow < 0 || faults.FileSlowIn < 0 || faults.FileSlowIn > 100 {
		panic("kernel: slow file calls need a time that is not negative, and 0 to 100 percent")
	}
	if faults.Nth > 0 && (faults.Call > AnyCall || faults.Errno == 0) {
		panic("kernel: a call that is to fail needs a kind and an errno")
	}
	chances := func(call Call) *rand.Rand { return rand.New(rand.NewPCG(faults.Seed, uint64(call))) }
	return &Faulty{Kernel: k, faults: faults,
		connects: chances(CallConnect), sends: chances(CallSend), recvs: chances(CallRecv)}
}

// Fired tells whether the Nth call has come. A test that lets the first call
// fail, then the second, and so on, is through when it did not.
func (f *Faulty) Fired() bool { return f.faults.Nth > 0 && f.seen.Load() >= f.faults.Nth }

// fails counts a call and gives the error it is to answer.
func (f *Faulty) fails(call Call) error {
	if f.faults.Nth == 0 || f.faults.Call != call && f.faults.Call != AnyCall {
		return nil
	}
	if f.seen.Add(1) == f.faults.Nth {
		return f.faults.Errno
	}
	return nil
}

// happens decides whether a fault of so many percent happens, and counts it.
func happens(percent int, chance *rand.Rand, count *uint64) bool {
	if percent == 0 || chance.IntN(100) >= percent {
		return false
	}
	*count++
	return true
}

// atMost is the length that a call may use of the n bytes offered to it. It
// counts when that is not all of them.
func atMost(n, limit int, count *uint64) int {
	if limit == 0 || n <= limit {
		return n
	}
	*count++
	return limit
}

// Socket implements [Sockets].
func (f *Faulty) Socket(family int) (fd int, err error) {
	if err := f.fails(CallSocket); err != nil {
		return -1, err
	}
	fd, err = f.Kernel.Socket(family)
	if err == nil && f.faults.ResetAt > 0 {
		for len(f.received) <= fd {
			f.received = append(f.received, 0)
		}
		f.received[fd] = 0
	}
	return fd, err
}

// Bind implements [Sockets].
func (f *Faulty) Bind(fd int, from netip.Addr) error {
	if err := f.fails(CallBind); err != nil {
		return err
	}
	return f.Kernel.Bind(fd, from)
}

// Connect implements [Sockets].
func (f *Faulty) Connect(fd int, to netip.AddrPort) error {
	if err := f.refuses(); err != nil {
		return err
	}
	return f.Kernel.Connect(fd, to)
}

// ConnectUnix implements [Sockets].
func (f *Faulty) ConnectUnix(fd int, path string) error {
	if err := f.refuses(); err != nil {
		return err
	}
	return f.Kernel.ConnectUnix(fd, path)
}

// refuses is what a connect is to answer, if it is not to be made.
func (f *Faulty) refuses() error {
	if err := f.fails(CallConnect); err != nil {
		return err
	}
	if happens(f.faults.ConnectFail, f.connects, &f.injected.Refused) {
		return syscall.ECONNREFUSED
	}
	return nil
}

// SocketError implements [Sockets].
func (f *Faulty) SocketError(fd int) error {
	if err := f.fails(CallSocketError); err != nil {
		return err
	}
	return f.Kernel.SocketError(fd)
}

// Connected implements [Sockets].
func (f *Faulty) Connected(fd int) bool {
	return f.fails(CallConnected) == nil && f.Kernel.Connected(fd)
}

// Send implements [Sockets].
func (f *Faulty) Send(fd int, p []byte) (n int, err error) {
	if err := f.fails(CallSend); err != nil {
		return 0, err
	}
	if happens(f.faults.SendAgain, f.sends, &f.injected.SendAgain) {
		return 0, syscall.EAGAIN
	}
	return f.Kernel.Send(fd, p[:atMost(len(p), f.faults.SendMax, &f.injected.SendCut)])
}

// Recv implements [Sockets].
func (f *Faulty) Recv(fd int, p []byte) (n int, err error) {
	room, err := f.receive(CallRecv, fd, len(p))
	if err != nil {
		return 0, err
	}
	n, err = f.Kernel.Recv(fd, p[:room])
	f.got(fd, n)
	return n, err
}

// Splice implements [Files].
func (f *Faulty) Splice(socket, file int, max int) (n int, err error) {
	room, err := f.receive(CallSplice, socket, max)
	if err != nil {
		return 0, err
	}
	n, err = f.Kernel.Splice(socket, file, room)
	f.got(socket, n)
	if n > 0 { // the file's half has been made, and is what takes long
		f.disk.delay(&f.faults)
	}
	return n, err
}

// receive says how much of what a call asks for it may have, or what it is to
// answer.
func (f *Faulty) receive(call Call, fd, n int) (room int, err error) {
	if err := f.fails(call); err != nil {
		return 0, err
	}
	if happens(f.faults.RecvAgain, f.recvs, &f.injected.RecvAgain) {
		return 0, syscall.EAGAIN
	}
	room = atMost(n, f.faults.RecvMax, &f.injected.RecvCut)
	if f.faults.ResetAt == 0 || fd < 0 || fd >= len(f.received) {
		return room, nil
	}
	left := f.faults.ResetAt - f.received[fd]
	if left == 0 {
		f.injected.Reset++
		return 0, syscall.ECONNRESET
	}
	return int(min(int64(room), left)), nil
}

func (f *Faulty) got(fd, n int) {
	if fd >= 0 && fd < len(f.received) {
		f.received[fd] += int64(n)
	}
}

// CloseSocket implements [Sockets].
func (f *Faulty) CloseSocket(fd int) error {
	return instead(f.fails(CallCloseSocket), f.Kernel.CloseSocket(fd))
}

// instead is the injected error if there is one, else the true outcome.
func instead(injected, outcome error) error {
	if injected != nil {
		return injected
	}
	return outcome
}

// Add implements [Poll].
func (f *Faulty) Add(fd int, token poller.Token, interest poller.Interest) error {
	if err := f.fails(CallAdd); err != nil {
		return err
	}
	return f.Kernel.Add(fd, token, interest)
}

// Modify implements [Poll].
func (f *Faulty) Modify(fd int, token poller.Token, interest poller.Interest) error {
	if err := f.fails(CallModify); err != nil {
		return err
	}
	return f.Kernel.Modify(fd, token, interest)
}

// Remove implements [Poll].
func (f *Faulty) Remove(fd int) error {
	return instead(f.fails(CallRemove), f.Kernel.Remove(fd))
}

// Wait implements [Poll].
func (f *Faulty) Wait(events []poller.Event, timeout time.Duration) (n int, err error) {
	if err := f.fails(CallWait); err != nil {
		return 0, err
	}
	return f.Kernel.Wait(events, timeout)
}

// OpenDir implements [Files].
func (f *Faulty) OpenDir(path string) (dir int, err error) {
	if err := f.fails(CallOpenDir); err != nil {
		return -1, err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.OpenDir(path)
}

// ReadDir implements [Files].
func (f *Faulty) ReadDir(dir int) ([]string, error) {
	if err := f.fails(CallReadDir); err != nil {
		return nil, err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.ReadDir(dir)
}

// Create implements [Files].
func (f *Faulty) Create(dir int, name string) (fd int, err error) {
	if err := f.fails(CallCreate); err != nil {
		return -1, err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.Create(dir, name)
}

// Reopen implements [Files].
func (f *Faulty) Reopen(dir int, name string, size int64) (fd int, err error) {
	if err := f.fails(CallReopen); err != nil {
		return -1, err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.Reopen(dir, name, size)
}

// Write implements [Files].
func (f *Faulty) Write(fd int, p []byte) (n int, err error) {
	if err := f.fails(CallWrite); err != nil {
		return 0, err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.Write(fd, p[:f.disk.atMost(len(p), f.faults.WriteMax)])
}

// Rename implements [Files].
func (f *Faulty) Rename(dir int, from, to string) error {
	if err := f.fails(CallRename); err != nil {
		return err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.Rename(dir, from, to)
}

// Replace implements [Files].
func (f *Faulty) Replace(dir int, from, to string) error {
	if err := f.fails(CallReplace); err != nil {
		return err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.Replace(dir, from, to)
}

// Unlink implements [Files].
func (f *Faulty) Unlink(dir int, name string) error {
	if err := f.fails(CallUnlink); err != nil {
		return err
	}
	f.disk.delay(&f.faults)
	return f.Kernel.Unlink(dir, name)
}

// CloseFile implements [Files].
func (f *Faulty) CloseFile(fd int) error {
	return instead(f.fails(CallCloseFile), f.Kernel.CloseFile(fd))
}
