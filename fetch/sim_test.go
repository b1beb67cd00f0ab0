package fetch_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/sim"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "simulate this seed alone, and print its log")
	manySeeds = flag.Int("seeds", 25, "simulate so many seeds of each kind")
	simSize   = flag.Int("fetches", 200, "fetches of each simulation")
)

// TestSim runs seeds in the worst of worlds: everything that can fail does, now
// and then. Whatever happens, every request ends exactly once, nothing leaks,
// limits and deadlines hold, and what is called fetched is what was served.
func TestSim(t *testing.T) { simulate(t, func(uint64) sim.Chaos { return worst() }) }

// TestSimMild runs seeds in a world that is difficult but fails nothing: there
// every fetch that can end well must.
func TestSimMild(t *testing.T) { simulate(t, func(uint64) sim.Chaos { return sim.Mild() }) }

// TestSimOversleep stops the world for up to two minutes in one Wait of ten,
// while data arrives: nothing may be called late that was not.
func TestSimOversleep(t *testing.T) {
	simulate(t, func(uint64) sim.Chaos {
		c := sim.Mild()
		c.Oversleep, c.Cut, c.Drip, c.Interrupt, c.Again = 0.1, 0, 0, 0, 0
		return c
	})
}

// TestSimShortage has descriptors and ports run out now and then, for up to two
// seconds: everything waits, and nothing fails for it.
func TestSimShortage(t *testing.T) {
	simulate(t, func(uint64) sim.Chaos {
		c := sim.Mild()
		c.NoDescriptors, c.NoAddress, c.SpellMax = 0.01, 0.01, 2*time.Second
		return c
	})
}

// TestSimResume has every piece pause, and fetches end by their total timeout
// while paused: their resumes come late, when others live in their places.
func TestSimResume(t *testing.T) {
	for seed := uint64(1); seed <= uint64(*manySeeds); seed++ {
		s := &simulation{T: t, seed: seed, chaos: sim.Mild(), pauseMost: 30 * time.Second}
		s.run()
	}
}

// TestSimSurplus has servers follow one response in four with a whole further
// one that nobody asked for, its first byte together with the response's end
// and the rest a little later: no fetch may ever take it for its own.
func TestSimSurplus(t *testing.T) {
	for seed := uint64(1); seed <= uint64(*manySeeds); seed++ {
		k := sim.New(seed, sim.Chaos{Duplicate: 0.1, Shuffle: 0.5})
		address := netip.MustParseAddrPort("10.0.0.1:80")
		k.Serve(address, func(q *sim.Request, r *rand.Rand) sim.Response {
			p := sim.Reply(200, "", body(q.Target))
			if r.IntN(4) == 0 {
				other := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
				p.Pieces[0].Bytes = append(p.Pieces[0].Bytes, other[0])
				p.Pieces = append(p.Pieces, sim.Piece{Delay: time.Millisecond, Bytes: other[1:]})
			}
			return p
		})
		f, err := fetch.NewOn(k, k.Runner(), fetch.Options{MaxPerHost: 4})
		require.NoError(t, err)
		var requests []fetch.Request
		for n := range 100 {
			requests = append(requests, fetch.Request{URL: fmt.Sprintf("http://10.0.0.1/length/%d/%d", n*13, n)})
		}
		for res, err := range f.Fetch(context.Background(), slices.Values(requests)) {
			require.NoError(t, err, "seed %d", seed)
			require.Equal(t, string(wanted(t, res)), string(res.Body), "seed %d: %s", seed, res.URL)
		}
		require.NoError(t, f.Close())
	}
}

// TestSimReuse has servers close kept connections whenever they like, also when
// the next request is on its way: that is nobody's failure.
func TestSimReuse(t *testing.T) {
	simulate(t, func(uint64) sim.Chaos {
		c := sim.Mild()
		c.IdleClose, c.CloseOnReuse = 0.3, 0.2
		return c
	})
}

// TestSimSlowDisk has the disk fall behind again and again, in worlds of both
// kinds: then files are made, written and named beside the loop, whatever else
// happens to them meanwhile.
func TestSimSlowDisk(t *testing.T) {
	beside := simulate(t, func(seed uint64) sim.Chaos {
		c := sim.Mild()
		if seed%2 == 0 {
			c = worst()
			c.NoDescriptors, c.WriteFails, c.NameTaken = 0.02, 0.02, 0.05
		}
		c.SlowDisk, c.SpellMax = 0.02, 10*time.Second
		return c
	})
	require.Greater(t, beside, uint64(100), "hardly a file call was made beside the loop")
}

// TestSimCalm runs seeds where nothing goes wrong at all: there no turn of the
// loop may be in vain.
func TestSimCalm(t *testing.T) { simulate(t, func(uint64) sim.Chaos { return sim.Chaos{} }) }

