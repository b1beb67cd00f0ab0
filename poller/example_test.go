//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package poller_test

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/shoalfetch/shoal/poller"
	"golang.org/x/sys/unix"
)

// A client that says hello to an echo server, without a thread that waits for
// either connect, send or recv: it waits in one place, and each time does what
// has become possible.
func Example() {
	fd := dial(echoServer())
	defer unix.Close(fd)

	p, err := poller.New()
	check(err)
	defer p.Close()

	const echo poller.Token = 1             // whatever tells our descriptors apart
	check(p.Add(fd, echo, poller.Writable)) // a connect that is done makes it writable
	events := make([]poller.Event, 16)
	buffer := make([]byte, 512)

	for connected, open := false, true; open; {
		n, err := p.Wait(events, -1) // for as long as it takes
		check(err)
		for range events[:n] { // all of them are echo's
			if !connected {
				pending, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
				check(err)
				if pending != 0 {
					log.Fatal(unix.Errno(pending))
				}
				fmt.Println("connected")
				n, err := unix.Write(fd, []byte("hello"))
				check(err)
				fmt.Println("sent", n, "bytes")
				check(p.Modify(fd, echo, poller.Readable)) // from now on we wait for the answer
				connected = true
				continue
			}
			n, err := unix.Read(fd, buffer)
			if err == unix.EAGAIN { // an event is a hint
				continue
			}
			check(err)
			fmt.Printf("received %q\n", buffer[:n])
			if n == 0 { // the server has sent its last byte
				open = false
				break
			}
			check(unix.Shutdown(fd, unix.SHUT_WR)) // and we have sent ours
		}
	}
	check(p.Remove(fd)) // before the close, always

	// Output:
	// connected
	// sent 5 bytes
	// received "hello"
	// received ""
}

// dial begins a connection and does not wait for it.
func dial(port int) (fd int) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	check(err)
	check(unix.SetNonblock(fd, true))
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
	if err != unix.EINPROGRESS {
		check(err)
	}
	return fd
}

// echoServer serves one connection on loopback.
func echoServer() (port int) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	go func() {
		defer l.Close()
		conn, err := l.Accept()
		check(err)
		defer conn.Close()
		io.Copy(conn, conn)
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
