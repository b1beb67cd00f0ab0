// Package sim is a simulated kernel: a clock that is not the world's, a network
// with servers on it, a poller and a file system, all in memory and all decided
// by one seed. It implements kernel.Kernel and, with [Runner], offload.Runner.
//
// # How a simulation goes
//
//	k := sim.New(seed, sim.All())
//	k.Host("a.test", netip.MustParseAddr("10.0.0.1"))
//	k.Serve(netip.MustParseAddrPort("10.0.0.1:80"), func(q *sim.Request, r *rand.Rand) sim.Response {
//		return sim.Reply(200, "", []byte("hello"))
//	})
//	… run the engine on k, k.Runner() and k.LookupNetIP …
//	require.Empty(t, k.Open())                 // nothing leaked
//	require.Empty(t, k.Violations())           // every call was right
//	for _, s := range k.Served() { … }         // compare with what was delivered
//
// Addresses without a server refuse. [Kernel.Listen] takes a server that speaks
// bytes instead of HTTP/1.
//
// # Time
//
// The clock moves a microsecond with every call and else only in Wait, which
// goes at once to the next thing that happens: an arrival, a function given to
// [Kernel.At], finished work, or the timeout. What arrives on the network does
// so between any two calls; At functions and work run inside Wait only.
//
// # Strict
//
// Calls that no right program makes are violations: see check.go for the rules
// and for what becomes of them. Everything that a kernel, a network or a server
// may do to a right program is chaos instead: see [Chaos].
//
// # Replay
//
// Nothing here starts a goroutine, asks the world's time or walks a map in an order
// that matters: the same seed, chaos and calls give the same simulation, and
// [Kernel.Digest] says so in one number. When a seed fails, run that seed alone,
// with [Kernel.KeepLog](-1) before and [Kernel.Log] after: a line for each call
// and each thing that happened, with the virtual time in front.
package sim

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/poller"
)

var _ kernel.Kernel = (*Kernel)(nil)

// Kernel is a simulated machine, its network and its disk. It belongs to one
// goroutine; only Wake may be called from others. The exported fields are set
// before the first call.
type Kernel struct {
	// Fatal is told of each violation, one sentence. Nil panics with it. A
	// Fatal that returns lets the call go on with an errno.
	Fatal func(text string)

	// Limit is the number of descriptors that may be open at once, those of the
	// standard streams and of the poller included; 1,024 from New. Past it
	// Socket, OpenDir and Create say EMFILE.
	Limit int

	// CallsMax is how many calls one simulation may make before it is taken to
	// run for ever, which panics, whatever Fatal says; 20 million from New.
	CallsMax uint64

	// NoSplice makes Splice say ENOTSUP.
	NoSplice bool

	seed   uint64
	chaos  Chaos
	dice   *rand.Rand // chaos
	random *rand.Rand // what Random gives
	closed bool

	now     time.Duration
	network timeline // what happens at any moment
	outside timeline // what happens in Wait only

	fds       []descriptor
	firstFree int

	watched  []int // descriptors in the poller
	turn     int   // where in watched the next batch starts
	past     []poller.Token
	woken    atomic.Bool
	wakes    chan struct{}
	patience time.Duration // of the world, for an expected Wake

	places map[netip.AddrPort]*place
	paths  map[string]netip.AddrPort // where the servers of the Unix domain are
	own    []netip.Addr              // this machine's
	served []*Served

	hosts   map[string][]netip.Addr
	working *task

	folders map[string]*folder

	spells     [spellCount]time.Duration
	counts     Counts
	openTo     map[netip.AddrPort]int
	mostTo     map[netip.AddrPort]int
	quiet      quiet
	violations []string
	log        log
}

// tick is what a call takes.
const tick = time.Microsecond

// firstDescriptor is past the three standard streams and the poller's own two.
const firstDescriptor = 5

// New makes a machine with an empty network and an empty disk. The seed and
// chaos decide all that is left to chance.
func New(seed uint64, chaos Chaos) *Kernel {
	k := &Kernel{
		Limit:     1024,
		CallsMax:  20_000_000,
		seed:      seed,
		chaos:     chaos.bounded(),
		dice:      rand.New(rand.NewPCG(seed, 1)),
		random:    rand.New(rand.NewPCG(seed, 2)),
		fds:       make([]descriptor, firstDescriptor),
		firstFree: firstDescriptor,
		wakes:     make(chan struct{}, 1),
		patience:  5 * time.Second,
		places:    map[netip.AddrPort]*place{},
		hosts:     map[string][]netip.Addr{},
		folders:   map[string]*folder{},
		openTo:    map[netip.AddrPort]int{},
		mostTo:    map[netip.AddrPort]int{},
	}
	k.KeepLog(4096)
	return k
}

// Now implements kernel.Clock: virtual time since New. Asking costs nothing.
// Work has a time of its own, see Runner.
func (k *Kernel) Now() time.Duration {
	if k.working != nil {
		return k.now + k.working.lasts
	}
	return k.now
}

// Wall implements kernel.Clock: every simulation begins at the same moment.
func (k *Kernel) Wall() time.Time {
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC).Add(k.now)
}

// Random implements kernel.Clock, from the seed.
func (k *Kernel) Random() uint64 { return k.random.Uint64() }

// DescriptorLimit implements kernel.Kernel with the field Limit.
func (k *Kernel) DescriptorLimit() (int, error) { return k.Limit, nil }

// Close implements kernel.Kernel. Descriptors still open are a violation, as is
// any call that comes after.
func (k *Kernel) Close() error {
	k.enter(callClose)
	for _, open := range k.Open() {
		k.violate("the kernel was closed before %s", open)
	}
	k.closed = true
	k.note(callClose, 0, 0, 0, nil, "")
	return nil
}

// enter begins a call: time passes, and what is due on the network happens.
func (k *Kernel) enter(c call) {
	if k.closed {
		k.violate("%s after Close", c)
	}
	k.counts.Calls++
	if k.counts.Calls > k.CallsMax {
		panic(k.verdict("more than %d calls: this simulation does not end", k.CallsMax))
	}
	took := tick + k.slowness(c)
	if k.working != nil {
		k.counts.Beside++
		k.working.lasts += took
		return
	}
	if c != callWait {
		k.quiet.acted()
	}
	k.now += took
	k.network.run(k.now)
}

// slowness is how much longer than a tick a call takes.
func (k *Kernel) slowness(c call) (d time.Duration) {
	if k.chance(k.chaos.SlowCall) {
		d = k.within(50 * time.Millisecond)
	}
	if c >= callCreate && c <= callCloseFile && k.under(spellSlowDisk, k.chaos.SlowDisk) {
		d += k.within(100 * time.Millisecond)
	}
	return d
}

// chance says yes at a rate from 0 to 1.
func (k *Kernel) chance(rate float64) bool {
	return rate > 0 && k.dice.Float64() < rate
}

// within is a duration from 0 up to most.
func (k *Kernel) within(most time.Duration) time.Duration {
	return within(k.dice, most)
}

func within(r *rand.Rand, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(r.Int64N(int64(most) + 1))
}

// shortened is n, or at the given rate something from 1 to n.
func (k *Kernel) shortened(n int, rate float64) int {
	if n > 1 && k.chance(rate) {
		return 1 + k.dice.IntN(n)
	}
	return n
}

// errno is err as a syscall.Errno for the log: 0 for nil.
func errno(err error) syscall.Errno {
	switch e := err.(type) {
	case syscall.Errno:
		return e
	case *kernel.SpliceFileError:
		return errno(e.Err)
	}
	return 0
}
