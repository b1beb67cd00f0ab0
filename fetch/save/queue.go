package save

import "slices"

// What may wait for the disk. At a limit the sockets that it comes from are not
// read; what one recv has brought of each is still taken.
const (
	queueMost = 16 << 20  // bytes of all files
	fileMost  = 1 << 20   // bytes of one file
	stepMost  = 256 << 10 // bytes that a file writes when it is its turn
	stepsMost = 8         // files that write at a time
)

// queue is what waits for a disk that is behind. Files take turns, so that a
// small one does not wait for the whole of a large one; the calls for one file are
// made one after the other.
type queue struct {
	beside  func(work, done func())
	ready   []*backlog // in line for a step
	under   []*backlog // with a step under way
	held    int        // bytes of all
	waiting []*backlog // written, and paused, it may be, until there is room

	removing map[string]*backlog // parts to be removed, by their final names
}

// active says whether file calls are made beside the loop now, or about to be.
func (q *queue) active() bool { return len(q.ready)+len(q.under) > 0 }

// enqueue puts a file in line for its next step, unless it stands there or will
// when its step ends.
func (d *Folder) enqueue(b *backlog) {
	if !b.queued && !b.under {
		b.queued = true
		d.queue.ready = append(d.queue.ready, b)
	}
	d.begin()
}

// begin begins as many steps as there may be at a time.
func (d *Folder) begin() {
	q := &d.queue
	for len(q.under) < stepsMost {
		i := slices.IndexFunc(q.ready, d.mayStep)
		if i < 0 {
			return
		}
		b := q.ready[i]
		q.ready = slices.Delete(q.ready, i, i+1)
		b.queued = false
		if !d.prepare(b) {
			d.removed(b)
			b.file.end()
			continue
		}
		b.under = true
		q.under = append(q.under, b)
		q.beside(b.step.run, func() { d.stepped(b) })
	}
}

// mayStep says whether nothing else has to come first: parts go by their final
// names, so one that is discarded must be gone before its name is begun again.
func (d *Folder) mayStep(b *backlog) bool {
	first := d.queue.removing[b.file.name]
	return first == nil || first == b
}

// removed lets a name be begun again.
func (d *Folder) removed(b *backlog) {
	if d.queue.removing[b.file.name] == b {
		delete(d.queue.removing, b.file.name)
	}
}

// stepped is called when a step has been carried out.
func (d *Folder) stepped(b *backlog) {
	q := &d.queue
	q.under = slices.DeleteFunc(q.under, func(other *backlog) bool { return other == b })
	b.under = false
	q.held -= b.step.written
	d.disk.judgeBeside(d.clock.Now(), b.step.took)
	d.account(b)
	d.begin()
	d.makeRoom()
}

// makeRoom resumes a file that waits for room: one for each step, since nobody
// knows how much it will bring, and all when nothing else is left.
func (d *Folder) makeRoom() {
	q := &d.queue
	for len(q.waiting) > 0 && q.held < queueMost {
		b := q.waiting[0]
		q.waiting = slices.Delete(q.waiting, 0, 1)
		b.resume()
		if q.active() {
			return
		}
	}
}

// finish carries out what is left when there are no workers any more.
func (d *Folder) finish() {
	q := &d.queue
	q.beside = func(work, done func()) {
		work()
		done()
	}
	for len(q.under) > 0 {
		b := q.under[0]
		if !b.step.ran {
			b.step.run()
		}
		d.stepped(b)
	}
}
