package save

import "time"

// What counts as slow, and how much of the opposite is believed. A file call in
// memory takes tens of microseconds; one that waits for a disk with more to write
// than it can takes tens to hundreds of milliseconds.
const (
	slowCall = 5 * time.Millisecond
	quickRun = 64 // calls in a row
)

// disk judges, by how long file calls take, whether the next may have to wait.
type disk struct {
	waits bool
	quick int // calls in a row that were
}

// judge is told how long a call took, and says whether that changed its mind.
func (k *disk) judge(took time.Duration) (changed bool) {
	if took >= slowCall {
		changed = !k.waits
		*k = disk{waits: true}
		return changed
	}
	k.quick++
	if !k.waits || k.quick < quickRun {
		return false
	}
	*k = disk{}
	return true
}

// timed judges the file calls made since a moment, which count as one.
func (d *Folder) timed(began time.Duration) {
	if d.disk.judge(d.clock.Now() - began) {
		d.files.ExpectWaits(d.disk.waits)
	}
}
