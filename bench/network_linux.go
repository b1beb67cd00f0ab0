package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// isolate gives this goroutine, and what it starts from now on, a network
// namespace with nothing in it but the loopback interface: no firewall's rules
// and nobody else's packets. It takes a privilege (unshare(2)), and an EPERM
// leaves everything as it was.
func isolate() error {
	runtime.LockOSThread() // for good: the namespace is the thread's
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	return raiseLoopback()
}

// raiseLoopback sets the flag that ip(8) sets with "link set lo up".
func raiseLoopback() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer syscall.Close(socket)
	var request struct { // ifreq of netdevice(7)
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], "lo")
	request.flags = syscall.IFF_UP
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return fmt.Errorf("ioctl(SIOCSIFFLAGS): %w", errno)
	}
	return nil
}
