package fetch

// Origins is how many origins a Fetcher that is not busy knows, for tests of
// what a long run leaves behind.
func (f *Fetcher) Origins() int { return len(f.loop.origins) }

// Names is how many names' answers it remembers.
func (f *Fetcher) Names() int { return len(f.loop.names) }

// Timers is how many entries its heap of timers has.
func (f *Fetcher) Timers() int { return len(f.loop.timers.heap) }

// VerifyLater has the Fetcher judge certificates beside its loop, as it does
// where the system's verifier may block.
func (f *Fetcher) VerifyLater() { f.loop.verifyLater = true }

// DecryptAtOnce has the Fetcher decrypt so many bytes at once.
func (f *Fetcher) DecryptAtOnce(n int) { f.loop.secured().plain = make([]byte, n) }

// Standings is of how many hosts it remembers how they are.
func (f *Fetcher) Standings() int { return len(f.loop.standings.of) }
