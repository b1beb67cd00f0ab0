// Package lab is a misbehaving HTTP server, for tests, for the demo and for
// students: one small endpoint for everything a server on the open net does to
// those who fetch from it.
//
//	s := lab.New(lab.Options{Log: lab.LogTo(os.Stderr)})
//	if err := s.Listen("127.0.0.1:0"); err != nil {
//		return err
//	}
//	defer s.Close()
//	go s.Serve()
//	fmt.Println(s.URL()) // the index page lists every endpoint
//
// A path is an endpoint and what it serves: /drip/tile/7.jpg drips tile 7,
// /reset/body/image/640x480.png resets in the middle of a PNG, /ok/bytes/5000.jpg
// is a JPEG of exactly 5,000 bytes. Without an endpoint it is served well;
// without a picture there is one of 320 × 200. Numbers are given in the query,
// as in /drip/tile/7.jpg?bytes=100&pause=5; the index page, and /index.json,
// name them with their defaults and limits. Times are in milliseconds.
//
// What is answered depends on the URL and the seed alone, but for the few
// endpoints that count a client's visits (busy, dying/first, range/changed).
//
// With [Options.Authority] all this is served over TLS, and under names such as
// expired.localhost the server is another one, which no client should believe or
// whose handshake goes wrong; the index page names them.
//
// With [Options.Book] the server is the other end of a textbook's program
// instead, see [Book].
//
// Every connection has a goroutine and is written to without net/http, which
// is too well-mannered for this. The address should be a loopback one: several
// endpoints send without end.
package lab
