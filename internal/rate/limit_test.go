package rate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestEvenPace(t *testing.T) {
	l := NewLimit(10, 0)
	now := time.Duration(0)
	for n := range 50 {
		require.Equal(t, time.Duration(n)*100*ms, l.Next(now))
		now = l.Next(now)
		l.Take(now, 1)
	}
}

// TestCatchesUp: what was missed is made up for within the slack only.
func TestCatchesUp(t *testing.T) {
	l := NewLimit(10, 250*ms)
	burst := func(now time.Duration) (n int) {
		for ; l.Next(now) == now; n++ {
			l.Take(now, 1)
		}
		return n
	}
	require.Equal(t, 3, burst(0), "at the start: two and a half, and the one begun")
	require.Equal(t, 0, burst(49*ms))
	require.Equal(t, 50*ms, l.Next(49*ms))
	require.Equal(t, 1, burst(50*ms))
	require.Equal(t, 1, burst(150*ms))
	require.Equal(t, 2, burst(350*ms), "woke late")
	require.Equal(t, 3, burst(time.Hour), "had nothing to do")
}

func TestRoom(t *testing.T) {
	l := NewLimit(1000, 100*ms)
	require.Equal(t, 100, l.Room(0))
	l.Take(0, 60)
	require.Equal(t, 40, l.Room(0))
	require.Equal(t, 50, l.Room(10*ms))
	l.Take(10*ms, 150)
	require.Equal(t, 0, l.Room(10*ms))
	require.Equal(t, 110*ms, l.Next(10*ms), "a hundred too many take a tenth of a second")
	require.Equal(t, 0, l.Room(110*ms))
	require.Equal(t, 100, l.Room(210*ms))
	require.Equal(t, 100, l.Room(time.Hour))
}

func TestNoLimit(t *testing.T) {
	var l Limit
	l.Take(5, math.MaxInt32)
	require.Equal(t, time.Duration(5), l.Next(5))
	require.Equal(t, math.MaxInt, l.Room(5))
	require.Panics(t, func() { NewLimit(0, 0) })
	require.Panics(t, func() { NewLimit(math.NaN(), 0) })
	require.Panics(t, func() { NewLimit(1, -1) })
}

// TestLimitsOfNumbers: the largest and the smallest rates overflow nothing.
func TestLimitsOfNumbers(t *testing.T) {
	slow := NewLimit(1e-12, 0)
	for range 10 {
		slow.Take(time.Hour, math.MaxInt32)
		require.Greater(t, slow.Next(time.Hour), 500_000*time.Hour)
	}
	fast := NewLimit(1e12, time.Second)
	require.Equal(t, math.MaxInt32, fast.Room(0))
	fast.Take(0, 1)
	require.Zero(t, fast.Next(0))
}

// FuzzLimit: whatever is taken and whenever, no more goes through than the rate
// lets, and as much as it lets if there is always more.
func FuzzLimit(f *testing.F) {
	f.Add(uint64(1), uint16(10), uint16(0))
	f.Add(uint64(2), uint16(1000), uint16(100))
	f.Add(uint64(3), uint16(60000), uint16(5))
	f.Fuzz(func(t *testing.T, seed uint64, perSecond, slackMS uint16) {
		rate, slack := float64(perSecond)+1, time.Duration(slackMS)*ms
		chance := rand.New(rand.NewPCG(seed, 0))
		l := NewLimit(rate, slack)
		start := time.Duration(chance.Int64N(1e12))
		now, missed, through, last := start, time.Duration(0), 0, 0
		for range 500 {
			asked := now + time.Duration(chance.Int64N(int64(slack/2+1)))
			missed += max(0, asked-max(l.even, start)) // by the caller
			now = l.Next(asked)
			last = 1 + chance.IntN(max(1, min(2*l.Room(now), 100_000)))
			l.Take(now, last)
			through += last
			most := ((now-start)+slack).Seconds()*rate + float64(last) + 1e-6
			require.LessOrEqual(t, float64(through), most)
		}
		const rounded = 500 * time.Nanosecond
		least := (now - start - missed - rounded).Seconds() * rate
		require.GreaterOrEqual(t, float64(through), least-1e-6)
	})
}

func TestParse(t *testing.T) {
	for text, want := range map[string]float64{
		"10/s": 10, "0.5/s": 0.5, "30/m": 0.5, "3600/h": 1, "86400/d": 1, "10/5s": 2, "1/2d": 1.0 / 172800, "1e9/s": 1e9,
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		require.InEpsilon(t, want, got, 1e-12, text)
	}
	for text, want := range map[string]string{
		"": "in a time", "10": "in a time, as in 10/s",
		"/s": "begins with a number", "0/s": "above 0", "-1/s": "above 0", "x/s": "begins with a number", "NaN/s": "above 0", "1e10/s": "up to 1000000000", "Inf/s": "up to",
		"1/": "s, m, h or d", "1/x": "s, m, h or d", "1/ss": "s, m, h or d", "1/s5": "s, m, h or d", "1/0s": "so many", "1/-1s": "so many", "1/1.5s": "so many", "1/9999999s": "so many", "1/5": "s, m, h or d",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestJitter(t *testing.T) {
	require.Equal(t, 500*ms, Jitter(time.Second, 0))
	require.Equal(t, time.Second, Jitter(time.Second, 1<<63))
	require.Equal(t, 1500*ms-1, Jitter(time.Second, math.MaxUint64))
	require.Zero(t, Jitter(0, math.MaxUint64))
	require.Positive(t, Jitter(math.MaxInt64/2, math.MaxUint64))
}
