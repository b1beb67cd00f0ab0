package fetch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
)

// protocol is what is spoken on an open conn: it turns exchanges into bytes
// and bytes into what happens to exchanges. It does no I/O, keeps no time, and
// never calls the engine.
type protocol interface {
	// room is how many more exchanges may begin now.
	room() int

	// begin makes an exchange for a request and appends that to dst. What is
	// returned as rest is sent after it: the request's body, still borrowed.
	begin(r *http1.Request, body, dst []byte) (x *exchange, head, rest []byte)

	// feed borrows bytes that have come until next says NeedData or hold is
	// called; eof says that no more will.
	feed(p []byte)
	eof()

	// hold keeps what has been fed and not been pulled: the buffer it came in
	// will be used for something else.
	hold()

	// next is what the bytes show, and to which exchange. From Final on there
	// is a head; with Body there is a piece, until the next call; with Done a
	// trailer.
	next() (x *exchange, kind http1.Kind, err error)
	head(x *exchange) (Head, Framing)
	piece(x *exchange) []byte
	trailer(x *exchange) Section

	// reading says whether more bytes are wanted: not while a pause concerns
	// the whole conn.
	reading() bool

	// started says whether any byte of a response has come that an exchange
	// under way was waiting for.
	started() bool

	// length is the declared length of an exchange's body in bytes, or -1.
	length(x *exchange) int64

	// straight is the exchange whose body bytes may go straight from the socket
	// to a file, if there is one just now; skip says that n of them did.
	straight() *exchange
	skip(x *exchange, n int)

	// ended says whether an exchange's response is whole. abandon gives up one
	// that is not; false: the conn can carry nothing more.
	ended(x *exchange) bool
	abandon(x *exchange) bool

	// owed appends what the protocol itself has to say: that an exchange was
	// abandoned, that a paused one may go on.
	owed(dst []byte) []byte

	// reusable says whether the conn may wait for another exchange, and rest how
	// much of a time it may wait, as far as the peer has said when it will close.
	reusable() bool
	rest(most time.Duration) time.Duration
}

// h1 is HTTP/1.1: one exchange at a time, embedded in its conn.
type h1 struct {
	parser   http1.Parser
	exchange exchange
}

// spliceLeast is how much of a body must be to come for splicing to be the
// cheaper way (measured: no gain at 70 KB, a fifth at 5 MB), spliceMost what
// one call moves.
const (
	spliceLeast = 256 << 10
	spliceMost  = 1 << 20
)

func (h *h1) room() int {
	if h.exchange.state == exchangeNew {
		return 1
	}
	return 0
}

func (h *h1) begin(r *http1.Request, body, dst []byte) (*exchange, []byte, []byte) {
	head, err := http1.AppendRequest(dst, r)
	if err != nil {
		panic("fetch: a request that was admitted cannot be written: " + err.Error())
	}
	h.parser.Restart(r.Method)
	if len(body) <= cap(head)-len(head) {
		return &h.exchange, append(head, body...), nil
	}
	return &h.exchange, head, body
}

func (h *h1) feed(p []byte) { h.parser.Feed(p) }
func (h *h1) eof()          { h.parser.EOF() }
func (h *h1) hold()         { h.parser.Keep() }

func (h *h1) next() (*exchange, http1.Kind, error) {
	x := &h.exchange
	if x.state == exchangeNew || x.whole {
		return x, http1.NeedData, nil
	}
	kind, err := h.parser.Next()
	return x, kind, err
}

func (h *h1) head(*exchange) (Head, Framing) { return h.parser.Head(), h.parser.Framing() }

func (h *h1) piece(*exchange) []byte    { return h.parser.Data() }
func (h *h1) trailer(*exchange) Section { return h.parser.Trailer() }

func (h *h1) reading() bool { return !h.exchange.paused }
func (h *h1) started() bool { return h.parser.Started() }

func (h *h1) length(*exchange) int64 {
	if h.parser.Framing() == http1.NoBody {
		return 0
	}
	return h.parser.Length()
}

func (h *h1) straight() *exchange {
	if h.exchange.state == exchangeReceiving && h.parser.Remaining() >= spliceLeast {
		return &h.exchange
	}
	return nil
}

func (h *h1) skip(_ *exchange, n int) { h.parser.Skip(int64(n)) }
func (h *h1) ended(*exchange) bool    { return h.parser.Complete() }