// worst is all chaos, but for what would leave temporary files behind.
func worst() sim.Chaos {
	c := sim.All()
	c.UnlinkFails = 0
	return c
}

// simulate runs seeds, and counts the calls that were made beside the loop.
func simulate(t *testing.T, chaos func(seed uint64) sim.Chaos) (beside uint64) {
	if *oneSeed != 0 {
		s := &simulation{T: t, seed: *oneSeed, chaos: chaos(*oneSeed), verbose: true}
		s.run()
		return s.kernel.Counts().Beside
	}
	for seed := uint64(1); seed <= uint64(*manySeeds); seed++ {
		first := &simulation{T: t, seed: seed, chaos: chaos(seed)}
		first.run()
		beside += first.kernel.Counts().Beside
		if seed%4 == 1 {
			again := &simulation{T: t, seed: seed, chaos: chaos(seed)}
			again.run()
			require.Equal(t, first.kernel.Digest(), again.kernel.Digest(), "seed %d: two runs differ", seed)
		}
	}
	return beside
}

// simulation is one seed: a world, a way to use the engine in it, and the
// checks of what came of it.
type simulation struct {
	*testing.T
	seed      uint64
	chaos     sim.Chaos
	verbose   bool
	secure    bool          // over TLS
	proxied   bool          // through proxies, half over TLS
	pauseMost time.Duration // pauses last so long at most, and fetches a little less; 0: no such thing

	rand     *rand.Rand
	kernel   *turns
	options  fetch.Options
	folder   *save.Folder // nil: bodies in memory
	requests []fetch.Request
	stopAt   int           // results after which the caller leaves; 0: never
	cancelAt time.Duration // when the caller's context ends; 0: never

	started map[uint64]time.Duration // job: when it left the queue
	done    map[uint64]time.Duration
	yielded map[int]int
	failed  map[string]string // URL by the name that it was to be saved under
	manners behaviour
	cancel  context.CancelFunc // of the Fetch under way
	stopped bool
}

func (s *simulation) run() {
	s.draw()
	defer func() {
		if p := recover(); p != nil {
			s.report()
			s.Fatalf("seed %d: %v", s.seed, p)
		}
		if s.Failed() {
			s.report()
		}
	}()
	f, err := fetch.NewOn(s.kernel, s.kernel.Runner(), s.options)
	if err != nil {
		require.Nil(s, s.kernel.Open(), "seed %d: New failed and left descriptors", s.seed)
		return
	}
	if s.secure && s.rand.IntN(2) == 0 {
		f.DecryptAtOnce(1 + s.rand.IntN(5000))
	}
	half := s.rand.IntN(len(s.requests))
	s.fetch(f, s.requests[:half])
	s.fetch(f, s.requests[half:])
	require.NoError(s, f.Close())
	s.checkEnd()
}

// draw decides by the seed what is fetched and how.
func (s *simulation) draw() {
	r := rand.New(rand.NewPCG(s.seed, 1))
	s.rand = r
	s.kernel = &turns{Kernel: newWorld(s.seed, s.chaos)}
	if s.verbose {
		s.kernel.KeepLog(-1)
	}
	s.kernel.NoSplice = r.IntN(2) == 0
	s.started, s.done, s.yielded = map[uint64]time.Duration{}, map[uint64]time.Duration{}, map[int]int{}
	s.failed = map[string]string{}
	s.options = fetch.Options{
		MaxConns:   1 + r.IntN(64),
		MaxPerHost: 1 + r.IntN(8),
		MaxBytes:   -1,
		Resolver:   s.kernel,
		Trace:      s.trace,
		Retry:      fetch.Retry{Max: max(0, r.IntN(5)-2)},
		Decode:     r.IntN(2) == 0,
	}
	s.options.MaxDecoders = 1 + r.IntN(6)
	switch r.IntN(4) {
	case 0: // in memory
	case 1:
		s.folder = save.Dir("out")
		s.options.Sink = &pausing{Folder: s.folder, s: s}
	default:
		s.folder = save.Dir("out")
		s.folder.Resume = s.seed%3 == 0
		s.options.Sink = s.folder
	}
	if s.chaos.Stall > 0 {
		if r.IntN(2) == 0 {
			s.options.TotalTimeout = time.Duration(20+r.IntN(100)) * time.Second
		}
		if r.IntN(4) == 0 {
			s.stopAt = 1 + r.IntN(*simSize)
		}
		if r.IntN(4) == 0 {
			s.cancelAt = time.Duration(r.IntN(60_000)) * time.Millisecond
		}
	}
	if s.pauseMost > 0 {
		s.folder = save.Dir("out")
		s.options.Sink = &pausing{Folder: s.folder, s: s}
		s.options.TotalTimeout = s.pauseMost / 2
		s.options.MaxConns, s.options.MaxPerHost = 3, 3
	}
	for n := range *simSize {
		s.requests = append(s.requests, anyRequest(r, n+1))
	}
	if r.IntN(3) == 0 {
		s.options.Manners = anyManners(r)
	}
	switch r.IntN(6) {
	case 0:
		s.options.NoKeepAlive = true
	case 1:
		s.options.MaxConnAge = time.Duration(1+r.IntN(2000)) * time.Millisecond
	}
	if s.proxied {
		secureServers(s.T, s.kernel.Kernel, s.chaos.FinWithin == 0)
		s.options.TLS = worldTLS()
		s.addProxies()
		s.secureSome()
	}
	if s.secure {
		secureServers(s.T, s.kernel.Kernel, s.chaos.FinWithin == 0)
		s.options.TLS = worldTLS()
		for n := range s.requests {
			s.requests[n].URL = strings.Replace(s.requests[n].URL, "http:", "https:", 1)
		}
	}
}

