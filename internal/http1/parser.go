package http1

import "fmt"

// Kind says what [Parser.Next] has found.
type Kind uint8

// The kinds of event, in the order of a response's life.
const (
	NeedData Kind = iota // all fed bytes are used up: Feed more, or EOF
	Interim              // Head is that of an interim response (1xx); another head follows
	Final                // Head is that of the response; Framing and Length are known
	Body                 // Data is the next piece of the body
	Done                 // the response is complete; Trailer and KeepAlive are known
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"need data", "interim", "final", "body", "done"}[k]
}

// Parser reads one response after another from bytes in pieces of any size.
// Its events do not depend on how the bytes were cut, but for the cuts of Body.
//
// A Parser needs [Parser.Reset] before each response. It is not safe for
// concurrent use.
type Parser struct {
	limits *Limits
	fed    []byte // what Feed lent, from the first byte not consumed
	aside  *aside // nil for most
	head   Head
	data   int   // how many bytes at the front of fed the last Body event showed
	seen   int64 // body bytes passed
	left   int64 // bytes up to the end of the body (Length) or chunk (Chunked)

	at     int32 // where the current line begins, from the start of its section
	credit int32 // how many bytes of chunk framing are still paid for
	fields uint16
	passed uint16 // interim responses

	stage   stage
	chunk   chunkState
	digits  uint8 // of the current chunk size
	framing Framing

	headRequest bool
	connect     bool
	started     bool
	closed      bool
	suspect     bool
	toClose     bool
}

// aside is what few responses need, and many parsers wait at once.
type aside struct {
	held    []byte // a head or trailer that was split, up to its last byte seen
	trailer Section
	err     error
}

// held is what has come of a section that was split.
func (p *Parser) held() []byte {
	if p.aside == nil {
		return nil
	}
	return p.aside.held
}

// setAside is where to put what few responses need.
func (p *Parser) setAside() *aside {
	if p.aside == nil {
		p.aside = new(aside)
	}
	return p.aside
}

// failure is the error that ended the response, if one did.
func (p *Parser) failure() error {
	if p.aside == nil {
		return nil
	}
	return p.aside.err
}

// stage is where in a response the parser stands.
type stage uint8

const (
	unset stage = iota
	atStatusLine
	atFields
	atBody
	atTrailer
	complete
)

// Reset makes the parser ready for the response to a request of this method.
// It forgets everything from before, bytes not used included. The limits are
// not copied; nil means the defaults.
func (p *Parser) Reset(method string, limits *Limits) {
	if limits == nil {
		limits = &defaultLimits
	}
	*p = Parser{
		limits:      limits,
		stage:       atStatusLine,
		headRequest: method == "HEAD",
		connect:     method == "CONNECT",
	}
}

// Restart is Reset with the limits of the last Reset, and its ToClose.
func (p *Parser) Restart(method string) {
	toClose := p.toClose
	p.Reset(method, p.limits)
	p.toClose = toClose
}

// ToClose makes everything after a final head the body, up to the closing,
// whatever the head says: as the first HTTP clients read, and as it can be shown
// what a response consists of. It holds until the next Reset.
func (p *Parser) ToClose() { p.toClose = true }

// Feed lends the parser the next bytes from the peer, until Next says NeedData
// or returns an error. It panics if earlier bytes are not used up, and after
// EOF or an error.
func (p *Parser) Feed(b []byte) {
	switch {
	case p.stage == unset:
		panic("http1: Feed before Reset")
	case p.failure() != nil || p.closed:
		panic("http1: Feed after the end")
	case len(p.fed) > p.data:
		panic("http1: Feed before the last bytes are used up")
	}
	p.fed, p.data = b, 0
	p.started = p.started || len(b) > 0
}

// EOF says that the peer has closed: after what was fed nothing more comes.
func (p *Parser) EOF() { p.closed = true }

// Next returns the next event. After an error every call returns the same
// error, and the Kind means nothing; after Done every call returns Done.
func (p *Parser) Next() (Kind, error) {
	p.fed, p.data = p.fed[p.data:], 0
	if err := p.failure(); err != nil {
		return NeedData, err
	}
	kind, err := p.step()
	if err != nil {
		p.fed, p.aside = nil, &aside{err: err}
		return NeedData, err
	}
	return kind, nil
}