// abandon: there is no way in HTTP/1.1 to stop one response and keep the
// connection.
func (h *h1) abandon(*exchange) bool { return h.parser.Complete() }

func (h *h1) owed(dst []byte) []byte { return dst }

func (h *h1) reusable() bool {
	return h.exchange.state == exchangeNew && h.parser.KeepAlive() && !h.keepAlive().ends()
}

func (h *h1) rest(most time.Duration) time.Duration { return h.keepAlive().rest(most) }

// keepAlive is what the last response said.
func (h *h1) keepAlive() keepAlive { return readKeepAlive(h.parser.Head().Get("Keep-Alive")) }

// write puts together the request a job sends. It is good until the next call.
func (l *loop) write(j *job) *http1.Request {
	r := j.outgoing()
	l.request = http1.Request{
		Method:        r.Method,
		Target:        j.requestTarget(),
		Host:          j.origin.authority,
		ContentLength: -1,
		HTTP10:        l.options.HTTP10,
		Raw:           r.Raw,
	}
	if r.Method == "" {
		l.request.Method = "GET"
	}
	if host := fieldValue(r.Fields, "Host"); host != "" {
		l.request.Host = host
	}
	l.collectFields(j, r.Fields)
	l.identify(j)
	if k := j.kept(); k != nil {
		l.fields = append(l.fields, Field{Name: "Range", Value: fmt.Sprintf("bytes=%d-", k.bytes)}, Field{Name: "If-Range", Value: k.validator})
	}
	l.request.Fields = l.fields
	if r.Body != nil || expectsBody(r.Method) {
		l.request.ContentLength = int64(len(r.Body))
	}
	return &l.request
}

// requestTarget is what stands in a request line: a path, or for a proxy the
// whole URL, with the host as in the Host field (RFC 9112 sections 3.2.1 and 3.2.2).
func (j *job) requestTarget() string {
	path := pathOf(j.url)
	if j.origin.route.forwards() {
		return spell(j.url, "http", j.origin.authority, path)
	}
	return path
}

// collectFields begins the fields of a request: the engine's own unless the
// caller's replace them. What is for a proxy goes to none but a proxy.
func (l *loop) collectFields(j *job, own []Field) {
	l.fields = l.fields[:0]
	for _, f := range l.defaults {
		if hasField(own, f.Name) {
			continue
		}
		if l.options.Decode && f.Name == acceptEncoding && j.asIs() {
			f.Value = "identity"
		}
		l.fields = append(l.fields, f)
	}
	const login = "Proxy-Authorization"
	o, forwards := j.origin, j.origin.route.forwards()
	if forwards && o.credentials != "" && !hasField(own, login) {
		l.fields = append(l.fields, Field{Name: login, Value: o.credentials})
	}
	for _, f := range own {
		if !strings.EqualFold(f.Name, "Host") && (forwards || !strings.EqualFold(f.Name, login)) {
			l.fields = append(l.fields, f)
		}
	}
}

// isConditional says whether a job's request may be answered with 304.
func (j *job) isConditional() bool {
	fields := j.outgoing().Fields
	return hasField(fields, "If-None-Match") || hasField(fields, "If-Modified-Since")
}

func hasField(fields []Field, name string) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

func fieldValue(fields []Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// checkRequest refuses at admission what could not be written later.
func checkRequest(r *Request) error {
	if r.Method == "" && len(r.Fields) == 0 {
		return nil
	}
	if r.Method == "CONNECT" {
		return errors.New("the method CONNECT is not for fetching")
	}
	for _, f := range r.Fields {
		switch strings.ToLower(f.Name) {
		case "content-length", "transfer-encoding", "connection":
			return fmt.Errorf("the field %s is the engine's own", f.Name)
		}
	}
	probe := http1.Request{Method: "GET", Target: "/", Host: "h", Fields: without(r.Fields, "Host"), ContentLength: -1}
	if r.Method != "" {
		probe.Method = r.Method
	}
	if host := fieldValue(r.Fields, "Host"); host != "" {
		probe.Host = host
	}
	_, err := http1.AppendRequest(nil, &probe)
	return err
}

// expectsBody tells the methods whose requests say that they have no body, when
// they have none (RFC 9110 section 8.6).
func expectsBody(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

// isIdempotent tells the methods that may be sent twice (RFC 9110 section
// 9.2.2).
func isIdempotent(method string) bool {
	switch method {
	case "", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE":
		return true
	}
	return false
}
