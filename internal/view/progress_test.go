package view

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

// show is a progress of which the test says what time it is, where the run
// stands, and how wide the terminal is.
type show struct {
	*Progress
	out    bytes.Buffer
	now    time.Time
	moment Moment
	width  int
}

func newShow(style Style) *show {
	s := &show{now: time.Unix(1_000_000, 0), width: 80}
	s.moment = Moment{Tally: new(Tally), Read: -1}
	s.Progress = NewProgress(&s.out, style, func() Moment { return s.moment })
	s.Progress.width = func() int { return s.width }
	return s
}

// after lets time pass and draws; it gives what was written.
func (s *show) after(d time.Duration) string {
	s.now = s.now.Add(d)
	s.out.Reset()
	s.Draw(s.now)
	return s.out.String()
}

// shown is what stands on the terminal's line in the end, without trailing
// spaces.
func shown(written string) string {
	line := make([]byte, 0, 200)
	at := 0
	for _, c := range []byte(written) {
		if c == '\r' {
			at = 0
			continue
		}
		line = append(line[:at], append([]byte{c}, line[min(len(line), at+1):]...)...)
		at++
	}
	return strings.TrimRight(string(line), " ")
}

// fetched lets so many fetches of 100 bytes end, of those that are admitted.
func (s *show) fetched(n int) {
	add(s.moment.Tally, n, nil)
	s.moment.Yielded += int64(n)
	s.moment.Bytes += int64(100 * n)
}

func TestLine(t *testing.T) {
	s := newShow(StyleLine)
	s.width = 120
	s.moment.Total, s.moment.Admitted, s.moment.Queued = 400, 200, 72
	require.Equal(t, "[----------------------------] 0 %  0 of 400  128 in flight  0 B", shown(s.after(0)))
	s.fetched(98)
	add(s.moment.Tally, 0, map[fetch.Phase]int{fetch.PhaseDial: 1, fetch.PhaseStatus: 1})
	s.moment.Yielded += 2
	s.moment.Admitted, s.moment.Queued = 300, 72
	require.Equal(t, "[#####------------------] 25 %  100 of 400  2 failed (dial 1, status 1)  128 in flight  10/s  9.6 KB  980 B/s  30s left",
		shown(s.after(10*time.Second)))
	s.fetched(300)
	s.moment.Admitted, s.moment.Queued = 400, 0
	require.Equal(t, "[############################] 100 %  400 of 400  2 failed (dial 1, status 1)  0 in flight  23/s  38.9 KB  2.2 KB/s",
		shown(s.after(10*time.Second)))
}

// TestLineFits: at any width the line leaves the last column free, lest the
// terminal wrap it, and what matters most stays longest.
func TestLineFits(t *testing.T) {
	s := newShow(StyleLine)
	s.moment.Total, s.moment.Admitted = 1_000_000, 500_000
	s.after(0)
	s.fetched(250_000)
	add(s.moment.Tally, 0, map[fetch.Phase]int{fetch.PhaseDial: 1000, fetch.PhaseStatus: 1000, fetch.PhaseReceive: 3})
	for s.width = 200; s.width > 0; s.width-- {
		s.Clear()
		line := s.after(time.Second)
		require.Less(t, len(shown(line)), s.width, "%q", line)
		if s.width > 30 {
			require.Contains(t, line, "25 %  252003 of 1000000", "%d columns", s.width)
		}
	}
}

func TestLineIsErased(t *testing.T) {
	s := newShow(StyleLine)
	s.moment.Total = 100_000
	s.fetched(10_000)
	long := s.after(0)
	s.moment = Moment{Tally: new(Tally), Read: -1}
	require.Equal(t, "0 done  0 in flight  0 B", shown(long+s.after(time.Second)))
	s.out.Reset()
	n, err := s.Write([]byte("a line of another\n"))
	require.NoError(t, err)
	require.Equal(t, 18, n)
	require.Equal(t, "\r                        \ra line of another\n", s.out.String())
	s.out.Reset()
	s.Clear()
	require.Empty(t, s.out.String(), "there is nothing to clear")
}

// TestRate: a line changes at most ten times a second, however often it is
// asked to.
func TestRate(t *testing.T) {
	s := newShow(StyleLine)
	s.moment.Total = 10_000
	drawn := 0
	for range 10_000 {
		s.fetched(1)
		if s.after(time.Millisecond) != "" {
			drawn++
		}
	}
	require.Equal(t, 100, drawn)
}

func TestDone(t *testing.T) {
	s := newShow(StyleLine)
	require.NotEmpty(t, s.after(0))
	s.out.Reset()
	s.Done()
	require.Empty(t, shown(s.out.String()))
	require.Empty(t, s.after(time.Hour))
	_, err := s.Write([]byte("the summary\n"))
	require.NoError(t, err)
	require.Equal(t, "the summary\n", s.out.String())
}

