package fetch

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/internal/http1"
)

// Field is one header field of a request. Names and values go out as they are
// given; bytes that could end a line are refused (RFC 9110 section 5.5).
type Field = http1.Field

// Head is the head of a response, as it came: status, fields, and the raw text.
// It is a small value and stays valid for ever.
type Head = http1.Head

// Section is a run of header fields as they came.
type Section = http1.Section

// Framing is how the end of a response's body was known.
type Framing = http1.Framing

// Request is one thing to fetch. The zero value of everything but URL is what
// most fetches want.
type Request struct {
	// URL is absolute, with the scheme http or https. It may be as people write
	// it: spaces and letters outside ASCII are encoded, in the host too. A name and
	// password in it become an Authorization field for its origin, unless Fields
	// have one; see [WithoutUserinfo].
	URL string

	// Method is GET when empty. Only GET, HEAD, PUT, DELETE, OPTIONS and TRACE
	// are sent again when a kept-alive connection proves dead (RFC 9110
	// section 9.2.2).
	Method string

	// Fields are added to the header. Host, User-Agent, Accept and Accept-Encoding
	// replace what is otherwise sent, with an empty value too; Content-Length, Transfer-Encoding and Connection are
	// the engine's own and refused.
	Fields []Field

	// Body is sent as it is, with its length. The slice must not change until
	// the Result is yielded.
	Body []byte

	// Raw, when it is not nil, is sent in the place of a request line, a header
	// and a body, exactly as it is. URL still says where to.
	Raw []byte

	// Encoded leaves the response as it is encoded, whatever Options.Decode says.
	// Accept-Encoding is then "identity" unless Fields has it.
	Encoded bool

	// Context ends this one fetch, in whatever phase it is, with its cause. Nil:
	// only that of the Fetch does.
	Context context.Context

	// Name is what the sink should call it; empty leaves that to the sink.
	Name string

	// Replace lets the sink put the body in the place of what it has under that
	// name from before, where it would skip the request.
	Replace bool

	// Tag is the caller's; it comes back in the Result.
	Tag any

	// upload follows Raw, which is then the head alone: a Transport's.
	upload *upload
}

// Host is the host that a request is for, in lower case and without a port, or
// the reason why any Fetcher would refuse the request. Who divides requests among
// several Fetchers by it keeps to Options.MaxPerHost and looks no name up twice,
// but for redirects, which stay with the Fetcher that meets them.
func (r *Request) Host() (string, error) {
	t, err := parseTarget(r.URL)
	if err == nil {
		err = checkRequest(r)
	}
	if err != nil {
		return "", err
	}
	return t.route.host, nil
}

// Parts gives the two parts of a request's URL that a server's rules go by, or
// the reason why any Fetcher would refuse it: the origin, as in http://host:8080,
// without the default port, and the path with its query, as it is sent.
func (r *Request) Parts() (origin, path string, err error) {
	t, err := parseTarget(r.URL)
	if err != nil {
		return "", "", err
	}
	scheme, port := "http://", uint16(80)
	if t.route.secure {
		scheme, port = "https://", 443
	}
	host := t.route.host
	if strings.Contains(host, ":") {
		host = "[" + strings.Replace(host, "%", "%25", 1) + "]" // a zone's, RFC 6874
	}
	if t.route.port != port {
		host += ":" + strconv.Itoa(int(t.route.port))
	}
	return scheme + host, pathOf(t.url), nil
}

// Outcome is how a fetch ended.
type Outcome uint8

// The outcomes.
const (
	Failed      Outcome = iota // with an *Error
	Fetched                    // the whole body reached the sink, or Result.Body
	Skipped                    // the sink had no need of it
	NotModified                // 304: what the request's If-None-Match or If-Modified-Since told of is still so
)

// String is "failed", "fetched", "skipped" or "not_modified".
func (o Outcome) String() string {
	return [...]string{"failed", "fetched", "skipped", "not_modified"}[o]
}

// Result is what became of one Request. It is the caller's to keep; the engine
// holds no part of it.
type Result struct {
	Request    Request
	Outcome    Outcome
	URL        string         // the last URL asked, after redirects
	Head       Head           // of the last response; zero when none came
	Name       string         // what the sink's Reserve called it; else empty
	Body       []byte         // the body, when Options.Sink is nil
	SHA256     []byte         // with Options.SHA256, of the body; nil unless all of it was fetched in this Fetch
	Bytes      int64          // body bytes received, and decoded if they were, also when failed half-way
	Resumed    int64          // of these, what was there from an earlier run
	End        Framing        // how the body's end was, or would have been, known
	Trailer    Section        // the fields that followed a chunked body; empty for most
	Attempts   int            // requests sent or connections tried for; 0 when skipped
	Redirects  int            // how many were followed
	Hops       []Hop          // when some were: every request on the way, the last too
	Reused     bool           // the last request went over a kept-alive connection
	Remote     netip.AddrPort // the server's address, or its proxy's; zero when never connected, or to a path
	UnixSocket string         // the path, when it was connected to one
	Proxy      string         // the URL of the proxy, without credentials; empty without one
	TLS        TLSState       // of the last connection; zero for http
	Timings    Timings
}

// Hop is one of the requests of a fetch that was redirected.
type Hop struct {
	URL     string
	Status  int     // of the response; 0 when none came
	Timings Timings // of this request, its repeated attempts too
}

// TLSState is what two sides agreed on.
type TLSState struct {
	Version uint16 // tls.VersionTLS12 or tls.VersionTLS13; 0: no TLS
	Suite   uint16 // tls.CipherSuiteName has its name
	Resumed bool   // an earlier session went on, without certificates
}

// Timings are how long a fetch spent in each phase, added up over redirects
// and repeated attempts. They are measured at turns of the loop.
type Timings struct {
	Queue   time.Duration // admitted, but waiting for its host, a free slot or another try
	Lookup  time.Duration // waiting for the host's addresses
	Connect time.Duration // connecting; to a proxy, with TLS and a tunnel
	TLS     time.Duration // agreeing on keys, and judging certificates
	Send    time.Duration // sending the request
	Wait    time.Duration // waiting for the whole head of the response
	Receive time.Duration // receiving the body
	Total   time.Duration // from admission to the end
}
