package fetch

import "sync/atomic"

// Snapshot is where a Fetch stands, as of the loop's last turn.
type Snapshot struct {
	Admitted int64 // requests pulled from the source
	Yielded  int64 // of these, those whose results have been yielded
	Queued   int64 // waiting for their host's turn or a free slot
	Conns    int64 // connections, idle ones included
	Bytes    int64 // body bytes received, as they came, by all Fetches
	Rests    int64 // how often a host was left alone because it could not be reached, by all Fetches
}

// shared is what other goroutines may touch while the loop goes on. Nobody makes
// it wait: the loop publishes, and looks whether it is to stop.
type shared struct {
	wake                                    func() // makes a waiting loop take a turn; that it fails means only that the poller is closed
	stopping                                atomic.Bool
	admitted, yielded, queued, conns, bytes atomic.Int64
	rests                                   atomic.Int64
}

// publish tells other goroutines where the loop stands.
func (l *loop) publish() {
	s := l.shared
	s.admitted.Store(int64(l.admitted))
	s.yielded.Store(int64(l.admitted) - int64(l.jobs.len()))
	s.queued.Store(int64(l.queued))
	s.conns.Store(int64(l.conns.len()))
	s.bytes.Store(l.received)
	s.rests.Store(l.rests)
}

// Snapshot tells where the Fetcher stands. It is safe from any goroutine, and
// costs the loop nothing.
func (f *Fetcher) Snapshot() Snapshot {
	s := f.shared
	return Snapshot{s.admitted.Load(), s.yielded.Load(), s.queued.Load(), s.conns.Load(), s.bytes.Load(), s.rests.Load()}
}

// Stop lets no further request start: what waits ends with ErrStopped, what is
// under way goes on, and the source is asked for no more. It is safe from any
// goroutine, and does nothing while no Fetch is under way.
func (f *Fetcher) Stop() {
	f.shared.stopping.Store(true)
	f.shared.wake()
}
