package sim

import "time"

// Chaos says how badly the world behaves: rates from 0 (never) to 1 (always),
// drawn at each occasion. The zero value is a world in which all goes well and
// every packet takes a millisecond.
//
// Start from [Mild] or [All] and change what a test needs.
type Chaos struct {
	// Readiness, at each Wait.
	Duplicate float64 // an event comes twice in the batch
	Split     float64 // an event for both directions comes as two, one for each, as from kqueue
	Shuffle   float64 // the batch is in another order
	Cut       float64 // the batch is cut to 1–3 events; the rest comes later
	Spurious  float64 // an event for something that is not ready (at most 0.9)
	Stale     float64 // an event with a token that was removed from the poller before (at most 0.9)
	Interrupt float64 // Wait returns early, with what is ready by then, if anything (at most 0.9)
	Oversleep float64 // Wait takes up to OversleepMax longer than it should, as after SIGSTOP

	// Time.
	OversleepMax time.Duration // 0: 2 minutes
	Jitter       time.Duration // a packet takes up to this much longer; order is kept
	SlowCall     float64       // a call takes up to 50 ms

	// Sockets.
	ShortRead     float64       // Recv and Splice give less than there is
	ShortWrite    float64       // Send takes less than there is room for
	Again         float64       // EAGAIN though ready; readiness goes on being reported (at most 0.9)
	SmallBuffer   float64       // a socket with a send buffer of 1–200 bytes and a window of 64–2,063
	NoDescriptors float64       // Socket or Create begins a spell of EMFILE or ENFILE
	NoAddress     float64       // Connect begins a spell of EADDRNOTAVAIL
	SpellMax      time.Duration // how long spells last at most, those of files too; 0: 1 second

	// Connecting.
	ConnectNow   float64 // Connect is done at once: nil, or the refusal
	ConnectFails float64 // Connect itself fails: ENETUNREACH, EHOSTUNREACH, ETIMEDOUT
	Refuse       float64 // ECONNREFUSED though there is a server
	BlackHole    float64 // the connect never ends
	SlowConnect  float64 // the connect takes up to 30 s
	ResetAtOnce  float64 // the connection is reset as soon as it stands

	// HTTP servers (Serve), at each response.
	Drip         float64 // the response comes in some 40 pieces up to 50 ms apart
	ResetBefore  float64 // RST instead of the response
	ResetWithin  float64 // RST in the middle
	ResetAfter   float64 // RST after the whole response
	FinBefore    float64 // FIN instead of the response
	FinWithin    float64 // FIN in the middle
	Stall        float64 // silence for ever, before or within
	Surplus      float64 // bytes that are no response follow a response, in one piece with its end
	IdleClose    float64 // a kept connection is closed after a response: at once, soon or up to 10 s later
	CloseOnReuse float64 // a further request on a connection finds it closed: FIN or RST, no response

	// Lookups.
	LookupFails float64 // an answer that is an error
	LookupSlow  float64 // an answer after up to 30 s
	LookupLost  float64 // no answer, or one after minutes

	// Files.
	NoSpace       float64 // Create, Write or Splice begins a spell of ENOSPC
	WriteFails    float64 // EIO from Write or Splice
	ShortDisk     float64 // Write takes less than it is given
	NameTaken     float64 // Create or Rename finds that another process has just taken the name
	RenameFails   float64 // EIO from Rename or Replace, nothing done
	UnlinkFails   float64 // EIO from Unlink, nothing done
	CloseFails    float64 // EIO from CloseSocket or CloseFile, the descriptor gone all the same
	ShuffleFolder float64 // ReadDir gives another order
	SlowDisk      float64 // a file call begins a spell in which each takes up to 100 ms
}

// Mild is a world that is difficult but fails nothing: readiness lies, I/O is
// short, packets and responses come in pieces and late. A right program ends
// every fetch well in it, if its timeouts are over 10 seconds.
func Mild() Chaos {
	return Chaos{
		Duplicate:     0.1,
		Split:         0.2,
		Shuffle:       0.5,
		Cut:           0.1,
		Spurious:      0.1,
		Stale:         0.1,
		Interrupt:     0.05,
		Jitter:        20 * time.Millisecond,
		SlowCall:      0.001,
		ShortRead:     0.2,
		ShortWrite:    0.2,
		Again:         0.1,
		SmallBuffer:   0.1,
		ConnectNow:    0.1,
		Drip:          0.2,
		ShortDisk:     0.2,
		ShuffleFolder: 0.5,
		SlowDisk:      0.002,
	}
}

// All is Mild and everything else there is, each now and then: whatever can
// fail does, and most fetches still end well if they are tried again.
func All() Chaos {
	c := Mild()
	c.Oversleep = 0.002
	c.NoDescriptors = 0.005
	c.NoAddress = 0.005
	c.ConnectFails = 0.01
	c.Refuse = 0.03
	c.BlackHole = 0.02
	c.SlowConnect = 0.02
	c.ResetAtOnce = 0.02
	c.ResetBefore = 0.01
	c.ResetWithin = 0.02
	c.ResetAfter = 0.02
	c.FinBefore = 0.01
	c.FinWithin = 0.02
	c.Stall = 0.01
	c.Surplus = 0.03
	c.IdleClose = 0.1
	c.CloseOnReuse = 0.05
	c.LookupFails = 0.03
	c.LookupSlow = 0.05
	c.LookupLost = 0.02
	c.NoSpace = 0.002
	c.WriteFails = 0.002
	c.NameTaken = 0.01
	c.RenameFails = 0.005
	c.UnlinkFails = 0.005
	c.CloseFails = 0.005
	return c
}

// SetChaos changes the world from now on, between calls or in a function given
// to At. Spells that were on are over; sockets keep the buffers they have.
func (k *Kernel) SetChaos(chaos Chaos) {
	k.chaos = chaos.bounded()
	k.spells = [spellCount]time.Duration{}
}

// bounded keeps time able to move: a Wait that never sleeps and a Recv that
// never gives would go on for ever.
func (c Chaos) bounded() Chaos {
	for _, rate := range []*float64{&c.Spurious, &c.Stale, &c.Interrupt, &c.Again} {
		*rate = min(*rate, 0.9)
	}
	if c.OversleepMax == 0 {
		c.OversleepMax = 2 * time.Minute
	}
	if c.SpellMax == 0 {
		c.SpellMax = time.Second
	}
	return c
}

// spell is a kind of trouble that lasts for a while.
type spell int

const (
	spellNoDescriptors spell = iota
	spellNoAddress
	spellNoSpace
	spellSlowDisk
	spellCount
)

// under tells whether a spell is on, and may begin one.
func (k *Kernel) under(s spell, rate float64) bool {
	if k.now < k.spells[s] {
		return true
	}
	if !k.chance(rate) {
		return false
	}
	k.spells[s] = k.now + k.within(k.chaos.SpellMax)
	return true
}
