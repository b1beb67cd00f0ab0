package fetch_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
	"github.com/shoalfetch/shoal/poller"
)

// The world of the simulations: hosts whose servers say in the URL's path what
// they answer, so that what a fetch must deliver follows from its URL alone.
//
//	/length/SIZE/ID    SIZE bytes, Content-Length; the rest of them, when that is asked for
//	/chunked/SIZE/ID   SIZE bytes in chunks
//	/close/SIZE/ID     SIZE bytes, until the connection closes
//	/old/SIZE/ID       SIZE bytes, HTTP/1.0 without keep-alive
//	/coded/SIZE/ID     SIZE bytes, encoded as the ID says if that is accepted, framed in any of these ways
//	/echo/SIZE/ID      the request's body, which must be these SIZE bytes
//	/status/CODE/ID    that status, with a short body
//	/to/CODE/PATH...   that redirect, to /PATH
//	/round/N/ID        redirects to itself

// body is the content of a path: bytes that depend on all of it.
func body(path string) []byte {
	parts := strings.Split(path, "/")
	size, err := strconv.Atoi(parts[2])
	if err != nil {
		panic("no size in " + path)
	}
	h := fnv.New64a()
	h.Write([]byte(path))
	r := rand.New(rand.NewPCG(h.Sum64(), 0))
	p := make([]byte, size)
	for i := 0; i < size; i += 8 {
		v := r.Uint64()
		for k := i; k < min(i+8, size); k++ {
			p[k] = byte(v)
			v >>= 8
		}
	}
	return p
}

// serve answers as the path says.
func serve(q *sim.Request, r *rand.Rand) sim.Response {
	if q.Target == "" || q.Target[0] != '/' || q.Field(proxyLogin) != "" {
		return sim.Reply(400, "", nil)
	}
	parts := strings.Split(q.Target, "/")
	if q.Method == "HEAD" {
		return sim.Raw([]byte("HTTP/1.1 200 OK\r\nContent-Length: " + parts[2] + "\r\n\r\n"))
	}
	switch parts[1] {
	case "length":
		return ranged(q, body(q.Target), `"`+q.Target+`"`)
	case "chunked":
		return sim.ReplyChunked(200, "", body(q.Target), 1+r.IntN(3000))
	case "close":
		return sim.ReplyUntilClose(200, "", body(q.Target))
	case "old":
		p := sim.Raw(append([]byte("HTTP/1.0 200 OK\r\n\r\n"), body(q.Target)...))
		p.Then = sim.FIN
		return p
	case "coded":
		return replyCoded(q, r)
	case "echo":
		return sim.Reply(200, "", q.Body)
	case "status":
		code, _ := strconv.Atoi(parts[2])
		return sim.Reply(code, "", []byte("no such thing here"))
	case "to":
		code, _ := strconv.Atoi(parts[2])
		return sim.Reply(code, "Location: /"+strings.Join(parts[3:], "/")+"\r\n", []byte("moved"))
	case "round":
		return sim.Reply(302, "Location: "+q.Target+"\r\n", nil)
	}
	return sim.Reply(500, "", nil)
}

// hosts are the names of the world and their addresses, in the order in which
// they are tried. What is not in up has no server.
var hosts = map[string][]string{
	"one.test":   {"10.0.0.1"},
	"two.test":   {"10.0.0.2"},
	"three.test": {"10.0.0.3"},
	"both.test":  {"2001:db8::4", "10.0.0.4"}, // the first refuses
	"hole.test":  {"10.9.9.9", "10.0.0.5"},    // the first swallows everything
	"six.test":   {"2001:db8::6"},
}

var up = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "2001:db8::6"}

// newWorld is a simulated machine with the hosts on its network.
func newWorld(seed uint64, chaos sim.Chaos) *sim.Kernel {
	k := sim.New(seed, chaos)
	for _, name := range []string{"one.test", "two.test", "three.test", "both.test", "hole.test", "six.test"} {
		var addrs []netip.Addr
		for _, a := range hosts[name] {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		k.Host(name, addrs...)
	}
	for _, a := range up {
		k.Serve(netip.AddrPortFrom(netip.MustParseAddr(a), 80), serve)
	}
	k.BlackHole(netip.MustParseAddrPort("10.9.9.9:80"))
	return k
}

// anyRequest draws a request. Most are plain; sizes go from nothing to past
// the read buffer.
func anyRequest(r *rand.Rand, n int) fetch.Request {
	host := []string{"one.test", "one.test", "two.test", "three.test", "both.test", "hole.test", "six.test",
		"10.0.0.1", "[2001:db8::6]", "nowhere.test"}[r.IntN(10)]
	size := r.IntN(3000)
	switch r.IntN(20) {
	case 0:
		size = 0
	case 1:
		size = r.IntN(100_000)
	case 2:
		size = 300_000 + r.IntN(1_200_000)/(1+r.IntN(8))
	}
	q := fetch.Request{Tag: n}
	path := fmt.Sprintf("/%s/%d/%d.jpg", []string{"length", "length", "length", "chunked", "close", "old", "coded", "coded"}[r.IntN(8)], size, n)
	switch r.IntN(16) {
	case 0:
		path = fmt.Sprintf("/to/%d%s", []int{301, 302, 303, 307, 308}[r.IntN(5)], path)
	case 1:
		path = fmt.Sprintf("/status/%d/%d", []int{403, 404, 500, 503}[r.IntN(4)], n)
	case 2:
		path = fmt.Sprintf("/round/%d/x", n)
	case 3:
		path = fmt.Sprintf("/echo/%d/%d", size, n)
		q.Method, q.Body = []string{"PUT", "POST"}[r.IntN(2)], body(path)
	case 4:
		q.Method = "HEAD"
	}
	q.URL = "http://" + host + path
	return q
}

// wanted is what a fetch that ended well must have delivered.
func wanted(t testing.TB, res *fetch.Result) []byte {
	if res.Request.Method == "HEAD" {
		return []byte{}
	}
	u, err := url.Parse(res.URL)
	if err != nil {
		t.Fatal(err)
	}
	return body(u.Path)
}

// mayFail says whether a request may fail in a world that fails nothing.
func mayFail(q fetch.Request) bool {
	return strings.Contains(q.URL, "nowhere.test") || strings.Contains(q.URL, "/status/") || strings.Contains(q.URL, "/round/")
}

// turns is a kernel that notes when each Wait ended: the loop's turns.
type turns struct {
	*sim.Kernel
	ends []time.Duration
}

func (k *turns) Wait(events []poller.Event, timeout time.Duration) (int, error) {
	n, err := k.Kernel.Wait(events, timeout)
	k.ends = append(k.ends, k.Now())
	return n, err
}
