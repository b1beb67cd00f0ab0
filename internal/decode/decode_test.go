package decode

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

// encode puts codings on a text, in their order. "raw" is deflate without its
// frame.
func encode(t testing.TB, text []byte, codings ...string) []byte {
	for _, name := range codings {
		var b bytes.Buffer
		var w io.WriteCloser
		var err error
		switch name {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "deflate":
			w = zlib.NewWriter(&b)
		case "raw":
			w, err = flate.NewWriter(&b, flate.DefaultCompression)
		case "br":
			w = brotli.NewWriter(&b)
		case "zstd":
			w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17))
		}
		require.NoError(t, err)
		_, err = w.Write(text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		text = b.Bytes()
	}
	return text
}

// named are the codings as a server would name them.
func named(codings []string) []string {
	all := slices.Clone(codings)
	for i := range all {
		if all[i] == "raw" {
			all[i] = "deflate"
		}
	}
	return all
}

// every is each coding, and pairs of them.
func every() (all [][]string) {
	single := []string{"gzip", "deflate", "raw", "br", "zstd"}
	for _, inner := range single {
		all = append(all, []string{inner})
		for _, outer := range single {
			all = append(all, []string{inner, outer})
		}
	}
	return all
}

// texts are what bodies may be: short, long, of one byte, of chance.
func texts() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	return map[string][]byte{
		"none":  {},
		"one":   []byte("x"),
		"prose": bytes.Repeat([]byte("many fish move as one, "), 20_000),
		"noise": noise,
	}
}

// pullMost is more than any text here has, but those that a fuzzer finds.
const pullMost = 4 << 20

var errTooMuch = errors.New("more than anybody wants")

// pull feeds a decoder in pieces, which are gone as soon as they may be, and
// returns all it gives. With hold it is stopped to hold after each piece.
func pull(d *Decoder, in []byte, step int, hold bool) (out []byte, err error) {
	lent := make([]byte, 0, step)
	for {
		piece, err := d.Next()
		switch {
		case len(out) > pullMost:
			return out, errTooMuch
		case err == nil:
			out = append(out, piece...)
			if hold {
				d.Hold()
				clear(lent[:cap(lent)])
			}
		case err != ErrNeedData:
			return out, err
		case len(in) == 0:
			d.EOF()
		default:
			clear(lent[:cap(lent)])
			lent = append(lent[:0], in[:min(step, len(in))]...)
			in = in[len(lent):]
			d.Feed(lent)
		}
	}
}

// decodeAll takes codings off with a decoder of a pool.
func decodeAll(t testing.TB, p *Pool, codings []string, in []byte, step int, hold bool) ([]byte, error) {
	d, err := p.New(codings)
	require.NoError(t, err)
	defer d.Stop()
	return pull(d, in, step, hold)
}

func TestEveryCoding(t *testing.T) {
	leaktest.Check(t)
	var pool Pool
	for name, text := range texts() {
		for _, codings := range every() {
			in := encode(t, text, codings...)
			for _, step := range []int{1, 7, 1000, 1 << 20} {
				if step == 1 && len(in) > 10_000 {
					continue
				}
				for _, hold := range []bool{false, true} {
					got, err := decodeAll(t, &pool, named(codings), in, step, hold)
					require.Equal(t, io.EOF, err, "%s %v by %d", name, codings, step)
					require.True(t, bytes.Equal(text, got), "%s %v by %d", name, codings, step)
				}
			}
		}
	}
}

// TestEveryCut: what lacks its end is an error at every byte, and what was
// decoded before is right.
func TestEveryCut(t *testing.T) {
	var pool Pool
	text := bytes.Repeat([]byte("many fish move as one, "), 30)
	for _, codings := range every() {
		in := encode(t, text, codings...)
		for at := 1; at < len(in); at++ {
			got, err := decodeAll(t, &pool, named(codings), in[:at], 5, false)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%v cut at %d of %d", codings, at, len(in))
			require.ErrorAs(t, err, new(*Error))
			require.True(t, bytes.HasPrefix(text, got))
		}
	}
}

