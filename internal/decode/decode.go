// Package decode takes content codings off: gzip, deflate, br and zstd (RFC 9110
// section 8.4.1, RFC 7932, RFC 8878), one upon the other too. It does no input or
// output: a [Decoder] is fed what has come and asked what it amounts to.
//
//	d, err := pool.New(codings)
//	defer d.Stop()
//	for {
//		d.Feed(read())                       // or d.EOF()
//		for piece, err := d.Next(); err != decode.ErrNeedData; piece, err = d.Next() {
//			…                            // io.EOF and other errors are for good
//		}
//	}
//
// The decoders are those of libraries, each of which runs in a coroutine
// (package coro): no goroutine is scheduled and no other thread takes part.
//
// # Every doubtful case
//
//	input                             what we do    why
//	nothing at all                    nothing       there was no body to encode
//	nothing beneath the outer coding  refuse        each coding has a frame, of no bytes too
//	gzip in several members           one text      RFC 1952 section 2.2
//	zstd in several frames            one text      RFC 8878 section 3
//	bytes after the end               refuse        they are of no body that we know
//	the end is missing                refuse        as it is with Content-Length
//	a checksum that is wrong          refuse        that is what it is for
//	deflate without its zlib frame    accept        RFC 9110 section 8.4.1.2: some send it so
//	x-gzip                            as gzip       RFC 9110 section 8.4.1.3: a must
//	identity                          skip          it says nothing
//	compress, and any other           refuse        nobody was asked for it
//	more than [Layers] codings        refuse        each has its memory
//	a window of zstd above 8 MB       refuse        RFC 9659 section 3
package decode

import (
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/shoalfetch/shoal/internal/coro"
)

// Accepted are the codings that a Decoder knows, as Accept-Encoding lists them.
const Accepted = "gzip, deflate, br, zstd"

// Layers is how many codings may lie upon each other.
const Layers = 2

// ErrNeedData is what Next returns when it needs more bytes, or EOF, first.
var ErrNeedData = coro.ErrNeedData

// Errors that an [*Error] may have as its cause, besides those of the
// libraries and io.ErrUnexpectedEOF, which means that the end is missing.
var (
	ErrUnknown  = errors.New("an unknown coding")
	ErrPart     = errors.New("a part of what is encoded cannot be decoded")
	ErrLayers   = errors.New("more codings than two, one upon the other")
	ErrTrailing = errors.New("bytes after the end")
)

// Error says in which coding what went wrong.
type Error struct {
	Coding string // its name, in lower case
	Err    error  // the library's, io.ErrUnexpectedEOF, or one of this package
}

func (e *Error) Error() string {
	text := e.Err.Error()
	for _, library := range [...]string{"gzip: ", "zlib: ", "flate: ", "brotli: "} {
		text = strings.TrimPrefix(text, library)
	}
	return e.Coding + ": " + text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Decoder takes the codings off one body. It is used by one goroutine.
type Decoder struct {
	pool    *Pool
	codings []string
	codecs  []codec
	stream  *coro.Stream
	buffer  []byte
	out     int64 // bytes decoded
	fed     bool  // at least a byte
	held    bool  // what was fed is ours
	ended   bool
}

// Feed lends the decoder the next bytes, until Next says ErrNeedData or fails,
// or Hold is called. It panics if earlier bytes are left, and after EOF.
func (d *Decoder) Feed(p []byte) {
	d.fed, d.held = d.fed || len(p) > 0, false
	d.stream.Feed(p)
}

// Hold keeps what was fed and not used, so that what Feed borrowed can be used
// for something else.
func (d *Decoder) Hold() {
	if !d.held {
		d.stream.Hold()
		d.held = true
	}
}

// EOF says that after what was fed nothing more comes.
func (d *Decoder) EOF() {
	d.ended = true
	d.stream.EOF()
}

// Next returns the next piece of the decoded text, at most 32 KB of it, which
// is valid until the next call. With ErrNeedData it goes on after Feed or EOF;
// io.EOF follows when all has been decoded. Any other error is an [*Error].
func (d *Decoder) Next() ([]byte, error) {
	if !d.fed {
		if d.ended {
			return nil, io.EOF
		}
		return nil, ErrNeedData
	}
	p, err := d.stream.Next()
	d.out += int64(len(p))
	return p, err
}

// Stop ends the decoder and lets go of its memory. It may be called again.
func (d *Decoder) Stop() {
	if d.stream == nil {
		return
	}
	d.stream.Stop()
	d.pool.put(d)
	*d = Decoder{ended: true}
}

// Codings reads the values of Content-Encoding fields: the names of the codings
// in the order in which they were applied. Those that say nothing are left out.
func Codings(values iter.Seq[string]) (names []string) {
	for value := range values {
		for name := range strings.SplitSeq(value, ",") {
			switch name = strings.ToLower(strings.Trim(name, " \t")); name {
			case "", "identity":
			case "x-gzip":
				names = append(names, "gzip")
			default:
				names = append(names, name)
			}
		}
	}
	return names
}

// Check says whether a Decoder can take these codings off.
func Check(codings []string) error {
	for _, name := range codings {
		if makers[name] == nil {
			return &Error{name, ErrUnknown}
		}
	}
	if len(codings) > Layers {
		return &Error{strings.Join(codings, ", "), ErrLayers}
	}
	return nil
}
