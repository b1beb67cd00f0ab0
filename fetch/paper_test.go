package fetch

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/sim"
)

// The paper test: a second protocol, made up, that carries several exchanges on
// one conn, and a sink that pauses and is resumed from another goroutine. HTTP/2
// and an http.RoundTripper will need no more of the engine than these two.
//
// A frame is a type, an exchange's number, a length, and so many bytes:
//
//	Q  to the server    a path is asked for
//	X  to the server    an exchange is abandoned
//	C  to the server    credit: so many more bytes (4 bytes) of body may come
//	H  to the client    a head: the body's length (4 bytes)
//	D  to the client    a piece of the body
//	E  to the client    the end of the body
const (
	frameHead   = 5
	paperRoom   = 5    // exchanges on one conn
	paperCredit = 4000 // bytes of body in flight for each
)

func appendFrame(dst []byte, kind byte, id uint16, payload []byte) []byte {
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(payload)))
	return append(dst, payload...)
}

// cutFrame takes the first whole frame off p; n is 0 when there is none yet.
func cutFrame(p []byte) (kind byte, id uint16, payload []byte, n int) {
	if len(p) < frameHead {
		return 0, 0, nil, 0
	}
	n = frameHead + int(binary.BigEndian.Uint16(p[3:]))
	if len(p) < n {
		return 0, 0, nil, 0
	}
	return p[0], binary.BigEndian.Uint16(p[1:]), p[frameHead:n], n
}

// paper is the client's side: a protocol with several exchanges.
type paper struct {
	in      []byte
	streams map[uint16]*paperStream
	ids     map[*exchange]uint16
	last    uint16
	say     []byte // owed to the server
	shown   []byte // with the last Body
	closed  bool
}

type paperStream struct {
	x      *exchange
	length int64
	used   int      // credit used since the last was given
	held   [][]byte // pieces that came during a pause
	ended  bool     // no more will come
}

func newPaper(*conn) protocol {
	return &paper{streams: map[uint16]*paperStream{}, ids: map[*exchange]uint16{}}
}

func (p *paper) room() int { return paperRoom - len(p.streams) }

func (p *paper) begin(r *http1.Request, _, dst []byte) (*exchange, []byte, []byte) {
	p.last++
	x := new(exchange)
	p.streams[p.last], p.ids[x] = &paperStream{x: x, length: -1}, p.last
	return x, appendFrame(dst, 'Q', p.last, []byte(r.Target)), nil
}

func (p *paper) feed(b []byte) { p.in = append(p.in, b...) }
func (p *paper) eof()          { p.closed = true }
func (p *paper) hold()         {}

func (p *paper) next() (*exchange, http1.Kind, error) {
	for id := uint16(1); id <= p.last; id++ {
		if s := p.streams[id]; s != nil && !s.x.paused && s.length >= 0 && (s.ended || len(s.held) > 0) {
			return p.deliver(id, s)
		}
	}
	for {
		kind, id, payload, n := cutFrame(p.in)
		if n == 0 {
			if p.closed && len(p.streams) > 0 {
				return nil, 0, fmt.Errorf("closed in mid-stream")
			}
			return nil, http1.NeedData, nil
		}
		p.in = p.in[n:]
		s := p.streams[id]
		if s == nil {
			continue // abandoned meanwhile
		}
		switch kind {
		case 'H':
			s.length = int64(binary.BigEndian.Uint32(payload))
			return s.x, http1.Final, nil
		case 'D':
			s.used += len(payload)
			s.held = append(s.held, payload)
		case 'E':
			s.ended = true
		default:
			return nil, 0, fmt.Errorf("unknown frame %q", kind)
		}
		if !s.x.paused {
			return p.deliver(id, s)
		}
	}
}

// deliver hands on the next piece of an exchange that is not paused, or its end.
func (p *paper) deliver(id uint16, s *paperStream) (*exchange, http1.Kind, error) {
	if len(s.held) == 0 {
		p.forget(id)
		return s.x, http1.Done, nil
	}
	p.shown, s.held = s.held[0], s.held[1:]
	return s.x, http1.Body, nil
}

func (p *paper) piece(*exchange) []byte { return p.shown }

func (p *paper) trailer(*exchange) Section      { return "" }
func (p *paper) head(*exchange) (Head, Framing) { return okHead(), http1.Length }

func (p *paper) forget(id uint16) {
	delete(p.ids, p.streams[id].x)
	delete(p.streams, id)
}

