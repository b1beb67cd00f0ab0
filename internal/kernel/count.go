package kernel

import (
	"math/bits"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/poller"
)

// Counts is what a [Counted] has seen.
type Counts struct {
	Calls  [AnyCall]uint64 // calls of each kind
	Again  [AnyCall]uint64 // of these, those that answered EAGAIN, or EINPROGRESS to a connect
	Failed [AnyCall]uint64 // of these, those that answered any other error; Connected: that there is no peer

	Sent     uint64 // bytes taken by Send
	Received uint64 // bytes given by Recv
	Written  uint64 // bytes taken by Write
	Spliced  uint64 // bytes moved by Splice, in none of the three above
	Events   uint64 // events given by Wait

	RecvSizes Histogram // of the bytes that each successful Recv gave; 0 is the peer's end
	Batches   Histogram // of the events that each successful Wait gave
}

// Add adds what another Counted has seen.
func (c *Counts) Add(o *Counts) {
	for call := range AnyCall {
		c.Calls[call] += o.Calls[call]
		c.Again[call] += o.Again[call]
		c.Failed[call] += o.Failed[call]
	}
	c.Sent += o.Sent
	c.Received += o.Received
	c.Written += o.Written
	c.Spliced += o.Spliced
	c.Events += o.Events
	for i := range c.RecvSizes {
		c.RecvSizes[i] += o.RecvSizes[i]
		c.Batches[i] += o.Batches[i]
	}
}

// Histogram counts numbers by the power of two they reach: element 0 counts
// zeros, element i the numbers from 2^(i-1) up to but not including 2^i.
type Histogram [64]uint64

func (h *Histogram) count(n int) { h[bits.Len(uint(n))]++ }

// Counted is a Kernel that counts what another Kernel is asked for. It makes
// no call of its own and allocates nothing.
type Counted struct {
	Kernel
	mu     sync.Mutex // some file calls may come from other goroutines
	counts Counts
}

var _ Kernel = (*Counted)(nil)

// Count puts a Counted in front of a Kernel.
func Count(k Kernel) *Counted { return &Counted{Kernel: k} }

// Snapshot is a copy of the counts at this moment. It belongs to the caller;
// asking for it is for the Kernel's own goroutine.
func (c *Counted) Snapshot() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// called enters one call and its outcome.
func (c *Counted) called(call Call, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(call, err)
}

// enter is called with the counts locked.
func (c *Counted) enter(call Call, err error) {
	c.counts.Calls[call]++
	switch err {
	case nil:
	case syscall.EAGAIN, syscall.EINPROGRESS:
		c.counts.Again[call]++
	default:
		c.counts.Failed[call]++
	}
}

// Socket implements [Sockets].
func (c *Counted) Socket(family int) (fd int, err error) {
	fd, err = c.Kernel.Socket(family)
	c.called(CallSocket, err)
	return fd, err
}

// Bind implements [Sockets].
func (c *Counted) Bind(fd int, from netip.Addr) error {
	err := c.Kernel.Bind(fd, from)
	c.called(CallBind, err)
	return err
}

// ConnectUnix implements [Sockets].
func (c *Counted) ConnectUnix(fd int, path string) error {
	err := c.Kernel.ConnectUnix(fd, path)
	c.called(CallConnect, err)
	return err
}

// Connect implements [Sockets].
func (c *Counted) Connect(fd int, to netip.AddrPort) error {
	err := c.Kernel.Connect(fd, to)
	c.called(CallConnect, err)
	return err
}

// SocketError implements [Sockets].
func (c *Counted) SocketError(fd int) error {
	err := c.Kernel.SocketError(fd)
	c.called(CallSocketError, err)
	return err
}

// Connected implements [Sockets].
func (c *Counted) Connected(fd int) bool {
	ok := c.Kernel.Connected(fd)
	c.called(CallConnected, nil)
	if !ok {
		c.counts.Failed[CallConnected]++
	}
	return ok
}

