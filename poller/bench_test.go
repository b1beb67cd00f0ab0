//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package poller

import "testing"

// One look at one ready socket: the price of asking.
func BenchmarkWait(b *testing.B) {
	p := open(b)
	defer p.Close()
	fd, _ := socketPair(b)
	if err := p.Add(fd, 7, Writable); err != nil {
		b.Fatal(err)
	}
	events := make([]Event, 64)
	b.ReportAllocs()
	for b.Loop() {
		if n, err := p.Wait(events, 0); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
}

// What a pause and its end cost, with the wait in which they take effect.
func BenchmarkPause(b *testing.B) {
	p := open(b)
	defer p.Close()
	fd, _ := socketPair(b)
	if err := p.Add(fd, 7, Writable); err != nil {
		b.Fatal(err)
	}
	events := make([]Event, 64)
	b.ReportAllocs()
	for b.Loop() {
		p.Remove(fd)
		p.Wait(events, 0)
		p.Add(fd, 7, Writable)
		p.Wait(events, 0)
	}
}
