package fetch

import "sync"

// mailbox is how other goroutines reach the loop: they leave a note and wake
// it. The loop never waits for them.
type mailbox struct {
	wake func()

	mu      sync.Mutex
	resumes []token
}

func (m *mailbox) resume(job token) {
	m.mu.Lock()
	m.resumes = append(m.resumes, job)
	m.mu.Unlock()
	m.wake()
}

// take appends what has come and empties the box.
func (m *mailbox) take(resumes []token) []token {
	m.mu.Lock()
	defer m.mu.Unlock()
	resumes = append(resumes, m.resumes...)
	m.resumes = m.resumes[:0]
	return resumes
}
