package fetch_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// story is the events so far, a line each, and forgets them. Times are left
// out, but must not go back.
func (s *scene) story() string {
	var b strings.Builder
	for n, e := range s.events {
		require.True(s.t, n == 0 || e.At >= s.events[n-1].At, "event %d is earlier than the one before", n)
		fmt.Fprintf(&b, "%v job %d conn %d", e.Kind, e.Job, e.Conn)
		if e.N != 0 || e.Of != 0 {
			fmt.Fprintf(&b, " %d", e.N)
		}
		if e.Kind == fetch.CallSend {
			fmt.Fprintf(&b, "/%d", e.Of)
		}
		if e.Errno != 0 {
			fmt.Fprintf(&b, " %s", map[syscall.Errno]string{syscall.EINPROGRESS: "EINPROGRESS", syscall.EAGAIN: "EAGAIN"}[e.Errno])
		}
		b.WriteByte('\n')
	}
	s.events = nil
	return b.String()
}

// TestStory is what is told of plain fetches: the first looks up and connects,
// the second goes over the kept connection, the third finds it closed.
func TestStory(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", func(q *sim.Request) sim.Response {
		p := sim.Reply(200, "", []byte("hello"))
		if q.Nth == 2 {
			p.Then = sim.FIN
		}
		return p
	})
	f := s.fetcher()

	s.fetch(f, "http://a.test/1")
	require.Equal(t, `queued job 1 conn 0
looking up job 1 conn 0
running job 1 conn 0
dialing job 1 conn 1
connect job 1 conn 1 EINPROGRESS
open job 1 conn 1
sending job 1 conn 1
send job 1 conn 1 92/92
awaiting job 1 conn 1
recv job 1 conn 1 41
receiving job 1 conn 1
exchange done job 1 conn 1
done job 1 conn 0 1
`, s.story())

	s.fetch(f, "http://a.test/2")
	require.Equal(t, `queued job 2 conn 0
running job 2 conn 0
sending job 2 conn 1
send job 2 conn 1 92/92
awaiting job 2 conn 1
recv job 2 conn 1 41
receiving job 2 conn 1
exchange done job 2 conn 1
done job 2 conn 0 1
`, s.story())

	s.pass(time.Second)
	s.fetch(f, "http://a.test/3")
	require.Equal(t, `recv job 0 conn 1 0
closed job 0 conn 1
queued job 3 conn 0
running job 3 conn 0
dialing job 3 conn 2
connect job 3 conn 2 EINPROGRESS
open job 3 conn 2
sending job 3 conn 2
send job 3 conn 2 92/92
awaiting job 3 conn 2
recv job 3 conn 2 41
receiving job 3 conn 2
exchange done job 3 conn 2
done job 3 conn 0 1
`, s.story())
}

// fetch gets one URL with a Fetcher that is there.
func (s *scene) fetch(f *fetch.Fetcher, url string) {
	require.NoError(s.t, s.run(f, gets(url)...)[0].err)
}

// TestEveryStoryEnds: each job that is told of is queued or refused first, and
// done last and once; each connection closes once.
func TestEveryStoryEnds(t *testing.T) {
	s := newScene(t)
	s.k = newWorld(3, sim.Mild())
	s.on, s.options.Resolver = s.k, s.k
	f, err := fetch.NewOn(s.on, s.k.Runner(), s.options)
	require.NoError(t, err)
	s.run(f, append(faultRequests(), gets("ftp://a.test/", "http://nowhere.test/")...)...)
	require.NoError(t, f.Close())

	jobs, conns := map[uint64]int{}, map[uint64]int{}
	begun := map[uint64]bool{0: true}
	for _, e := range s.events {
		require.True(t, begun[e.Job] || e.Kind == fetch.JobQueued || e.Kind == fetch.JobDone, "%v is the first of a job", e.Kind)
		begun[e.Job] = true
		require.LessOrEqual(t, jobs[e.Job], 0, "%v of a job that was done", e.Kind)
		require.LessOrEqual(t, conns[e.Conn], 0, "%v of a connection that was closed", e.Kind)
		switch e.Kind {
		case fetch.JobDone:
			jobs[e.Job]++
		case fetch.ConnDialing:
			conns[e.Conn] = 0
		case fetch.ConnClosed:
			conns[e.Conn]++
		}
	}
	require.Len(t, jobs, len(faultRequests())+2)
	for conn, closed := range conns {
		require.Equal(t, 1, closed, "connection %d", conn)
	}
}
