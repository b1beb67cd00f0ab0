package coro

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"image"
	"image/png"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/leaktest"
)

// zipped is a text and what gzip makes of it.
func zipped(t testing.TB, n int) (text, gz []byte) {
	text = bytes.Repeat([]byte("many fish move as one "), n)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return text, b.Bytes()
}

func gunzip(src *Source) (io.Reader, error) {
	r, err := gzip.NewReader(src)
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	return r, nil
}

// pull feeds a stream in pieces, each of which is gone once it is read, and
// returns all it gives.
func pull(s *Stream, in []byte, step int) (out []byte, err error) {
	lent := make([]byte, 0, step)
	for {
		piece, err := s.Next()
		switch {
		case err == nil:
			out = append(out, piece...)
			clear(piece)
		case err != ErrNeedData:
			return out, err
		case len(in) == 0:
			s.EOF()
		default:
			clear(lent[:cap(lent)])
			lent = append(lent[:0], in[:min(step, len(in))]...)
			in = in[len(lent):]
			s.Feed(lent)
		}
	}
}

func TestDecoderInPieces(t *testing.T) {
	leaktest.Check(t)
	text, gz := zipped(t, 5000)
	for _, step := range []int{1, 2, 3, 100, 1 << 20} {
		for _, buf := range []int{1, 1000, 1 << 20} {
			s := NewStream(make([]byte, buf), gunzip)
			got, err := pull(s, gz, step)
			require.Equal(t, io.EOF, err)
			require.True(t, bytes.Equal(text, got), "fed by %d, read by %d", step, buf)
			s.Stop()
		}
	}
}

// What follows the end of the data is left: it is somebody else's.
func TestRest(t *testing.T) {
	_, gz := zipped(t, 10)
	s := NewStream(make([]byte, 1<<10), gunzip)
	defer s.Stop()
	s.Feed(append(gz, "and more"...))
	_, err := s.Next()
	require.NoError(t, err)
	_, err = s.Next()
	require.Equal(t, io.EOF, err)
	require.Equal(t, "and more", string(s.Rest()))
}

// What is held is the stream's own: what Feed borrowed may change.
func TestHold(t *testing.T) {
	text, gz := zipped(t, 100)
	s := NewStream(make([]byte, 10), gunzip)
	defer s.Stop()
	s.Hold()
	s.Feed(gz)
	var got []byte
	for {
		piece, err := s.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		got = append(got, piece...)
		s.Hold()
		clear(gz)
	}
	require.Equal(t, string(text), string(got))
}

func TestEveryCut(t *testing.T) {
	leaktest.Check(t)
	text, gz := zipped(t, 3)
	for at := range gz {
		s := NewStream(make([]byte, 1<<10), gunzip)
		got, err := pull(s, gz[:at], 7)
		require.Error(t, err)
		if at > 0 {
			require.Equal(t, io.ErrUnexpectedEOF, err, "cut at %d", at)
		}
		require.True(t, bytes.HasPrefix(text, got))
		s.Stop()
	}
}

func TestStoppedStream(t *testing.T) {
	leaktest.Check(t)
	_, gz := zipped(t, 100)
	for at := range gz {
		s := NewStream(make([]byte, 10), gunzip)
		_, err := s.Next()
		require.Equal(t, ErrNeedData, err)
		s.Feed(gz[:at])
		_, _ = s.Next()
		s.Stop()
		_, err = s.Next()
		require.Error(t, err)
		s.Stop()
	}
	NewStream(make([]byte, 1), gunzip).Stop()
}

func TestErrorsOfTheLibrary(t *testing.T) {
	leaktest.Check(t)
	s := NewStream(make([]byte, 10), gunzip)
	defer s.Stop()
	_, err := pull(s, []byte("this is no gzip at all"), 5)
	require.Equal(t, gzip.ErrHeader, err)
	_, err = s.Next()
	require.Equal(t, gzip.ErrHeader, err, "it stays")

	broken := errors.New("broken")
	last := NewStream(make([]byte, 10), func(*Source) (io.Reader, error) {
		return io.MultiReader(bytes.NewReader([]byte("some")), errorReader{broken}), nil
	})
	defer last.Stop()
	got, err := pull(last, nil, 1)
	require.Equal(t, "some", string(got))
	require.Equal(t, broken, err)
}

type errorReader struct{ error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.error }

// A reader that returns nothing for ever would hold the loop.
func TestReaderWithoutProgress(t *testing.T) {
	s := NewStream(make([]byte, 10), func(*Source) (io.Reader, error) { return errorReader{}, nil })
	defer s.Stop()
	_, err := s.Next()
	require.Equal(t, io.ErrNoProgress, err)
}

// The head of an image is a function over a Source; its result is its own.
func TestImageHead(t *testing.T) {
	leaktest.Check(t)
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 31, 17))))
	var size image.Config
	var err error
	c, src := Read(func(src *Source) { size, err = png.DecodeConfig(src) })
	defer c.Stop()
	for more, rest := c.Resume(), b.Bytes(); more; more = c.Resume() {
		src.Feed(rest[:1])
		rest = rest[1:]
	}
	require.NoError(t, err)
	require.Equal(t, []int{31, 17}, []int{size.Width, size.Height})
}

func TestSource(t *testing.T) {
	leaktest.Check(t)
	var lines []string
	var err error
	c, src := Read(func(src *Source) {
		r := bufio.NewReader(src)
		for err == nil {
			var line string
			line, err = r.ReadString('\n')
			lines = append(lines, line)
		}
		n, again := src.Read(nil)
		require.Equal(t, []any{0, nil}, []any{n, again})
	})
	defer c.Stop()
	require.True(t, c.Resume())
	src.Feed([]byte("one\ntw"))
	require.PanicsWithValue(t, "coro: Feed before the last bytes are used up", func() { src.Feed(nil) })
	require.True(t, c.Resume())
	require.Empty(t, src.Rest())
	src.Feed([]byte("o\nthree"))
	src.EOF()
	require.PanicsWithValue(t, "coro: Feed before the last bytes are used up", func() { src.Feed(nil) })
	require.False(t, c.Resume())
	require.Equal(t, []string{"one\n", "two\n", "three"}, lines)
	require.Equal(t, io.EOF, err)
	require.PanicsWithValue(t, "coro: Feed after EOF", func() { src.Feed(nil) })
}

func TestSourceOfAStoppedCoroutine(t *testing.T) {
	leaktest.Check(t)
	var first, second error
	c, src := Read(func(src *Source) {
		_, first = src.ReadByte()
		_, second = src.Read(make([]byte, 1))
	})
	c.Resume()
	c.Stop()
	require.Equal(t, ErrStopped, first)
	require.Equal(t, ErrStopped, second)
	require.Empty(t, src.Rest())
}

// Any cut of any input gives the same, and nothing hangs.
func FuzzStream(f *testing.F) {
	_, gz := zipped(f, 10)
	f.Add(gz, 3, 10)
	f.Add([]byte("\x1f\x8b"), 1, 1)
	f.Fuzz(func(t *testing.T, in []byte, step, buf int) {
		step, buf = 1+abs(step)%64, 1+abs(buf)%4096
		whole, cut := NewStream(make([]byte, 4096), gunzip), NewStream(make([]byte, buf), gunzip)
		defer whole.Stop()
		defer cut.Stop()
		want, wantErr := pull(whole, in, len(in)+1)
		got, err := pull(cut, in, step)
		require.Equal(t, wantErr, err)
		require.True(t, bytes.Equal(want, got))
	})
}

func abs(n int) int { return max(n, ^n) }
