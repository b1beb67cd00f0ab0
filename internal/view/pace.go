package view

import (
	"math"
	"time"
)

// pace is how fast a run has been going lately.
type pace struct {
	began, at time.Time
	moved     time.Time // when anything last changed
	done      int
	bytes     int64
	share     float64

	fetches, volume, shares rate
}

// smoothed is how long a rate remembers.
const smoothed = 10 * time.Second

// enterEvery is the shortest time from which a rate is taken.
const enterEvery = 50 * time.Millisecond

// enter takes a moment in. The first one only says where things began.
func (p *pace) enter(now time.Time, m Moment) {
	done, bytes, share := m.Tally.Total(), m.Bytes, m.share()
	if p.began.IsZero() {
		p.began, p.at, p.moved = now, now, now
		p.done, p.bytes, p.share = done, bytes, share
		return
	}
	took := now.Sub(p.at)
	if took < enterEvery {
		return
	}
	if done != p.done || bytes != p.bytes {
		p.moved = now
	}
	age := now.Sub(p.began)
	p.fetches.add(float64(done-p.done), took, age)
	p.volume.add(float64(bytes-p.bytes), took, age)
	if share >= 0 && p.share >= 0 {
		p.shares.add(share-p.share, took, age)
	}
	p.at, p.done, p.bytes, p.share = now, done, bytes, share
}

// left is how long the rest will take at this pace when a share is done; false
// when that cannot be said.
func (p *pace) left(share float64) (time.Duration, bool) {
	const longest = 100 * 24 * time.Hour
	perSecond := float64(p.shares)
	if share < 0 || share >= 1 || perSecond <= 0 {
		return 0, false
	}
	seconds := (1 - share) / perSecond
	if seconds > longest.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// quiet is how long nothing has come of any kind.
func (p *pace) quiet() time.Duration { return p.at.Sub(p.moved) }

// rate is a number a second, of which older parts count less and less. While
// there is less to remember than it could, it is the plain mean.
type rate float64

func (r *rate) add(n float64, took, age time.Duration) {
	weight := max(1-math.Exp(-took.Seconds()/smoothed.Seconds()), took.Seconds()/age.Seconds())
	*r += rate(weight * (n/took.Seconds() - float64(*r)))
}