// okHead is a head as HTTP/1 would have brought it.
func okHead() Head {
	var parser http1.Parser
	parser.Reset("GET", nil)
	parser.Feed([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	if _, err := parser.Next(); err != nil {
		panic(err)
	}
	return parser.Head()
}

// reading: a pause is between an exchange and its credit, never the conn's.
func (p *paper) reading() bool       { return true }
func (p *paper) started() bool       { return false }
func (p *paper) straight() *exchange { return nil }
func (p *paper) skip(*exchange, int) { panic("paper: nothing goes straight") }
func (p *paper) reusable() bool      { return true }

func (p *paper) rest(most time.Duration) time.Duration { return most }
func (p *paper) ended(x *exchange) bool                { return p.ids[x] == 0 }

func (p *paper) length(x *exchange) int64 { return p.streams[p.ids[x]].length }

func (p *paper) abandon(x *exchange) bool {
	if id := p.ids[x]; id != 0 {
		p.say = appendFrame(p.say, 'X', id, nil)
		p.forget(id)
	}
	return true
}

// owed gives credit to every exchange that has used some and is not paused.
func (p *paper) owed(dst []byte) []byte {
	dst = append(dst, p.say...)
	p.say = p.say[:0]
	for id := uint16(1); id <= p.last; id++ {
		if s := p.streams[id]; s != nil && s.used > 0 && !s.x.paused {
			dst = appendFrame(dst, 'C', id, binary.BigEndian.AppendUint32(nil, uint32(s.used)))
			s.used = 0
		}
	}
	return dst
}

// paperServer is the server's side: a path is /SIZE or /stall.
type paperServer struct {
	c      *sim.Conn
	t      *testing.T
	in     []byte
	bodies map[uint16][]byte
	credit map[uint16]int
	order  []uint16
	most   *int // exchanges at once
}

func (s *paperServer) Receive(p []byte) {
	s.in = append(s.in, p...)
	for {
		kind, id, payload, n := cutFrame(s.in)
		if n == 0 {
			break
		}
		s.in = s.in[n:]
		switch kind {
		case 'Q':
			s.open(id, string(payload))
		case 'X':
			delete(s.bodies, id)
		case 'C':
			s.credit[id] += int(binary.BigEndian.Uint32(payload))
		default:
			s.t.Errorf("unknown frame %q", kind)
		}
	}
	s.push()
}

func (s *paperServer) open(id uint16, path string) {
	if path == "/stall" {
		return
	}
	size, err := strconv.Atoi(path[1:])
	require.NoError(s.t, err)
	s.bodies[id], s.credit[id] = paperBody(size), paperCredit
	s.order = append(s.order, id)
	*s.most = max(*s.most, len(s.bodies))
	s.c.Send(0, appendFrame(nil, 'H', id, binary.BigEndian.AppendUint32(nil, uint32(size))))
}

// push sends what credit allows, in turn.
func (s *paperServer) push() {
	for more := true; more; {
		more = false
		for _, id := range s.order {
			body, open := s.bodies[id]
			n := min(len(body), s.credit[id], 1+s.c.Rand().IntN(1000))
			if !open || n == 0 && len(body) > 0 {
				continue
			}
			if n > 0 {
				s.c.Send(0, appendFrame(nil, 'D', id, body[:n]))
				s.credit[id] -= n
				s.bodies[id] = body[n:]
				more = true
			} else {
				s.c.Send(0, appendFrame(nil, 'E', id, nil))
				delete(s.bodies, id)
			}
		}
	}
}

func (s *paperServer) Closed() {}

func paperBody(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + size)
	}
	return p
}

// patient is a sink that pauses now and then and is resumed from another
// goroutine.
type patient struct {
	k      *sim.Kernel
	r      *rand.Rand
	got    map[string][]byte
	often  bool // and not only now and then
	pauses int
}

type patientBody struct {
	s    *patient
	info OpenInfo
}

func (s *patient) Open(info OpenInfo) (Body, error) { return &patientBody{s, info}, nil }

func (b *patientBody) Write(piece []byte) error {
	s := b.s
	s.got[b.info.Request.URL] = append(s.got[b.info.Request.URL], piece...)
	if !s.often && s.r.IntN(5) > 0 {
		return nil
	}
	s.pauses++
	s.k.AtExpectWake(s.k.Now()+time.Duration(1+s.r.IntN(500))*time.Millisecond, func() { go b.info.Resume() })
	return ErrPause
}

func (b *patientBody) Commit() error { return nil }
func (b *patientBody) Discard()      { delete(b.s.got, b.info.Request.URL) }

func TestSimPaper(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		paperRun(t, seed)
	}
}

func paperRun(t *testing.T, seed uint64) {
	k := sim.New(seed, sim.Mild())
	most := 0
	k.Listen(netip.MustParseAddrPort("10.0.0.1:80"), func(c *sim.Conn) sim.Peer {
		return &paperServer{c: c, t: t, bodies: map[uint16][]byte{}, credit: map[uint16]int{}, most: &most}
	})
	r := rand.New(rand.NewPCG(seed, 2))
	sink := &patient{k: k, r: r, got: map[string][]byte{}}
	f, err := NewOn(k, k.Runner(), Options{
		MaxConns: 2, MaxPerHost: 2, Sink: sink, Resolver: k,
		TotalTimeout: 10 * time.Minute, FirstByteTimeout: time.Minute,
	})
	require.NoError(t, err)
	f.loop.speak = newPaper

	const count = 60
	ended, stalled := map[string]int{}, 0
	for res, err := range f.Fetch(context.Background(), paperRequests(count)) {
		ended[res.Request.URL]++
		size := res.Request.Tag.(int)
		if size < 0 {
			require.ErrorContains(t, err, "first byte timeout", "seed %d", seed)
			stalled++
			continue
		}
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, string(paperBody(size)), string(sink.got[res.Request.URL]), "seed %d: %s", seed, res.URL)
	}
	require.Len(t, ended, count)
	require.Equal(t, count/20, stalled)
	require.Greater(t, most, 1, "seed %d: never two exchanges on one conn", seed)
	require.NotZero(t, sink.pauses)
	require.NoError(t, f.Close())
	require.LessOrEqual(t, k.Counts().MostSockets, 2)
	require.Empty(t, k.Open())
	require.Empty(t, k.Violations())
}

// paperRequests are of all sizes; one in twenty stalls.
func paperRequests(count int) func(func(Request) bool) {
	return func(yield func(Request) bool) {
		for n := range count {
			q := Request{URL: fmt.Sprintf("http://10.0.0.1/%d", n*311), Tag: n * 311}
			if n%20 == 7 {
				q = Request{URL: fmt.Sprintf("http://10.0.0.1/stall#%d", n), Tag: -1}
			}
			if !yield(q) {
				return
			}
		}
	}
}
