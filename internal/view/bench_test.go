package view

import (
	"io"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/fetch"
)

// BenchmarkRecord is what --json costs a fetch.
func BenchmarkRecord(b *testing.B) {
	res := &fetch.Result{Request: fetch.Request{URL: "http://images.example/some/where/1234567.jpg", Tag: 7}, Outcome: fetch.Fetched, Name: "1234567.jpg"}
	res.Timings = fetch.Timings{Wait: 12_345_678, Receive: 2_345_678, Total: 14_691_356}
	path := func(name string) string { return name }
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = AppendRecord(line[:0], RecordOf(res, nil, path))
	}
	b.SetBytes(int64(len(line)))
}

// BenchmarkDraw is what one drawing costs, of which there are ten a second.
func BenchmarkDraw(b *testing.B) {
	tally := add(new(Tally), 1000, map[fetch.Phase]int{fetch.PhaseDial: 3})
	p := NewProgress(io.Discard, StyleLine, func() Moment { return Moment{Tally: tally, Total: 5000, Read: -1} })
	now := time.Unix(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		p.Draw(now)
	}
}