// TestPercent never passes 100, and is 100 only when all is done.
func TestPercent(t *testing.T) {
	for _, c := range []struct {
		total, done int
		admitted    int64
		read        float64
		want        string
	}{
		{0, 5, 5, -1, ""},
		{0, 0, 0, 0, "0 %"},
		{200, 199, 200, -1, "99 %"},
		{1000, 999, 1000, 1, "99 %"},
		{200, 200, 200, -1, "100 %"},
		{200, 300, 300, -1, "100 %"},
		{0, 50, 100, 0.5, "25 %"},
		{0, 100, 100, 1, "100 %"},
		{0, 200, 100, 1.5, "100 %"},
	} {
		m := Moment{Tally: add(new(Tally), c.done, nil), Total: c.total, Read: c.read}
		m.Admitted = c.admitted
		require.Equal(t, c.want, percent(m.share()), "%+v", c)
	}
}

// TestList: of a list whose length nobody knows, the share that has been read
// says how much is left.
func TestList(t *testing.T) {
	s := newShow(StylePlain)
	s.moment.Read = 0
	require.Empty(t, s.after(0))
	for range 30 {
		s.moment.Admitted += 100
		s.moment.Read += 0.01
		s.fetched(100)
		s.after(2 * time.Second)
	}
	require.Equal(t, "30 %, 3000 done, 0 in flight, 50/s, 293.0 KB, 4.9 KB/s, 2m20s left", s.Status(s.now))
	s.moment.Read = 1
	require.Equal(t, "100 %, 3000 done, 0 in flight, 50/s, 293.0 KB, 4.9 KB/s", s.Status(s.now.Add(time.Nanosecond)))
}

// TestPipe: of a pipe nothing is known, and nothing is made up.
func TestPipe(t *testing.T) {
	s := newShow(StyleLine)
	s.after(0)
	for range 10 {
		s.moment.Admitted += 20
		s.fetched(20)
		s.after(time.Second)
	}
	require.Equal(t, "200 done  0 in flight  20/s  19.5 KB  2.0 KB/s", strings.ReplaceAll(s.Status(s.now), ", ", "  "))
}

// TestPlainStyle: one line a minute, the first after a minute, no control
// characters.
func TestPlainStyle(t *testing.T) {
	s := newShow(StylePlain)
	s.moment.Total = 1000
	var lines []string
	for range 600 {
		s.moment.Admitted++
		s.fetched(1)
		if line := s.after(time.Second); line != "" {
			lines = append(lines, line)
		}
	}
	require.Len(t, lines, 9)
	require.Equal(t, "shoal: 6 %, 61 of 1000, 0 in flight, 1.0/s, 6.0 KB, 100 B/s, 15m39s left\n", lines[0])
	for _, line := range lines {
		require.Regexp(t, `^shoal: [ -~]+\n$`, line)
	}
}

func TestQuiet(t *testing.T) {
	s := newShow(StyleLine)
	s.moment.Total, s.moment.Admitted = 10, 5
	s.after(0)
	s.fetched(1)
	s.after(time.Second)
	require.NotContains(t, s.after(4*time.Second), "nothing came")
	require.Contains(t, s.after(8*time.Second), "nothing came for 12s")
	s.moment.Bytes++
	require.NotContains(t, s.after(time.Second), "nothing came")
}

func TestNone(t *testing.T) {
	s := newShow(StyleNone)
	require.Empty(t, s.after(0)+s.after(time.Hour))
	s.Clear()
	s.Done()
	require.Empty(t, s.out.String())
	require.Contains(t, s.Status(s.now), "0 done")
}

// TestRateForgets: a run that gets faster is not judged by its beginning.
func TestRateForgets(t *testing.T) {
	var r rate
	age := time.Duration(0)
	step := func(perSecond float64, times int) {
		for range times {
			age += 100 * time.Millisecond
			r.add(perSecond/10, 100*time.Millisecond, age)
		}
	}
	step(10, 50)
	require.InDelta(t, 10, float64(r), 0.01)
	step(1000, 50)
	require.InDelta(t, 500, float64(r), 60, "half of ten seconds at ten, half at a thousand")
	step(1000, 1000)
	require.InDelta(t, 1000, float64(r), 1)
	step(0, 2000)
	require.InDelta(t, 0, float64(r), 0.01)
}

// TestDrawnFromSeveral is for the race detector: a ticker draws while the loop
// writes lines.
func TestDrawnFromSeveral(t *testing.T) {
	var out bytes.Buffer
	tally := new(Tally)
	p := NewProgress(&out, StyleLine, func() Moment { return Moment{Tally: tally, Total: 500, Read: -1} })
	var ticker sync.WaitGroup
	ticker.Go(func() {
		for i := range 500 {
			p.Draw(time.Unix(int64(i), 0))
		}
	})
	for range 500 {
		tally.Add(&fetch.Result{Outcome: fetch.Fetched}, nil)
		_, err := p.Write([]byte("a line\n"))
		require.NoError(t, err)
	}
	ticker.Wait()
	p.Done()
	lines := strings.Split(out.String(), "\n")
	require.Len(t, lines, 501)
	for _, line := range lines[:500] {
		require.Equal(t, "a line", shown(line))
	}
	require.Empty(t, shown(lines[500]))
}