func (p *Parser) step() (Kind, error) {
	switch p.stage {
	case atStatusLine, atFields:
		return p.nextHead()
	case atBody:
		return p.nextBody()
	case atTrailer:
		return p.nextTrailer()
	case complete:
		return Done, nil
	}
	panic("http1: Next before Reset")
}

// starved asks for more bytes, or says what it means that there are none.
func (p *Parser) starved() (Kind, error) {
	switch {
	case !p.closed:
		return NeedData, nil
	case !p.started:
		return NeedData, ErrNoResponse
	case p.stage == atBody && p.framing == UntilClose:
		p.stage = complete
		return Done, nil
	case p.stage == atBody:
		return NeedData, &TruncatedError{Part: PartBody, Got: p.seen, Want: p.Length()}
	case p.stage == atTrailer:
		return NeedData, &TruncatedError{Part: PartTrailer, Got: p.seen, Want: -1}
	}
	return NeedData, &TruncatedError{Part: PartHead, Want: -1}
}

// Head returns the head that an Interim or Final event found. That of the
// response stays from Final on; an interim one is gone at the next call of Next.
func (p *Parser) Head() Head { return p.head }

// Framing says how the end of the body is known. It is NoBody before Final.
func (p *Parser) Framing() Framing { return p.framing }

// Length returns the length of the body in bytes, or -1 if the head does not
// tell it: before Final, and for any framing but Length.
func (p *Parser) Length() int64 {
	if p.framing != Length {
		return -1
	}
	return p.seen + p.left
}

// Remaining returns how many bytes of the body have not been seen, or -1 if
// that is not known: see Length.
func (p *Parser) Remaining() int64 {
	if p.framing != Length {
		return -1
	}
	return p.left
}

// Data returns the piece of the body that a Body event found. It points into
// the bytes fed and is valid until the next call of Next, Feed, Skip or Reset.
func (p *Parser) Data() []byte { return p.fed[:p.data:p.data] }

// Skip says that n bytes of the body went past the parser, from the socket
// straight into a file. It panics unless the framing is Length, all fed bytes
// are used up, and the body has n more bytes.
func (p *Parser) Skip(n int64) {
	switch {
	case p.stage != atBody, p.framing != Length, len(p.fed) > p.data:
		panic("http1: Skip outside a body of known length")
	case n < 0 || n > p.left:
		panic(fmt.Sprintf("http1: Skip of %d bytes, %d remain", n, p.left))
	}
	p.fed, p.data = nil, 0
	p.seen += n
	p.left -= n
}

// Trailer returns the fields that came after a chunked body. It is empty before
// Done, for other framings, and if there were none. They are never merged into
// the head.
func (p *Parser) Trailer() Section {
	if p.aside == nil {
		return ""
	}
	return p.aside.trailer
}

// Rest returns the bytes fed and not yet consumed. After Done these belong to
// no response of ours, and the connection must not be used again; but after a
// successful CONNECT they are the first bytes of the tunnel.
func (p *Parser) Rest() []byte { return p.fed[p.data:] }

// KeepAlive reports whether the connection may carry another request
// (RFC 9112, 9.3): the response is complete, its end was not the closing, no
// byte came after it, its framing was beyond doubt, and the server did not say
// close; an HTTP/1.0 server must say keep-alive.
func (p *Parser) KeepAlive() bool {
	if p.stage != complete || p.closed || p.suspect || len(p.Rest()) > 0 {
		return false
	}
	if p.framing == UntilClose || p.connect && p.head.Status/100 == 2 {
		return false
	}
	fields := p.head.linesFor("Connection")
	if fields.hasElement("Connection", "close") {
		return false
	}
	return p.head.Minor > 0 || fields.hasElement("Connection", "keep-alive")
}

// Complete reports whether the response has ended: Done has been returned.
func (p *Parser) Complete() bool { return p.stage == complete && p.failure() == nil }

// Started reports whether a byte has been fed since Reset.
func (p *Parser) Started() bool { return p.started }