// TestTrailing: no byte may follow, be it in the same piece or later, but for
// another member or frame.
func TestTrailing(t *testing.T) {
	var pool Pool
	text := []byte("many fish move as one")
	for _, codings := range every() {
		in := encode(t, text, codings...)
		for _, more := range []string{"\x00", "x", "\r\n", "more than there should be"} {
			for _, step := range []int{1, len(in), 1000} {
				_, err := decodeAll(t, &pool, named(codings), append(slices.Clone(in), more...), step, false)
				require.ErrorAs(t, err, new(*Error), "%v by %d and then %q", codings, step, more)
				require.Equal(t, named(codings)[len(codings)-1], err.(*Error).Coding)
			}
		}
		for inner := range codings[1:] {
			in := encode(t, append(encode(t, text, codings[:inner+1]...), 'x'), codings[inner+1:]...)
			_, err := decodeAll(t, &pool, named(codings), in, 3, false)
			require.ErrorAs(t, err, new(*Error), "%v", codings)
			require.Equal(t, named(codings)[inner], err.(*Error).Coding)
		}
	}
}

// TestSeveral: members of gzip and frames of zstd are one text; so are none.
func TestSeveral(t *testing.T) {
	var pool Pool
	for _, coding := range []string{"gzip", "zstd"} {
		in := slices.Concat(encode(t, []byte("many fish "), coding), encode(t, nil, coding), encode(t, []byte("move as one"), coding))
		for _, step := range []int{1, 10, 1000} {
			got, err := decodeAll(t, &pool, []string{coding}, in, step, true)
			require.Equal(t, io.EOF, err)
			require.Equal(t, "many fish move as one", string(got))
		}
	}
	skippable := []byte("\x53\x2a\x4d\x18\x05\x00\x00\x00aside") // RFC 8878 section 3.1.2
	got, err := decodeAll(t, &pool, []string{"zstd"}, append(skippable, encode(t, []byte("fish"), "zstd")...), 2, false)
	require.Equal(t, io.EOF, err)
	require.Equal(t, "fish", string(got))
}

// TestNothing: a body of no bytes has no coding, whatever is said; a coding of
// nothing at all is cut short.
func TestNothing(t *testing.T) {
	var pool Pool
	for _, codings := range every() {
		got, err := decodeAll(t, &pool, named(codings), nil, 1, false)
		require.Equal(t, io.EOF, err)
		require.Empty(t, got)
		if len(codings) == 2 {
			_, err = decodeAll(t, &pool, named(codings), encode(t, nil, codings[1]), 1, false)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%v", codings)
			require.Equal(t, named(codings)[0], err.(*Error).Coding)
		}
	}
}

