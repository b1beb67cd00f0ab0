package save

import (
	"errors"
	"syscall"

	"github.com/shoalfetch/shoal/fetch"
)

// backlog is what a file has waiting for the disk: bytes, then its end.
type backlog struct {
	file   *file
	bytes  []byte // taken and not written; first those of the step under way
	temp   int32  // the number of the temporary name that it tries
	tries  int    // how many of them were taken by somebody else
	then   ending
	queued bool // stands in line for a step
	under  bool // has a step under way
	step   step

	paused  bool  // to be resumed
	settled bool  // has its final name
	short   error // no descriptor was free to make the file with
	err     error // any other failure, which is for good
}

// besides says whether a file's next calls are made beside the loop: all are,
// once the disk is behind, until none of that is left. So no file call is made
// on the loop while one is under way beside it.
func (f *file) besides() bool {
	d := f.folder
	if d.disk.pace == behind || d.queue.active() {
		return true
	}
	if b := f.late; b != nil && len(b.bytes) == 0 && b.then == goesOn && b.err == nil && b.short == nil && !b.settled {
		f.late = nil
	}
	return f.late != nil
}

// backlog gives a file one, beginning with what came before the file was made.
func (f *file) backlog() *backlog {
	d := f.folder
	if f.late == nil {
		f.late = &backlog{file: f, bytes: d.early[f]}
		d.queue.held += len(f.late.bytes)
		delete(d.early, f)
	}
	return f.late
}

// writeLater is Write beside the loop. The piece is copied, being borrowed.
func (f *file) writeLater(piece []byte) error {
	d, b := f.folder, f.backlog()
	if b.err != nil {
		return b.err
	}
	b.then = goesOn // and is not closed, if it was about to be
	b.bytes = append(b.bytes, piece...)
	d.queue.held += len(piece)
	if b.short != nil {
		return b.tellShort()
	}
	d.enqueue(b)
	if len(piece) > 0 && len(b.bytes) < fileMost && d.queue.held < queueMost {
		return nil
	}
	b.paused = true
	return fetch.ErrPause
}

// keepLater is Keep beside the loop: the file is closed when all is written. If
// that fails, so does the next Write.
func (f *file) keepLater() error {
	d, b := f.folder, f.backlog()
	if b.err != nil || b.short != nil || b.then != goesOn || f.temp == 0 && !b.under {
		return errUnknown
	}
	if f.fd >= 0 || b.under {
		b.then, b.paused = closes, false
		d.enqueue(b)
	}
	return nil
}

// leaveLater is Leave beside the loop: what waits to be written is not worth
// waiting for. What failed or was about to end goes, as with Discard.
func (f *file) leaveLater() {
	d, b := f.folder, f.backlog()
	if b.err != nil || b.settled || b.then == commits {
		f.discardLater()
		return
	}
	b.then, b.paused = leaves, false
	d.drop(b)
	d.enqueue(b)
}

// commitLater is Commit beside the loop: it asks for the end and, called again,
// says how that went.
func (f *file) commitLater() error {
	d, b := f.folder, f.backlog()
	switch {
	case b.settled:
		d.freeTemp(f.temp)
		f.end()
		return nil
	case b.err != nil:
		return b.err
	case b.short != nil:
		return b.tellShort()
	}
	b.then, b.paused = commits, true
	d.enqueue(b)
	return fetch.ErrPause
}

// discardLater is Discard beside the loop. A step under way is not disturbed:
// what it leaves is removed after it.
func (f *file) discardLater() {
	d, b := f.folder, f.backlog()
	b.then, b.paused = discards, false
	d.drop(b)
	if f.origin != nil {
		d.queue.removing[f.name] = b
	}
	d.enqueue(b)
}

// tellShort has the loop wait a little before the file is tried again.
func (b *backlog) tellShort() error {
	err := b.short
	b.short = nil
	return fetch.Shortage(err)
}

// resume lets a paused body go on.
func (b *backlog) resume() {
	if b.paused {
		b.paused = false
		b.file.resumer.Resume()
	}
}

// drop forgets what waits to be written, but for what is being written.
func (d *Folder) drop(b *backlog) {
	kept := 0
	if b.under {
		kept = len(b.step.piece)
	}
	d.queue.held -= len(b.bytes) - kept
	b.bytes = b.bytes[:kept]
}

// prepare makes a step of what is to be done first. False: nothing is.
func (d *Folder) prepare(b *backlog) bool {
	f := b.file
	b.step = step{clock: d.clock, files: d.files, dir: d.dir, fd: int(f.fd), final: f.name}
	switch {
	case b.then == discards:
		return d.prepareRemoval(b)
	case b.then == leaves && f.fd < 0:
		return false
	}
	s := &b.step
	b.temp, s.origin = f.temp, f.origin
	switch {
	case f.origin != nil:
		b.temp, s.temp = partTemp, partName(f.name)
	case b.temp == 0:
		b.temp = d.takeTemp()
		fallthrough
	default:
		s.temp = d.tempName(b.temp)
	}
	s.made, s.size = f.temp != 0, f.size
	n := min(len(b.bytes), stepMost)
	s.piece = b.bytes[:n:n]
	if n == len(b.bytes) {
		s.then, s.rename = b.then, f.rename()
	}
	return true
}

// prepareRemoval takes back what there is of a file that failed. A rename that
// could not be stopped any more is undone too, unless it replaced what was there.
func (d *Folder) prepareRemoval(b *backlog) bool {
	f, s := b.file, &b.step
	s.then = discards
	switch {
	case b.settled:
		s.temp = f.name
		return !f.over
	case f.temp != 0:
		s.temp, s.origin = f.tempName(), f.origin
		return true
	}
	return false
}

// account draws the consequences of a step that has been carried out.
func (d *Folder) account(b *backlog) {
	f, s := b.file, &b.step
	f.fd = int32(s.fd)
	b.bytes = append(b.bytes[:0], b.bytes[s.written:]...)
	switch {
	case s.then == leaves:
		f.end()
		return
	case s.then == discards:
		if s.err == nil {
			d.freeTemp(f.temp)
		}
		d.removed(b)
		f.end()
		return
	case s.unmade:
		d.unmade(b)
	default:
		f.temp = b.temp
		f.count(s.written, s.err)
		if s.then == closes && b.then == closes {
			b.then = goesOn
		}
		b.err, b.settled = s.err, s.err == nil && s.then == commits
	}
	d.goOn(b)
}

// unmade is called when a file could not be made, or not be opened again.
func (d *Folder) unmade(b *backlog) {
	b.tries++
	err := b.step.err
	switch {
	case err == syscall.EEXIST && b.tries < createTries:
		return // not ours: neither to be written nor to be removed
	case isShortage(err):
		b.short = err
	default:
		b.err = err
	}
	if b.file.temp == 0 {
		d.freeTemp(b.temp)
	}
}

// isShortage tells the errors that pass when descriptors come free.
func isShortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// goOn decides what comes after a step.
func (d *Folder) goOn(b *backlog) {
	if b.then == leaves && b.file.size == unknown {
		b.then = discards
	}
	ends := b.then == discards || b.then == leaves
	if b.err != nil || ends {
		d.drop(b)
	}
	switch {
	case ends:
		d.enqueue(b)
	case b.err != nil || b.short != nil || b.settled:
		b.resume()
	case b.file.temp == 0 || b.then == commits || b.then == closes && b.file.fd >= 0 || len(b.bytes) > 0:
		d.enqueue(b)
	default:
		b.bytes = nil // it may be large, and the next piece long in coming
		d.queue.waiting = append(d.queue.waiting, b)
	}
}
