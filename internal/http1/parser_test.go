package http1

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func newParser(method string) *Parser {
	var p Parser
	p.Reset(method, nil)
	return &p
}

// next takes an event that must come without an error.
func next(t *testing.T, p *Parser) Kind {
	t.Helper()
	kind, err := p.Next()
	require.NoError(t, err)
	return kind
}

func TestSizes(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Head{}), uintptr(32))
	require.LessOrEqual(t, unsafe.Sizeof(Parser{}), uintptr(160))
}

// A response in three reads, as the engine sees it.
func TestLife(t *testing.T) {
	p := newParser("GET")
	require.False(t, p.Started())
	require.Equal(t, NeedData, next(t, p))
	require.Equal(t, int64(-1), p.Length())

	p.Feed([]byte("HTTP/1.1 200 OK\r\nContent-Le"))
	require.True(t, p.Started())
	require.Equal(t, NeedData, next(t, p))
	require.Empty(t, p.Rest())

	p.Feed([]byte("ngth: 7\r\n\r\nabc"))
	require.Equal(t, Final, next(t, p))
	require.Equal(t, uint16(200), p.Head().Status)
	require.Equal(t, Length, p.Framing())
	require.Equal(t, int64(7), p.Length())
	require.Equal(t, int64(7), p.Remaining())
	require.Equal(t, "abc", string(p.Rest()))
	require.Equal(t, Body, next(t, p))
	require.Equal(t, "abc", string(p.Data()))
	require.Empty(t, p.Rest())
	require.Equal(t, int64(4), p.Remaining())
	require.Equal(t, NeedData, next(t, p))
	require.Empty(t, p.Data())

	p.Feed([]byte("defgNEXT"))
	require.Equal(t, Body, next(t, p))
	require.Equal(t, "defg", string(p.Data()))
	require.Equal(t, Done, next(t, p))
	require.Equal(t, Done, next(t, p), "Done stays")
	require.Equal(t, "NEXT", string(p.Rest()))
	require.Equal(t, int64(7), p.Length())
	require.Zero(t, p.Remaining())
	require.False(t, p.KeepAlive())

	p.Reset("GET", nil)
	require.False(t, p.Started())
	require.Empty(t, p.Rest())
	require.True(t, p.Head().IsZero())
}

func TestRaw(t *testing.T) {
	const interim = "HTTP/1.1 103 Early\r\nLink: a\r\n"
	const head = "HTTP/1.1 200 OK\nA: b \r\nC:\r\n\td\r\nTransfer-Encoding: chunked\n"
	const trailer = "E: f\r\n g\r\n"
	x := exchange{input: interim + "\r\n" + head + "\n0\r\n" + trailer + "\r\n"}
	for _, cut := range []func(int) int{whole, oneByOne} {
		require.Equal(t, interim+"|"+head+"|"+trailer, x.read(cut).raw)
	}
}

// The final head is a value of its own: it outlives its parser's next use.
func TestHeadStays(t *testing.T) {
	p := newParser("GET")
	input := []byte("HTTP/1.1 200 OK\r\nA: b\r\n\r\n")
	p.Feed(input)
	require.Equal(t, Final, next(t, p))
	h := p.Head()
	spoil(input)
	p.Reset("GET", nil)
	p.Feed([]byte("HTTP/1.1 404 No\r\nA: c\r\n\r\n"))
	require.Equal(t, Final, next(t, p))
	require.Equal(t, "b", h.Get("a"))
	require.Equal(t, "OK", h.Reason())
}

// Bytes that were searched for a line end are not searched again: one planted
// there afterwards is not found. This is what keeps byte by byte linear.
func TestSearchNeverStartsOver(t *testing.T) {
	p := newParser("GET")
	p.Feed([]byte("HTTP/1.1 200 OK\r\nA: 1\r\nB: 22"))
	require.Equal(t, NeedData, next(t, p))
	copy(p.held()[len(p.held())-1:], "\n")

	p.Feed([]byte("2"))
	require.Equal(t, NeedData, next(t, p))
	p.Feed([]byte("\r\n"))
	_, err := p.Next()
	var malformed *ParseError
	require.ErrorAs(t, err, &malformed)
	require.Equal(t, "B: 2\n2", malformed.Near)
}

