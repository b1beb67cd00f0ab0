package decode

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// codec is a library's decoder, which can be used again.
type codec interface {
	io.Reader

	// reset begins anew with what comes from a reader, and says what it reads
	// from in truth: that one, or what has looked ahead in it.
	reset(from byteReader) (byteReader, error)
}

// makers make the codecs, by the names of their codings.
var makers = map[string]func() codec{
	"gzip":    func() codec { return new(gzipCodec) },
	"deflate": func() codec { return new(deflateCodec) },
	"br":      func() codec { return new(brotliCodec) },
	"zstd":    func() codec { return new(zstdCodec) },
}

// gzipCodec reads members one after the other, to the end of the input.
type gzipCodec struct{ gzip.Reader }

func (c *gzipCodec) reset(from byteReader) (byteReader, error) { return from, c.Reset(from) }

// deflateCodec reads deflate in a zlib frame, or without: it looks which it is.
type deflateCodec struct {
	io.Reader
	framed, bare io.Reader // once made
}

func (c *deflateCodec) reset(from byteReader) (byteReader, error) {
	ahead, ok := from.(*bufio.Reader)
	if !ok {
		ahead = bufio.NewReader(from)
	}
	start, err := ahead.Peek(2)
	if err != nil {
		return ahead, err
	}
	if isFramed(start[0], start[1]) {
		err = c.resetFramed(ahead)
	} else {
		err = c.resetBare(ahead)
	}
	return ahead, err
}

// isFramed tells a zlib frame by its first two bytes: the method is 8, the
// window at most 32 KB, the whole a multiple of 31 (RFC 1950 section 2.2). Without
// a frame an 8 there would be a stored block whose padding is not zero.
func isFramed(method, flags byte) bool {
	return method&0x0f == 8 && method>>4 <= 7 && (uint(method)<<8|uint(flags))%31 == 0
}

func (c *deflateCodec) resetFramed(from byteReader) (err error) {
	if c.framed == nil {
		c.framed, err = zlib.NewReader(from)
	} else {
		err = c.framed.(zlib.Resetter).Reset(from, nil)
	}
	c.Reader = c.framed
	return err
}

func (c *deflateCodec) resetBare(from byteReader) (err error) {
	if c.bare == nil {
		c.bare = flate.NewReader(from)
	} else {
		err = c.bare.(flate.Resetter).Reset(from, nil)
	}
	c.Reader = c.bare
	return err
}

type brotliCodec struct{ brotli.Reader }

func (c *brotliCodec) reset(from byteReader) (byteReader, error) { return from, c.Reset(from) }

// zstdWindow is the largest window that a sender may ask for (RFC 9659 section
// 3).
const zstdWindow = 8 << 20

type zstdCodec struct{ *zstd.Decoder }

func (c *zstdCodec) reset(from byteReader) (_ byteReader, err error) {
	if c.Decoder == nil {
		// With a concurrency of one the library makes no goroutine.
		c.Decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	}
	if err == nil {
		err = c.Reset(from)
	}
	return from, err
}