func TestBroken(t *testing.T) {
	var pool Pool
	for coding, cases := range map[string]map[string][]byte{
		"gzip":    {"invalid header": []byte("this is no gzip at all"), "invalid checksum": flip(encode(t, []byte("fish"), "gzip"), -8)},
		"deflate": {"corrupt input": []byte("this is none at all"), "invalid checksum": flip(encode(t, []byte("fish"), "deflate"), -1)},
		"zstd":    {"magic": []byte("this is none at all"), "CRC": flip(encode(t, []byte("fish"), "zstd"), -1)},
		"br":      {"": []byte("this is none at all")},
	} {
		for text, in := range cases {
			_, err := decodeAll(t, &pool, []string{coding}, in, 4, false)
			require.ErrorContains(t, err, coding+": ")
			require.ErrorContains(t, err, text, "%s", coding)
			require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

// flip changes one byte, counted from the end.
func flip(p []byte, at int) []byte {
	p[len(p)+at] ^= 0x55
	return p
}

// TestWindow: a frame that asks for a window of more than 8 MB is refused, before
// there is one.
func TestWindow(t *testing.T) {
	var pool Pool
	for exponent := byte(10); exponent < 40; exponent++ {
		// Magic number, a descriptor that says nothing, a window of that exponent
		// (RFC 8878 section 3.1.1.1), and a last raw block of one byte.
		in := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, (exponent - 10) << 3, 1<<3 | 1, 0, 0, 'x'}
		got, err := decodeAll(t, &pool, []string{"zstd"}, in, 100, false)
		if exponent <= 23 {
			require.Equal(t, io.EOF, err, "2 to the power of %d", exponent)
			require.Equal(t, "x", string(got))
		} else {
			require.ErrorIs(t, err, zstd.ErrWindowSizeExceeded, "2 to the power of %d", exponent)
		}
	}
}

func TestCodings(t *testing.T) {
	for _, c := range []struct{ values, want []string }{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{"identity"}, nil},
		{[]string{" GZip\t"}, []string{"gzip"}},
		{[]string{"x-gzip"}, []string{"gzip"}},
		{[]string{"deflate, ,gzip"}, []string{"deflate", "gzip"}},
		{[]string{"deflate", "identity, br"}, []string{"deflate", "br"}},
		{[]string{"seaweed"}, []string{"seaweed"}},
	} {
		require.Equal(t, c.want, Codings(slices.Values(c.values)), "%q", c.values)
	}
}

func TestCheck(t *testing.T) {
	require.NoError(t, Check([]string{"gzip", "br"}))
	require.EqualError(t, Check([]string{"gzip", "seaweed"}), "seaweed: an unknown coding")
	require.ErrorIs(t, Check([]string{"compress"}), ErrUnknown)
	require.EqualError(t, Check([]string{"gzip", "br", "gzip"}), "gzip, br, gzip: more codings than two, one upon the other")
	_, err := new(Pool).New([]string{"seaweed"})
	require.ErrorIs(t, err, ErrUnknown)
}

// TestStop: a decoder may be stopped at any moment and more than once, and what
// it was made of serves the next one well.
func TestStop(t *testing.T) {
	leaktest.Check(t)
	var pool Pool
	text := bytes.Repeat([]byte("many fish move as one, "), 5_000)
	for _, codings := range every() {
		in := encode(t, text, codings...)
		for at := 0; at < len(in); at += 1 + len(in)/40 {
			d, err := pool.New(named(codings))
			require.NoError(t, err)
			d.Feed(in[:at])
			for err == nil {
				_, err = d.Next()
			}
			require.Equal(t, ErrNeedData, err)
			d.Stop()
			d.Stop()
			got, err := decodeAll(t, &pool, named(codings), in, 1<<20, false)
			require.Equal(t, io.EOF, err)
			require.True(t, bytes.Equal(text, got))
		}
	}
}

// TestMemory holds what a decoder needs to what the engine's limit on them
// reckons with.
func TestMemory(t *testing.T) {
	noise := texts()["noise"]
	text := bytes.Repeat(noise, 100) // 20 MB, so that every window is full
	var wide bytes.Buffer
	w, err := zstd.NewWriter(&wide, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var large bytes.Buffer
	b := brotli.NewWriterOptions(&large, brotli.WriterOptions{Quality: 1, LGWin: 24})
	_, err = b.Write(text)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	for _, c := range []struct {
		coding string
		in     []byte
		most   uint64
	}{
		{"gzip", encode(t, text[:1<<20], "gzip"), 128 << 10},
		{"deflate", encode(t, text[:1<<20], "deflate"), 128 << 10},
		{"br", large.Bytes(), 20 << 20},
		{"zstd", wide.Bytes(), 20 << 20},
	} {
		var pool Pool
		before := heap()
		d, err := pool.New([]string{c.coding})
		require.NoError(t, err)
		d.Feed(c.in[:len(c.in)-1])
		for err == nil {
			_, err = d.Next()
		}
		require.Equal(t, ErrNeedData, err)
		used := heap() - before
		t.Logf("%s: %d KB", c.coding, used>>10)
		require.Less(t, used, c.most, c.coding)
		d.Stop()
	}
}

// heap is how many bytes of the heap are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// FuzzDecoder: what comes of an input depends on no cut and no pause. Only of
// what is wrong in two ways either may be told, and more or less be shown.
func FuzzDecoder(f *testing.F) {
	codings := every()
	for i, c := range codings {
		f.Add(i, encode(f, []byte("many fish move as one, many fish"), c...), 3)
	}
	var pool Pool
	f.Fuzz(func(t *testing.T, which int, in []byte, step int) {
		c := named(codings[abs(which)%len(codings)])
		step = 1 + abs(step)%64
		want, wantErr := decodeAll(t, &pool, c, in, len(in)+1, false)
		got, err := decodeAll(t, &pool, c, in, step, true)
		require.Equal(t, wantErr == io.EOF, err == io.EOF, "%v, %v", wantErr, err)
		n := min(len(want), len(got))
		require.True(t, bytes.Equal(want[:n], got[:n]))
		if err == io.EOF {
			require.Len(t, got, len(want))
		}
		if err == io.EOF || err == errTooMuch || wantErr == errTooMuch {
			return
		}
		require.ErrorAs(t, wantErr, new(*Error))
		require.ErrorAs(t, err, new(*Error))
	})
}

func abs(n int) int { return max(n, ^n) }
