package main

import (
	"hash/crc32"

	"github.com/shoalfetch/shoal/fetch"
)

// hostOf is what a request is dealt by. Tests have another, to spread the URLs
// of one server.
var hostOf = (*fetch.Request).Host

// dealt is how many numbers hosts are hashed to.
const dealt = 1 << 16

// deal says which loop has which host. The numbers that hosts hash to are dealt
// out in turn as they come up, so that a few hosts are spread evenly too, and
// any number of hosts costs the same 64 KB.
type deal struct {
	loops int
	next  int
	of    [dealt]uint8 // the loop of each number, from 1; 0: it has not come up
}

// to is the loop of a host, from 0.
func (d *deal) to(host string) int {
	of := &d.of[crc32.ChecksumIEEE([]byte(host))%dealt]
	if *of == 0 {
		*of = uint8(d.next + 1)
		d.next = (d.next + 1) % d.loops
	}
	return int(*of) - 1
}
