package lab

import (
	"net"
	"sync"
)

// maxVisited is how many different things are counted; when there are more,
// counting starts anew.
const maxVisited = 100_000

// visits counts how often a client has asked for a thing.
type visits struct {
	mu sync.Mutex
	by map[string]int
}

func newVisits() *visits { return &visits{by: make(map[string]int)} }

// visit counts this request for its target, token included, by its client's
// address, and says which it is, from 1.
func (x *exchange) visit() int {
	host, _, _ := net.SplitHostPort(x.tcp.RemoteAddr().String())
	v := x.server.visits
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.by) >= maxVisited {
		clear(v.by)
	}
	key := host + " " + x.path + "?" + x.query.Encode()
	v.by[key]++
	return v.by[key]
}