// Nor are lines that were complete looked at again before the head is.
func TestLinesAreCheckedOnce(t *testing.T) {
	p := newParser("GET")
	p.Feed([]byte("HTTP/1.1 200 OK\r\nA: 1\r\n"))
	require.Equal(t, NeedData, next(t, p))
	copy(p.held()[len("HTTP/1.1 200 OK\r\n"):], "A\x00")
	p.Feed([]byte("\r\n"))
	require.Equal(t, Final, next(t, p))
	require.Contains(t, p.Head().Raw(), "A\x00")
}

// Bytes are held while a head or a trailer is split, and at no other time.
func TestHoldsNothingElse(t *testing.T) {
	p := newParser("GET")
	held := func(input string, want Kind) int {
		p.Feed([]byte(input))
		require.Equal(t, want, next(t, p))
		return cap(p.held())
	}
	require.Positive(t, held("HTTP/1.1 200 OK\r\nTransfer-Encoding: chu", NeedData))
	require.Zero(t, held("nked\r\n\r\n", Final))
	require.Zero(t, held("5", NeedData))
	require.Zero(t, held("\r\nhe", Body))
	require.Zero(t, held("llo", Body))
	require.Zero(t, held("\r\n0\r\n", NeedData))
	require.Positive(t, held("A: ", NeedData))
	require.Zero(t, held("b\r\n\r\n", Done))
}

// An endless line is held up to the limit and no further, however it comes.
func TestHoldsNoMoreThanTheLimit(t *testing.T) {
	p := newParser("GET")
	p.Reset("GET", &Limits{LineBytes: 100})
	p.Feed([]byte("HTTP/1.1 200 OK\r\nA: "))
	require.Equal(t, NeedData, next(t, p))
	p.Feed([]byte(strings.Repeat("x", 1<<20)))
	_, err := p.Next()
	require.EqualError(t, err, "response head has a line longer than 100 bytes")
	require.Zero(t, cap(p.held()))
}

func TestDefaultLimits(t *testing.T) {
	const status = "HTTP/1.1 200 OK\r\n"
	tests := map[string]struct{ input, want string }{
		"line":  {status + "A: " + strings.Repeat("x", 16<<10), "response head has a line longer than 16384 bytes"},
		"head":  {status + strings.Repeat("A: "+strings.Repeat("x", 1<<10)+"\r\n", 64), "response head is longer than 65536 bytes"},
		"count": {status + strings.Repeat("A: x\r\n", 257), "response head has more than 256 fields"},
		"1xx":   {strings.Repeat("HTTP/1.1 100 Go\r\n\r\n", 17), "more than 16 interim responses"},
		"chunk": {
			status + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 16<<10),
			"chunk framing outweighs the content by more than 16384 bytes",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, limits := range []*Limits{nil, {}, {LineBytes: -1, HeadBytes: -1, Fields: -1, Interims: -1, ChunkOverhead: -1}} {
				require.EqualError(t, exchange{input: test.input, limits: limits}.read(whole).err, test.want)
			}
		})
	}
}

