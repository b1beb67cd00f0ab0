package tlsconn

import (
	"crypto/tls"
	"strconv"
)

// DefaultSessions is how many origins' sessions are remembered. Resumption
// saves a fifth to two fifths of a connection's CPU (the more, the cheaper its
// key exchange) and with TLS 1.2 a round trip. A session takes a few KB, most of
// it the server's certificates. A run has some hundreds of connections open, so
// this keeps the sessions of all origins in use.
const DefaultSessions = 1024

// cache returns where the sessions of one more Config are kept: in one LRU
// cache for all of them, under a key of its own.
func (s *Settings) cache() tls.ClientSessionCache {
	if s.Sessions < 0 {
		return nil
	}
	if s.sessions == nil {
		size := s.Sessions
		if size == 0 {
			size = DefaultSessions
		}
		s.sessions = tls.NewLRUClientSessionCache(size)
	}
	s.configs++
	return &originCache{s.sessions, strconv.Itoa(s.configs)}
}

// originCache keeps one Config's session. crypto/tls would use the server's
// name for the key, which two ports of a host share: each would be offered the
// other's tickets, and put its own in their place.
type originCache struct {
	all tls.ClientSessionCache
	key string
}

func (c *originCache) Get(string) (*tls.ClientSessionState, bool) { return c.all.Get(c.key) }

func (c *originCache) Put(_ string, session *tls.ClientSessionState) { c.all.Put(c.key, session) }
