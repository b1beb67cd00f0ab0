package fetch_test

import (
	"math/rand/v2"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

// anyManners draws how a Fetcher holds itself back.
func anyManners(r *rand.Rand) (m fetch.Manners) {
	m.Adapt, m.GiveUp = r.IntN(2) == 0, r.IntN(2) == 0
	if r.IntN(2) == 0 {
		m.Rate = 1 + r.Float64()*50
	}
	if r.IntN(3) == 0 {
		m.RatePerHost = 1 + r.Float64()*10
	}
	if r.IntN(3) == 0 {
		m.Wait = time.Duration(r.IntN(500)) * time.Millisecond
	}
	if r.IntN(2) == 0 {
		m.BytesPerSecond = 20_000 + r.Int64N(2_000_000)
	}
	if r.IntN(3) == 0 {
		m.BytesPerSecondEach = 10_000 + r.Int64N(500_000)
	}
	return m
}

// behaviour is what manners are judged by: when requests started, and what came.
type behaviour struct {
	queued map[uint64]bool
	starts []time.Duration
	sips   []sip
}

func (b *behaviour) note(e fetch.Event) {
	if b.queued == nil {
		b.queued = map[uint64]bool{}
	}
	switch e.Kind {
	case fetch.JobQueued:
		b.queued[e.Job] = true
	case fetch.JobLookingUp, fetch.JobRunning:
		if b.queued[e.Job] {
			b.starts = append(b.starts, e.At)
		}
		delete(b.queued, e.Job)
	case fetch.CallRecv, fetch.CallSplice:
		if e.N > 0 && e.Job != 0 {
			b.sips = append(b.sips, sip{e.At, e.Job, e.N})
		}
	}
}

// check says whether no time saw more starts than the rate allows, with a quarter
// of a second made up for and one begun, and no time more bytes, with a tenth of
// a second and one recv. Handshakes and requests for tunnels are not held back, only
// counted.
func (b *behaviour) check(s *simulation) {
	m := s.options.Manners
	if m.Rate > 0 {
		for i, from := range b.starts {
			for n, at := range b.starts[i:] {
				allowed := ((at-from)+250*time.Millisecond).Seconds()*m.Rate + 1
				require.LessOrEqual(s, float64(n+1), allowed+1e-6, "seed %d: starts from %v to %v", s.seed, from, at)
			}
		}
	}
	if perSecond := float64(m.BytesPerSecond); perSecond > 0 && !s.secure && !s.proxied {
		require.LessOrEqual(s, most(b.sips, perSecond, perSecond/10+perSecond/30), 1.0, "seed %d: bytes", s.seed)
	}
}
