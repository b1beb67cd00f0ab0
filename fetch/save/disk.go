package save

import "time"

// pace is how quick file calls are, and so how the next are made.
type pace uint8

const (
	quick   pace = iota // they come back at once
	waiting             // one had to wait: the kernel is told to expect that
	behind              // one waited so long that the next are made beside the loop
)

// What is slow, and how much of the opposite is believed. A file call in memory
// takes tens of microseconds; one that waits for a disk that has more to write
// than it can, tens to hundreds of milliseconds.
const (
	slowCall = 5 * time.Millisecond
	lateCall = 20 * time.Millisecond
	calmRun  = 64 // calls in a row, and
	calmTime = 5 * time.Second
)

// disk judges by the time that file calls take how the next are made. One slow
// call is enough to be careful. A disk that could not keep up takes some
// megabytes quickly as soon as it has written some, so it has to be calm for a
// while to be called quicker.
type disk struct {
	pace   pace
	calm   int           // calls in a row that were not slow
	slowAt time.Duration // when the last slow one ended
}

// judge is told how long a call took that has ended now.
func (k *disk) judge(now, took time.Duration) {
	if took < slowCall {
		k.calm++
		if k.pace > quick && k.calm >= calmRun && now-k.slowAt >= calmTime {
			k.pace--
			k.calm, k.slowAt = 0, now
		}
		return
	}
	k.calm, k.slowAt = 0, now
	k.pace = max(k.pace, waiting)
	if took >= lateCall {
		k.pace = behind
	}
}

// judgeBeside judges a call that held nothing up: the pace of the calls on the
// loop is for those to say.
func (k *disk) judgeBeside(now, took time.Duration) {
	k.judge(now, took)
	k.pace = max(k.pace, waiting)
}

// timed judges the file calls made on the loop since a moment, which count as
// one. Time in which the processor was somebody else's says nothing of the disk.
func (d *Folder) timed(began time.Duration) {
	before, now := d.disk.pace, d.clock.Now()
	took := now - began
	if took >= slowCall {
		took -= min(took, d.files.Delayed())
	}
	d.disk.judge(now, took)
	if (before == quick) != (d.disk.pace == quick) {
		d.files.ExpectWaits(d.disk.pace != quick)
	}
}