// A server that flushes every byte is slow, but no attacker.
func TestChunksOfOneByte(t *testing.T) {
	const n = 100_000
	x := exchange{input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", n) + "0\r\n\r\n"}
	got := x.read(whole)
	require.Equal(t, Done, got.kind)
	require.Len(t, got.body, n)
}

// Nobody saves up content to pay for gigabytes of extensions with.
func TestChunkCreditIsCapped(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	x := exchange{
		limits: &Limits{ChunkOverhead: 100},
		input:  head + "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n1;" + strings.Repeat("x", 100),
	}
	for _, cut := range []func(int) int{whole, oneByOne} {
		require.EqualError(t, x.read(cut).err, "chunk framing outweighs the content by more than 100 bytes")
	}
}

// Keep lets the lender of the bytes have them back, at any point.
func TestKeep(t *testing.T) {
	input := "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	p := newParser("GET")
	lent := []byte(input)
	p.Feed(lent)
	p.Keep()
	spoil(lent)
	for _, want := range []Kind{Interim, Final} {
		require.Equal(t, want, next(t, p))
		last := p.fed
		p.Keep()
		spoil(last)
	}
	require.Equal(t, Body, next(t, p))
	require.Equal(t, "hello", string(p.Data()))
	require.Equal(t, Done, next(t, p))
}

func TestSkip(t *testing.T) {
	p := newParser("GET")
	p.Feed([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"))
	require.Equal(t, Final, next(t, p))
	require.Panics(t, func() { p.Skip(1) }, "bytes are waiting")
	require.Equal(t, Body, next(t, p))

	p.Skip(3)
	require.Empty(t, p.Data())
	require.Equal(t, int64(5), p.Remaining())
	require.Equal(t, int64(10), p.Length())
	require.Panics(t, func() { p.Skip(6) }, "past the end")
	require.Panics(t, func() { p.Skip(-1) })

	require.Equal(t, NeedData, next(t, p))
	p.Feed([]byte("f"))
	require.Equal(t, Body, next(t, p))
	p.Skip(4)
	require.Equal(t, Done, next(t, p))
	require.True(t, p.KeepAlive())
	require.Panics(t, func() { p.Skip(0) }, "after the end")
}

func TestSkipThenClosed(t *testing.T) {
	p := newParser("GET")
	p.Feed([]byte("HTTP/1.1 200 OK\r\nContent-Length: 250\r\n\r\n"))
	require.Equal(t, Final, next(t, p))
	p.Skip(100)
	p.EOF()
	_, err := p.Next()
	require.EqualError(t, err, "connection closed after 100 of 250 body bytes")
}

func TestSkipOfUnknownLength(t *testing.T) {
	for _, head := range []string{"\r\n", "Transfer-Encoding: chunked\r\n\r\n"} {
		p := newParser("GET")
		p.Feed([]byte("HTTP/1.1 200 OK\r\n" + head))
		require.Equal(t, Final, next(t, p))
		require.Panics(t, func() { p.Skip(1) })
		require.Equal(t, int64(-1), p.Remaining())
	}
}

func TestMisuse(t *testing.T) {
	require.Panics(t, func() { new(Parser).Feed(nil) }, "Feed before Reset")
	require.Panics(t, func() { new(Parser).Next() }, "Next before Reset")

	p := newParser("GET")
	p.Feed([]byte("HTTP/1.1 200 OK\r\n\r\nab"))
	require.Panics(t, func() { p.Feed(nil) }, "bytes are waiting")
	require.Equal(t, Final, next(t, p))
	require.Panics(t, func() { p.Feed(nil) }, "body bytes are waiting")
	require.Equal(t, Body, next(t, p))
	p.Feed([]byte("c")) // all of the body so far was shown
	require.Equal(t, Body, next(t, p))
	p.EOF()
	require.Panics(t, func() { p.Feed(nil) }, "after EOF")
}

func TestErrorsStay(t *testing.T) {
	p := newParser("GET")
	p.Feed([]byte("junk"))
	_, err := p.Next()
	require.Error(t, err)
	_, again := p.Next()
	require.Same(t, err, again)
	require.False(t, p.KeepAlive())
	require.Panics(t, func() { p.Feed(nil) })
}

func TestErrorKinds(t *testing.T) {
	fail := func(input string) error { return exchange{input: input, closes: true}.read(whole).err }

	require.ErrorIs(t, fail(""), ErrNoResponse)
	require.NotErrorIs(t, fail(""), io.ErrUnexpectedEOF)

	var cut *TruncatedError
	require.ErrorAs(t, fail("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), &cut)
	require.Equal(t, TruncatedError{Part: PartBody, Got: 3, Want: 9}, *cut)
	require.ErrorIs(t, cut, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, cut, ErrNoResponse)

	var limit *LimitError
	require.ErrorAs(t, fail("HTTP/1.1 200 OK\r\n"+strings.Repeat("A: b\r\n", 300)), &limit)
	require.Equal(t, 256, limit.Limit)

	var malformed *ParseError
	require.ErrorAs(t, fail("HTTP/1.1 200 OK\r\nA\r\n\r\n"), &malformed)
	require.Equal(t, ParseError{In: "field line", Reason: "no colon", Near: "A"}, *malformed)
	require.False(t, errors.As(error(malformed), &limit))
}

// A message never carries more than the beginning of what it is about.
func TestErrorsAreShort(t *testing.T) {
	err := exchange{input: "HTTP/1.1 200 OK\r\n" + strings.Repeat("x", 10_000) + "\r\n"}.read(whole).err
	require.Error(t, err)
	require.Less(t, len(err.Error()), 200)
}