// fetch fetches some of the requests and checks each result as it comes.
func (s *simulation) fetch(f *fetch.Fetcher, requests []fetch.Request) {
	if s.stopped {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.cancel = cancel
	if s.cancelAt > s.kernel.Now() {
		at := s.cancelAt
		s.cancelAt = 0
		s.kernel.AtExpectWake(at, func() { s.cancel() })
	}
	for res, err := range f.Fetch(ctx, slices.Values(requests)) {
		s.check(res, err)
		if s.stopAt > 0 && len(s.yielded) == s.stopAt {
			s.stopped = true
			break
		}
	}
	if !s.stopped && ctx.Err() == nil {
		for _, q := range requests {
			require.Equal(s, 1, s.yielded[q.Tag.(int)], "seed %d: how often %s was yielded", s.seed, q.URL)
		}
	}
}

func (s *simulation) trace(e fetch.Event) {
	s.manners.note(e)
	switch e.Kind {
	case fetch.JobLookingUp, fetch.JobRunning:
		if _, ok := s.started[e.Job]; !ok {
			s.started[e.Job] = e.At
		}
	case fetch.JobDone:
		require.NotContains(s, s.done, e.Job, "seed %d: job %d ended twice", s.seed, e.Job)
		s.done[e.Job] = e.At
	}
}

// check judges one result.
func (s *simulation) check(res *fetch.Result, err error) {
	n := res.Request.Tag.(int)
	s.yielded[n]++
	require.Equal(s, 1, s.yielded[n], "seed %d: %s was yielded twice", s.seed, res.Request.URL)
	require.Equal(s, s.requests[n-1], res.Request, "seed %d: the request came back changed", s.seed)
	switch {
	case err != nil:
		s.checkFailure(res, err)
	case res.Outcome == fetch.Skipped:
		s.Fatalf("seed %d: skipped %s in an empty folder", s.seed, res.Request.URL)
	default:
		require.Equal(s, fetch.Fetched, res.Outcome)
		require.Contains(s, []int{200, 206}, int(res.Head.Status), "206 for what went on after it had broken off")
		want := wanted(s, res)
		got := res.Body
		if s.folder != nil {
			file, ok := s.kernel.Files("out")[res.Name]
			require.True(s, ok, "seed %d: no file %s", s.seed, res.Name)
			got = file
		}
		if res.End == http1.UntilClose && s.chaos.FinWithin > 0 && !strings.HasPrefix(res.URL, "https:") && len(got) < len(want) {
			want = want[:len(got)] // cut short by a FIN, which nothing tells from the end
		}
		require.True(s, string(want) == string(got), "seed %d: %s: %d bytes wanted, %d delivered, or others", s.seed, res.URL, len(want), len(got))
		require.EqualValues(s, len(want), res.Bytes)
		s.checkProxy(res)
	}
}

func (s *simulation) checkFailure(res *fetch.Result, err error) {
	var e *fetch.Error
	require.ErrorAs(s, err, &e, "seed %d", s.seed)
	require.Equal(s, fetch.Failed, res.Outcome)
	s.failed[res.Name] = res.Request.URL
	lostPost := s.chaos.CloseOnReuse > 0 && res.Request.Method == "POST" // never sent twice
	if s.chaos.Stall == 0 && !mayFail(res.Request) && !lostPost && s.pauseMost == 0 {
		s.Fatalf("seed %d: a fetch failed where nothing fails: %v", s.seed, err)
	}
	if errors.Is(err, context.Canceled) {
		require.NotZero(s, s.chaos.Stall)
	}
}

// checkEnd judges what is left when everything is over.
func (s *simulation) checkEnd() {
	k := s.kernel
	require.Empty(s, k.Open(), "seed %d: descriptors leaked", s.seed)
	require.Empty(s, k.Violations(), "seed %d", s.seed)
	for name, content := range k.Files("out") {
		if string(content) == sim.Foreign {
			continue
		}
		require.False(s, strings.HasPrefix(name, ".shoal-"), "seed %d: a temporary file was left: %s", s.seed, name)
		require.Empty(s, s.failed[name], "seed %d: failed and left the file %s", s.seed, name)
		s.checkPart(name, content)
	}
	c := k.Counts()
	require.LessOrEqual(s, c.MostSockets, s.options.MaxConns, "seed %d: too many connections", s.seed)
	for _, a := range up {
		// one.test and 10.0.0.1 are two routes to one address, and so is six.test.
		most := k.MostSocketsTo(netip.AddrPortFrom(netip.MustParseAddr(a), s.port()))
		require.LessOrEqual(s, most, 2*s.options.MaxPerHost, "seed %d: too many connections to %s", s.seed, a)
	}
	s.checkDeadlines()
	s.checkWaits(c)
	s.manners.check(s)
}

// checkPart finds what is left of a fetch that is not the beginning of what was
// served.
func (s *simulation) checkPart(name string, content []byte) {
	of, isPart := strings.CutSuffix(name, ".part")
	if !isPart {
		return
	}
	require.True(s, s.folder.Resume, "seed %d: %s", s.seed, name)
	require.Contains(s, s.kernel.Files("out"), of+".origin", "seed %d", s.seed)
	u, err := url.Parse(s.failed[of[1:]])
	require.NoError(s, err)
	path := u.Path
	if to, ok := strings.CutPrefix(path, "/to/"); ok {
		path = to[len("301"):]
	}
	if u.Path != "" { // else it was under way when the caller left
		require.True(s, strings.HasPrefix(string(body(path)), string(content)), "seed %d: %s is not the beginning of %s", s.seed, name, u)
	}
}

func (s *simulation) port() uint16 {
	if s.secure {
		return 443
	}
	return 80
}

// checkDeadlines finds results later than their total timeout by more than a
// turn.
func (s *simulation) checkDeadlines() {
	if s.options.TotalTimeout == 0 {
		return
	}
	for job, began := range s.started {
		end, ok := s.done[job]
		if !ok {
			continue
		}
		due := began + s.options.TotalTimeout
		// The turns that ended between the deadline and the result: the first is
		// the one that must have noticed.
		late := 0
		for _, at := range s.kernel.ends {
			if at >= due && at < end {
				late++
			}
		}
		require.LessOrEqual(s, late, 1, "seed %d: job %d started at %v and ended at %v, %d turns after its deadline", s.seed, job, began, end, late)
	}
}

// checkWaits bounds the turns that led to nothing.
func (s *simulation) checkWaits(c sim.Counts) {
	if s.chaos == (sim.Chaos{}) {
		require.Zero(s, c.Idle, "seed %d: turns in vain", s.seed)
		require.Zero(s, c.Needless, "seed %d: needless changes of interest", s.seed)
	}
	require.LessOrEqual(s, c.Idle, c.Waits/4+20, "seed %d: turns in vain, of %d", s.seed, c.Waits)
	// An entry in the lazy heap of timers may pop early, once in its own length.
	lengths := uint64(s.kernel.Now()/(5*time.Second)) + 1
	require.LessOrEqual(s, c.Expired, uint64(2*len(s.requests))+lengths*uint64(s.options.MaxConns), "seed %d: time-outs in vain", s.seed)
}

// report prints what is needed to look into a failure.
func (s *simulation) report() {
	fmt.Printf("replay with: go test ./fetch -run '^%s$' -seed=%d\n", s.Name(), s.seed)
	if s.verbose {
		fmt.Print(s.kernel.Log())
	}
}

// pausing is a folder whose bodies ask for pauses, and are resumed a little
// later by somebody else.
type pausing struct {
	*save.Folder
	s *simulation
}

func (p *pausing) Open(info fetch.OpenInfo) (fetch.Body, error) {
	b, err := p.Folder.Open(info)
	return &pausingBody{Body: b, s: p.s, info: info}, err
}

type pausingBody struct {
	fetch.Body
	s      *simulation
	info   fetch.OpenInfo
	paused bool
}

func (b *pausingBody) Write(piece []byte) error {
	require.False(b.s, b.paused, "seed %d: a piece during a pause", b.s.seed)
	err := b.Body.Write(piece)
	long := 3 * time.Second
	if b.s.pauseMost > 0 {
		long = b.s.pauseMost
	} else if b.s.rand.IntN(3) > 0 {
		return err
	}
	if err != nil {
		return err
	}
	b.paused = true
	b.s.kernel.At(b.s.kernel.Now()+time.Duration(b.s.rand.Int64N(int64(long))), func() {
		b.paused = false
		b.info.Resume()
	})
	return fetch.ErrPause
}

func (b *pausingBody) Commit() error {
	require.False(b.s, b.paused, "seed %d: committed during a pause", b.s.seed)
	return b.Body.Commit()
}
