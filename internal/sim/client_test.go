package sim

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/poller"
	"github.com/stretchr/testify/require"
)

var (
	anAddress      = netip.MustParseAddrPort("10.0.0.1:80")
	anotherAddress = netip.MustParseAddrPort("[fd00::1]:80")
)

// client is about the simplest right program: one connection, one request at a
// time, everything tried again until it succeeds.
type client struct {
	k      *Kernel
	to     netip.AddrPort
	fd     int
	token  poller.Token
	in     []byte // received and not used
	events [8]poller.Event
	wrong  mistake
}

// mistake is what makes a client a wrong program.
type mistake int

const (
	none mistake = iota
	trustsSOError
	sendsAgain
	waitsForEver
	closesWatched
	savesDamaged
	closesTwice
)

func newClient(k *Kernel, to netip.AddrPort) *client {
	return &client{k: k, to: to, fd: -1}
}

const (
	attempts = 200
	patience = 15 * time.Second
)

var errTimeout = errors.New("timeout")

// fetch gives the body of a target.
func (c *client) fetch(target string) (body []byte, err error) {
	for range attempts {
		if body, err = c.try(target); err == nil {
			return body, nil
		}
		c.hangUp()
		c.pause(10 * time.Millisecond)
	}
	return nil, fmt.Errorf("%s: given up: %w", target, err)
}

func (c *client) try(target string) ([]byte, error) {
	if c.fd < 0 {
		if err := c.connect(); err != nil {
			return nil, err
		}
	}
	if err := c.send([]byte("GET " + target + " HTTP/1.1\r\nHost: sim\r\n\r\n")); err != nil {
		return nil, err
	}
	head, err := c.head()
	if err != nil {
		return nil, err
	}
	q := Request{Head: head}
	size, err := strconv.Atoi(q.Field("Content-Length"))
	if err != nil || !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return nil, fmt.Errorf("a strange head: %q", head)
	}
	for len(c.in) < size {
		if err := c.receive(); err != nil {
			return nil, err
		}
	}
	body := bytes.Clone(c.in[:size])
	if c.in = c.in[size:]; len(c.in) > 0 {
		c.hangUp() // a surplus: not to be reused
	}
	return body, nil
}

func (c *client) head() ([]byte, error) {
	for {
		if end := headEnd(c.in, 0); end >= 0 {
			head := c.in[:end]
			c.in = c.in[end:]
			return head, nil
		}
		if err := c.receive(); err != nil {
			return nil, err
		}
	}
}

func (c *client) connect() (err error) {
	family := syscall.AF_INET
	if c.to.Addr().Is6() {
		family = syscall.AF_INET6
	}
	if c.fd, err = c.k.Socket(family); err != nil {
		return err
	}
	c.token++
	err = c.k.Connect(c.fd, c.to)
	for err == syscall.EINPROGRESS {
		if err = c.await(poller.Writable); err != nil {
			return err
		}
		if err = c.k.SocketError(c.fd); err == nil && c.wrong != trustsSOError && !c.k.Connected(c.fd) {
			err = syscall.EINPROGRESS
		}
	}
	return err
}

func (c *client) send(p []byte) error {
	for len(p) > 0 {
		n, err := c.k.Send(c.fd, p)
		if n == len(p) || c.wrong != sendsAgain {
			p = p[n:]
		}
		if err == syscall.EAGAIN {
			err = c.await(poller.Writable)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// receive adds at least a byte to c.in.
func (c *client) receive() error {
	var p [1000]byte
	for {
		n, err := c.k.Recv(c.fd, p[:])
		switch {
		case n > 0:
			c.in = append(c.in, p[:n]...)
			return nil
		case err == nil:
			return errors.New("the end came too soon")
		case err != syscall.EAGAIN:
			return err
		}
		if err := c.await(poller.Readable); err != nil {
			return err
		}
	}
}

// await waits for an event for the connection as it is now.
func (c *client) await(interest poller.Interest) error {
	if err := c.k.Add(c.fd, c.token, interest); err != nil {
		return err
	}
	if c.wrong != closesWatched {
		defer c.k.Remove(c.fd)
	}
	deadline := c.k.Now() + patience
	for {
		timeout := deadline - c.k.Now()
		if c.wrong == waitsForEver {
			timeout = -1
		}
		n, err := c.k.Wait(c.events[:], timeout)
		if err != nil {
			return err
		}
		for _, e := range c.events[:n] {
			if e.Token == c.token && (interest == poller.Readable && e.Readable || interest == poller.Writable && e.Writable) {
				return nil
			}
		}
		if c.k.Now() >= deadline {
			return errTimeout
		}
	}
}

// pause lets time pass.
func (c *client) pause(d time.Duration) {
	for end := c.k.Now() + d; c.k.Now() < end; {
		c.k.Wait(c.events[:], end-c.k.Now())
	}
}

func (c *client) hangUp() {
	if c.fd >= 0 {
		c.k.CloseSocket(c.fd)
		if c.wrong == closesTwice {
			c.k.CloseSocket(c.fd)
		}
	}
	c.fd, c.in = -1, nil
}

// save writes a file under a temporary name and renames it.
func (c *client) save(dir int, name string, body []byte) (err error) {
	for i := range attempts {
		temp := fmt.Sprintf(".%d-%x", i, c.k.Random())
		if err = c.write(dir, temp, body); err == nil || c.wrong == savesDamaged {
			if err = c.k.Rename(dir, temp, name); err == nil {
				return nil
			}
		}
		for c.k.Unlink(dir, temp) == syscall.EIO {
			c.pause(time.Millisecond)
		}
		if err == syscall.EEXIST {
			return err
		}
		c.pause(50 * time.Millisecond)
	}
	return err
}

func (c *client) write(dir int, name string, body []byte) error {
	fd, err := c.k.Create(dir, name)
	if err == syscall.EEXIST {
		return syscall.EBUSY // only the temporary name is taken
	}
	if err != nil {
		return err
	}
	for len(body) > 0 && err == nil {
		var n int
		n, err = c.k.Write(fd, body)
		body = body[n:]
	}
	return errors.Join(err, c.k.CloseFile(fd))
}

// bodyOf is what the test server has under a target.
func bodyOf(target string) []byte {
	seed := uint64(checksum([]byte(target)))
	r := rand.New(rand.NewPCG(seed, 0))
	body := make([]byte, r.IntN(5000))
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	return body
}

// library serves bodyOf.
func library(q *Request, _ *rand.Rand) Response {
	return Reply(200, "", bodyOf(q.Target))
}

// session fetches and saves targets, closes all and gives the kernel.
func session(t testing.TB, seed uint64, chaos Chaos, fetches int) *Kernel {
	k := New(seed, chaos)
	k.Serve(anAddress, library)
	c := newClient(k, anAddress)
	dir, err := k.OpenDir("out")
	require.NoError(t, err)
	for i := range fetches {
		target := fmt.Sprintf("/%d", i)
		body, err := c.fetch(target)
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, bodyOf(target), body, "seed %d, %s", seed, target)
		if err := c.save(dir, target[1:], body); err != syscall.EEXIST {
			require.NoError(t, err, "seed %d", seed)
		}
	}
	c.hangUp()
	k.CloseFile(dir)
	return k
}
