package fetch

import "sync"

// mailbox is how other goroutines reach the loop: they leave a note and wake
// it. The loop never waits for them.
type mailbox struct {
	wake func()

	mu    sync.Mutex
	notes notes
}

// notes are what other goroutines have to say.
type notes struct {
	resumes []token // jobs whose bodies can take more
	cancels []token // jobs whose contexts have ended
	uploads []token // jobs of whose requests more has been written
	noIdle  bool    // no idle conn is wanted any more
}

func (m *mailbox) leave(write func(n *notes)) {
	m.mu.Lock()
	write(&m.notes)
	m.mu.Unlock()
	m.wake()
}

func (m *mailbox) resume(job token) {
	m.leave(func(n *notes) { n.resumes = append(n.resumes, job) })
}

func (m *mailbox) cancel(job token) {
	m.leave(func(n *notes) { n.cancels = append(n.cancels, job) })
}

func (m *mailbox) upload(job token) {
	m.leave(func(n *notes) { n.uploads = append(n.uploads, job) })
}

func (m *mailbox) closeIdle() { m.leave(func(n *notes) { n.noIdle = true }) }

// take exchanges what has come for notes that have been read.
func (m *mailbox) take(read notes) notes {
	m.mu.Lock()
	defer m.mu.Unlock()
	came := m.notes
	m.notes = notes{resumes: read.resumes[:0], cancels: read.cancels[:0], uploads: read.uploads[:0]}
	return came
}