// Send implements [Sockets].
func (c *Counted) Send(fd int, p []byte) (n int, err error) {
	n, err = c.Kernel.Send(fd, p)
	c.called(CallSend, err)
	c.counts.Sent += uint64(n)
	return n, err
}

// Recv implements [Sockets].
func (c *Counted) Recv(fd int, p []byte) (n int, err error) {
	n, err = c.Kernel.Recv(fd, p)
	c.called(CallRecv, err)
	if err == nil {
		c.counts.Received += uint64(n)
		c.counts.RecvSizes.count(n)
	}
	return n, err
}

// CloseSocket implements [Sockets].
func (c *Counted) CloseSocket(fd int) error {
	err := c.Kernel.CloseSocket(fd)
	c.called(CallCloseSocket, err)
	return err
}

// Add implements [Poll].
func (c *Counted) Add(fd int, token poller.Token, interest poller.Interest) error {
	err := c.Kernel.Add(fd, token, interest)
	c.called(CallAdd, err)
	return err
}

// Modify implements [Poll].
func (c *Counted) Modify(fd int, token poller.Token, interest poller.Interest) error {
	err := c.Kernel.Modify(fd, token, interest)
	c.called(CallModify, err)
	return err
}

// Remove implements [Poll].
func (c *Counted) Remove(fd int) error {
	err := c.Kernel.Remove(fd)
	c.called(CallRemove, err)
	return err
}

// Wait implements [Poll].
func (c *Counted) Wait(events []poller.Event, timeout time.Duration) (n int, err error) {
	n, err = c.Kernel.Wait(events, timeout)
	c.called(CallWait, err)
	if err == nil {
		c.counts.Events += uint64(n)
		c.counts.Batches.count(n)
	}
	return n, err
}

// OpenDir implements [Files].
func (c *Counted) OpenDir(path string) (dir int, err error) {
	dir, err = c.Kernel.OpenDir(path)
	c.called(CallOpenDir, err)
	return dir, err
}

// ReadDir implements [Files].
func (c *Counted) ReadDir(dir int) ([]string, error) {
	names, err := c.Kernel.ReadDir(dir)
	c.called(CallReadDir, err)
	return names, err
}

// Create implements [Files].
func (c *Counted) Create(dir int, name string) (fd int, err error) {
	fd, err = c.Kernel.Create(dir, name)
	c.called(CallCreate, err)
	return fd, err
}

// Reopen implements [Files].
func (c *Counted) Reopen(dir int, name string, size int64) (fd int, err error) {
	fd, err = c.Kernel.Reopen(dir, name, size)
	c.called(CallReopen, err)
	return fd, err
}

// Write implements [Files].
func (c *Counted) Write(fd int, p []byte) (n int, err error) {
	n, err = c.Kernel.Write(fd, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(CallWrite, err)
	c.counts.Written += uint64(n)
	return n, err
}

// Splice implements [Files].
func (c *Counted) Splice(socket, file int, max int) (n int, err error) {
	n, err = c.Kernel.Splice(socket, file, max)
	c.called(CallSplice, err)
	c.counts.Spliced += uint64(n)
	return n, err
}

// Rename implements [Files].
func (c *Counted) Rename(dir int, from, to string) error {
	err := c.Kernel.Rename(dir, from, to)
	c.called(CallRename, err)
	return err
}

// Replace implements [Files].
func (c *Counted) Replace(dir int, from, to string) error {
	err := c.Kernel.Replace(dir, from, to)
	c.called(CallReplace, err)
	return err
}

// Unlink implements [Files].
func (c *Counted) Unlink(dir int, name string) error {
	err := c.Kernel.Unlink(dir, name)
	c.called(CallUnlink, err)
	return err
}

// CloseFile implements [Files].
func (c *Counted) CloseFile(fd int) error {
	err := c.Kernel.CloseFile(fd)
	c.called(CallCloseFile, err)
	return err
}
