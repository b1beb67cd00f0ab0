package lab

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Options says how a server is. The zero value works.
type Options struct {
	// Seed decides what the pictures look like, but for the mosaic, and which
	// of the dying die.
	Seed uint64

	// Log gets every entry, one at a time, from the connections' goroutines.
	// It must not call the server. Nil: nothing is logged.
	Log func(Entry)

	// Clock gives the times of the log: time since some moment, never going
	// back. It is called from several goroutines. Nil: every entry bears 0,
	// so that logs of two runs can be compared.
	Clock func() time.Duration

	// Authority makes the server speak TLS, with certificates of this one, and
	// be another server under each of some names. Not with Book. Nil: nothing is
	// encrypted.
	Authority *Authority

	// Book makes the server the other end of the textbook. Nil: endpoints.
	Book *Book
}

// Server is a lab. Its methods may be called from any goroutine.
type Server struct {
	options  Options
	log      *journal
	subjects []subject
	shelf    *shelf
	visits   *visits
	secured  *secured // nil: without TLS
	stats    stats
	listener *net.TCPListener
	closing  chan struct{}
	linger   time.Duration // how long a half-closed client may take to go
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	count  int
	conns  map[*conn]struct{}
}

// New makes a server that does nothing yet.
func New(o Options) *Server {
	if o.Authority != nil && o.Book != nil {
		panic("lab: the textbook knows no TLS")
	}
	s := &Server{
		options:  o,
		log:      newJournal(o),
		subjects: subjects(),
		shelf:    newShelf(o.Seed),
		visits:   newVisits(),
		closing:  make(chan struct{}),
		linger:   lingerTimeout,
		conns:    make(map[*conn]struct{}),
	}
	if o.Authority != nil {
		s.secured = newSecured(o.Authority)
	}
	return s
}

// Listen takes an address: host:port, with port 0 for any that is free. The
// log's time begins here. It is called once, before Serve.
func (s *Server) Listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.listener = l.(*net.TCPListener)
	if s.options.Book != nil {
		bookAnswer() // now, since the first client should not wait for the picture
	}
	s.log.begin()
	return nil
}

// URL is where the server listens: http://host:port, or https with an
// Authority, without a slash.
func (s *Server) URL() string { return s.scheme() + "://" + s.address() }

func (s *Server) scheme() string {
	if s.secured != nil {
		return "https"
	}
	return "http"
}

func (s *Server) address() string { return s.listener.Addr().String() }

// Serve accepts connections until Close, and then returns nil. Any other
// error of the listener is returned; being out of descriptors is waited out.
func (s *Server) Serve() error {
	for {
		tcp, err := s.listener.AcceptTCP()
		switch {
		case err == nil:
			s.take(tcp)
		case errors.Is(err, net.ErrClosed):
			return nil
		case passes(err):
			select {
			case <-s.closing:
			case <-time.After(10 * time.Millisecond):
			}
		default:
			return err
		}
	}
}

// Close stops listening, closes every connection, and returns when the last
// goroutine of a connection has ended. A second call does nothing more.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	for c := range s.conns {
		c.tcp.Close()
	}
	s.mu.Unlock()
	if first {
		close(s.closing)
		if s.listener != nil {
			s.listener.Close()
		}
	}
	s.running.Wait()
}

// take starts a connection's life.
func (s *Server) take(tcp *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		tcp.Close()
		return
	}
	s.count++
	c := newConn(s, tcp, s.count)
	s.conns[c] = struct{}{}
	s.running.Add(1)
	go s.live(c)
}

func (s *Server) live(c *conn) {
	defer s.running.Done()
	s.log.add(c.id, Accepted, 0, "accepted from %s", c.tcp.RemoteAddr())
	s.stats.accepted.Add(1)
	switch {
	case s.secured != nil && !c.greet(s.secured):
	case s.options.Book != nil:
		s.options.Book.serve(c)
	default:
		s.serve(c)
	}
	c.end()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}
