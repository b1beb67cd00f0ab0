package fetch

import (
	"io"
	"slices"
	"strings"

	"github.com/shoalfetch/shoal/internal/decode"
)

// Under Options.Decode a decoder stands between the protocol and the sink. What
// it is fed is what came, what the sink gets is what that amounts to; limits and
// pauses go by the latter. So bytes may be in hand when a sink asks for a pause,
// and more of them than one turn of the loop should take: a megabyte of gzip may
// hold a thousand.

// decodeMost is how much of one response a turn of the loop decodes, some 3 ms
// of it.
const decodeMost = 1 << 20

// acceptEncoding is the field that says which codings a client can take off
// (RFC 9110 section 12.5.3).
const acceptEncoding = "Accept-Encoding"

// acceptEncoding is that field of every request.
func (o *Options) acceptEncoding() Field {
	if o.Decode {
		return Field{Name: acceptEncoding, Value: decode.Accepted}
	}
	return Field{Name: acceptEncoding, Value: "identity"}
}

// CodingError says which of a response's content codings could not be taken
// off, and why.
type CodingError = decode.Error

// decoding is what all decoders of a loop share.
type decoding struct {
	pool    decode.Pool
	live    int
	waiting []token // jobs whose responses wait for a decoder, first come first served
	further []token // jobs with more in hand than one turn takes
	due     []token // what further was, when it is being seen to
}

// encoded is a Body whose response is encoded.
type encoded struct {
	Body
	codings []string
	decoder *decode.Decoder // nil: before its turn, and once all is decoded
	held    bool            // by the loop: until there is a decoder, or the next turn
}

// encoded is a job's body, if its response is encoded.
func (j *job) encoded() *encoded {
	e, _ := j.body.(*encoded)
	return e
}

// decodes says whether a job's body has something still to be decoded.
func (j *job) decodes() bool {
	e := j.encoded()
	return e != nil && e.decoder != nil
}

// asIs says whether a job wants its response as it comes: a part of what is
// encoded cannot be decoded.
func (j *job) asIs() bool {
	return j.outgoing().Encoded || j.kept() != nil || j.asksForPart()
}

// codingsOf are the codings to be taken off a response with a body of a declared
// length, if there are any, or why they cannot be.
func (l *loop) codingsOf(j *job, h Head, length int64) ([]string, error) {
	if !l.options.Decode || j.outgoing().Encoded || length == 0 {
		return nil, nil
	}
	codings := decode.Codings(h.Section().Values("Content-Encoding"))
	if len(codings) > 0 && h.Status == 206 {
		return nil, &CodingError{Coding: strings.Join(codings, ", "), Err: decode.ErrPart}
	}
	return codings, decode.Check(codings)
}

// await gives a response its decoder, or lets it wait for one unread.
func (l *loop) await(x *exchange, codings []string) {
	j, s := x.job, &l.decoding
	e := &encoded{Body: j.body, codings: codings}
	j.body = e
	if s.live < l.options.MaxDecoders {
		l.startDecoder(e)
		return
	}
	l.holdBack(x, e)
	s.waiting = append(s.waiting, j.token)
}

func (l *loop) startDecoder(e *encoded) {
	d, err := l.decoding.pool.New(e.codings)
	if err != nil {
		panic("fetch: codings that were checked cannot be taken off: " + err.Error())
	}
	e.decoder = d
	l.decoding.live++
}

// stopDecoder lets go of a body's decoder, for the next one that waits.
func (l *loop) stopDecoder(e *encoded) {
	if e.decoder != nil {
		e.decoder.Stop()
		e.decoder = nil
		l.decoding.live--
	}
}

// holdBack stops an exchange for the loop's own reasons: its sink has no say in
// when it goes on, and no deadline of the server's runs.
func (l *loop) holdBack(x *exchange, e *encoded) {
	e.held, x.paused = true, true
	l.wait(x.job, noPatience, 0)
}

// decode hands on what the bytes in hand amount to, until more are needed, the
// sink has asked for a pause, or the turn has done its share.
func (l *loop) decode(x *exchange, e *encoded) {
	j := x.job
	for share := decodeMost; share > 0; {
		piece, err := e.decoder.Next()
		switch err {
		case nil:
		case decode.ErrNeedData:
			return
		case io.EOF:
			l.stopDecoder(e)
			return
		default:
			l.fail(j, PhaseDecode, err)
			return
		}
		share -= len(piece)
		l.pass(x, PhaseDecode, piece)
		if j.exchange != x {
			return
		}
		if x.paused {
			e.decoder.Hold()
			return
		}
	}
	e.decoder.Hold()
	l.holdBack(x, e)
	l.decoding.further = append(l.decoding.further, j.token)
}

// decodeRest hands on what is left at the end of a response, and says whether
// that was all.
func (l *loop) decodeRest(x *exchange) bool {
	j := x.job
	if !j.decodes() {
		return true
	}
	j.encoded().decoder.EOF()
	l.decode(x, j.encoded())
	return j.exchange == x && !x.paused
}

// decodesNow says whether there is something to decode without waiting.
func (s *decoding) decodesNow(most int) bool {
	return len(s.further) > 0 || len(s.waiting) > 0 && s.live < most
}

// decodeOn goes on with the responses that were held back.
func (l *loop) decodeOn() {
	s := &l.decoding
	s.due, s.further = append(s.due[:0], s.further...), s.further[:0]
	for _, k := range s.due {
		l.letGo(k)
	}
	taken := 0
	for taken < len(s.waiting) && s.live < l.options.MaxDecoders {
		taken++
		l.letGo(s.waiting[taken-1])
	}
	s.waiting = slices.Delete(s.waiting, 0, taken)
}

// letGo goes on with a job's response, if that is still held back.
func (l *loop) letGo(k token) {
	j := l.jobs.get(k)
	if j == nil || j.exchange == nil || j.encoded() == nil || !j.encoded().held {
		return
	}
	e := j.encoded()
	e.held = false
	if e.decoder == nil {
		l.startDecoder(e)
	}
	l.goOn(j.exchange)
}
