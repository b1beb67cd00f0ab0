package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// checkSession looks at what a session left behind.
func checkSession(t *testing.T, k *Kernel, fetches int) {
	require.Empty(t, k.Open())
	require.Empty(t, k.Violations())
	files := k.Files("out")
	for i := range fetches {
		name := fmt.Sprint(i)
		if content := files[name]; string(content) != Foreign {
			require.Equal(t, string(bodyOf("/"+name)), string(content))
		}
		delete(files, name)
	}
	for name, content := range files {
		require.Equal(t, Foreign, string(content), "%s was left behind", name)
	}
	require.Equal(t, 1, k.Counts().MostSockets)
	require.Equal(t, 1, k.MostSocketsTo(anAddress))
	require.NoError(t, k.Close())
}

func TestClientFetchesInAnyWorld(t *testing.T) {
	for _, world := range []struct {
		name  string
		chaos Chaos
	}{{"Good", Chaos{}}, {"Mild", Mild()}, {"All", All()}} {
		t.Run(world.name, func(t *testing.T) {
			for seed := range uint64(200) {
				checkSession(t, session(t, seed, world.chaos, 10), 10)
			}
		})
	}
}

// TestWrongProgramsAreCaught has clients with one mistake each meet worlds until
// the simulator finds it out.
func TestWrongProgramsAreCaught(t *testing.T) {
	for wrong, want := range map[mistake]string{
		none:          "",
		trustsSOError: "not connected yet",
		sendsAgain:    "brought what is no request",
		waitsForEver:  "nothing will ever happen",
		closesWatched: "while it is in the poller",
		savesDamaged:  "though",
		closesTwice:   "which is not open",
	} {
		seeds := findOut(wrong, 200, want)
		if wrong == none {
			require.Zero(t, seeds)
		} else {
			require.NotZero(t, seeds, want)
		}
	}
}

// findOut counts the seeds that find a violation with a text in it.
func findOut(wrong mistake, seeds uint64, want string) (found int) {
	for seed := range seeds {
		k := New(seed, All())
		k.CallsMax = 20_000 // a wrong program may never end
		k.Fatal = func(text string) { panic(errors.New(text)) }
		k.Serve(anAddress, library)
		c := newClient(k, anAddress)
		c.wrong = wrong
		if text := caught(c); text != "" && strings.Contains(text, want) {
			found++
		}
	}
	return found
}

// caught has a client fetch and save, and gives the violation that ended it.
func caught(c *client) (text string) {
	defer func() {
		if violation, ok := recover().(error); ok {
			text = violation.Error()
		}
	}()
	dir, _ := c.k.OpenDir("out")
	for i := range 5 {
		body, _ := c.fetch("/" + strconv.Itoa(i))
		c.save(dir, strconv.Itoa(i), body)
	}
	c.hangUp()
	return ""
}

func TestNothingFailsInAMildWorld(t *testing.T) {
	for seed := range uint64(100) {
		k := session(t, seed, Mild(), 10)
		require.Len(t, k.Served(), 10, "seed %d: a request was repeated", seed)
		require.Equal(t, 1, k.Counts().Conns, "seed %d: a connection was lost", seed)
		for _, s := range k.Served() {
			require.True(t, s.Whole())
		}
	}
}

func TestSameSeedSameSimulation(t *testing.T) {
	digests := map[uint64]uint64{}
	for seed := range uint64(50) {
		k := session(t, seed, All(), 5)
		again := session(t, seed, All(), 5)
		require.Equal(t, k.Digest(), again.Digest(), "seed %d", seed)
		require.Equal(t, k.Log(), again.Log(), "seed %d", seed)
		require.Equal(t, k.Counts(), again.Counts(), "seed %d", seed)
		other, known := digests[k.Digest()]
		require.False(t, known, "seeds %d and %d are the same", seed, other)
		digests[k.Digest()] = seed
	}
}

func TestDigestDoesNotDependOnWhatIsKept(t *testing.T) {
	run := func(keep int) *Kernel {
		k := New(7, All())
		k.KeepLog(keep)
		k.Serve(anAddress, library)
		c := newClient(k, anAddress)
		_, err := c.fetch("/a")
		require.NoError(t, err)
		return k
	}
	none, some, all := run(0), run(5), run(-1)
	require.Equal(t, none.Digest(), all.Digest())
	require.Equal(t, some.Digest(), all.Digest())
	require.Empty(t, none.Log())
	require.Regexp(t, `(?s)^.*\n`, some.Log())
	require.Len(t, some.log.lines, 5)
	require.Contains(t, all.Log(), some.Log(), "the ring is the end of the whole")
	require.Contains(t, all.Log(), "* request   1 GET /a")
}

func TestTimelineKeepsOrder(t *testing.T) {
	var got []int
	var line timeline
	moments := []time.Duration{5, 1, 5, 3, 1, 9, 0, 3, 5, 2}
	for i, at := range moments {
		line.add(at, func() { got = append(got, i) })
	}
	line.run(5)
	require.Equal(t, []int{6, 1, 4, 9, 3, 7, 0, 2, 8}, got)
	line.run(9)
	require.Equal(t, 5, got[9])
	_, ok := line.next()
	require.False(t, ok)
}

func BenchmarkSession(b *testing.B) {
	for _, world := range []struct {
		name  string
		chaos Chaos
	}{{"Good", Chaos{}}, {"All", All()}} {
		b.Run(world.name, func(b *testing.B) {
			var calls uint64
			for i := range b.N {
				calls += session(b, uint64(i), world.chaos, 200).Counts().Calls
			}
			b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "calls/s")
			b.ReportMetric(float64(calls)/float64(b.N)/200, "calls/fetch")
		})
	}
}
