package lab

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
)

// encoded is a picture as a file of a type, named by its usual ending.
func encoded(m image.Image, ending string) []byte {
	var b bytes.Buffer
	var err error
	switch ending {
	case "jpg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 90})
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "bmp":
		writeBMP(&b, m)
	default:
		panic("lab: no such type of picture: " + ending)
	}
	if err != nil {
		panic("lab: " + err.Error()) // a picture of ours, into memory
	}
	return b.Bytes()
}

// writeBMP writes 24 bits a pixel, from the bottom row up, rows filled to a
// multiple of four bytes.
func writeBMP(b *bytes.Buffer, m image.Image) {
	r := m.Bounds()
	row := (3*r.Dx() + 3) &^ 3
	const heads = 14 + 40
	b.WriteString("BM")
	for _, v := range []any{
		uint32(heads + row*r.Dy()), uint32(0), uint32(heads),
		uint32(40), int32(r.Dx()), int32(r.Dy()), uint16(1), uint16(24),
		uint32(0), uint32(row * r.Dy()), int32(2835), int32(2835), uint32(0), uint32(0),
	} {
		binary.Write(b, binary.LittleEndian, v)
	}
	for y := r.Max.Y - 1; y >= r.Min.Y; y-- {
		for x := r.Min.X; x < r.Max.X; x++ {
			red, green, blue, _ := m.At(x, y).RGBA()
			b.Write([]byte{byte(blue >> 8), byte(green >> 8), byte(red >> 8)})
		}
		b.Write(make([]byte, row-3*r.Dx()))
	}
}

// jpegOf is a JPEG of exactly n bytes: about the largest scene that fits, up to
// a width of 1600, and padding.
func jpegOf(n int, d *dice) ([]byte, error) {
	seed := *d
	width := min(1600, 5.4*math.Sqrt(float64(n)))
	for {
		w := max(1, int(width))
		again := seed
		file := encoded(scene(w, max(1, w*3/4), &again), "jpg")
		switch {
		case len(file) <= n:
			return padJPEG(file, n-len(file), d), nil
		case w == 1:
			return nil, fmt.Errorf("a JPEG here has at least %d bytes", len(file))
		}
		// Most of a file grows with the area, so that this soon fits.
		width *= max(.3, .97*math.Sqrt(float64(n)/float64(len(file))))
	}
}

const (
	// A comment is FF FE, a length of two bytes that counts itself, and text
	// (ITU-T T.81, B.2.4.5).
	commentHead     = 4
	maxCommentBytes = 2 + 0xffff
)

// padJPEG makes a file longer by comments before everything else, so that the
// size of the picture stands that much farther in. What is too little for a
// comment becomes fill bytes, which any marker may have before it (B.1.1.2).
func padJPEG(file []byte, padding int, d *dice) []byte {
	out := append(make([]byte, 0, len(file)+padding), file[:2]...) // SOI
	for padding >= commentHead {
		n := min(padding, maxCommentBytes)
		if rest := padding - n; rest > 0 && rest < commentHead {
			n -= commentHead
		}
		out = append(out, 0xff, 0xfe, byte((n-2)>>8), byte(n-2))
		out = append(out, make([]byte, n-commentHead)...)
		d.fill(out[len(out)-(n-commentHead):])
		padding -= n
	}
	for range padding {
		out = append(out, 0xff)
	}
	return append(out, file[2:]...)
}
