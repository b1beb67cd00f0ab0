package lab

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPictures(t *testing.T) {
	shelf := newShelf(5)
	for _, size := range [][2]int{{1, 1}, {1, 9}, {2, 3}, {64, 64}, {321, 99}} {
		for _, ending := range []string{"jpg", "png", "gif"} {
			c, err := shelf.get(fmt.Sprintf("image/%dx%d.%s", size[0], size[1], ending))
			require.NoError(t, err)
			m, format, err := image.Decode(bytes.NewReader(c.body))
			require.NoError(t, err)
			require.Equal(t, c.kind, "image/"+format)
			require.Equal(t, image.Pt(size[0], size[1]), m.Bounds().Size())
		}
	}
}

// There is no BMP decoder to ask; the same picture as a PNG tells what each
// byte has to be.
func TestBMP(t *testing.T) {
	shelf := newShelf(5)
	file, err := shelf.get("image/5x3.bmp")
	require.NoError(t, err)
	other, err := shelf.get("image/5x3.png")
	require.NoError(t, err)
	m, err := png.Decode(bytes.NewReader(other.body))
	require.NoError(t, err)
	require.Len(t, file.body, 54+3*16)
	for y := range 3 {
		for x := range 5 {
			r, g, b, _ := m.At(x, y).RGBA()
			at := 54 + (2-y)*16 + 3*x
			require.Equal(t, []byte{byte(b >> 8), byte(g >> 8), byte(r >> 8)}, file.body[at:at+3])
		}
	}
}

func TestPicturesFollowTheSeed(t *testing.T) {
	one, err := newShelf(1).get(small)
	require.NoError(t, err)
	again, err := newShelf(1).get(small)
	require.NoError(t, err)
	other, err := newShelf(2).get(small)
	require.NoError(t, err)
	require.Equal(t, one, again)
	require.NotEqual(t, one.body, other.body)
	require.NotEqual(t, one.tag, other.tag)
}

func TestJPEGOfExactly(t *testing.T) {
	sizes := []int{800, 801, 802, 803, 804, 805, 1000, 2500, 10_000}
	for _, n := range sizes {
		file, err := jpegOf(n, diceFor(1, "exactly"))
		require.NoError(t, err)
		require.Len(t, file, n)
		_, err = jpeg.Decode(bytes.NewReader(file))
		require.NoError(t, err)
	}
	_, err := jpegOf(100, diceFor(1, "exactly"))
	require.ErrorContains(t, err, "a JPEG here has at least ")
}

// Padding of every length about the places where comments begin and end.
func TestPadJPEG(t *testing.T) {
	file := encoded(scene(8, 8, diceFor(1, "pad")), "jpg")
	for _, about := range []int{4, maxCommentBytes, 2 * maxCommentBytes} {
		for n := max(0, about-6); n < about+7; n++ {
			padded := padJPEG(file, n, diceFor(1, "pad"))
			require.Len(t, padded, len(file)+n)
			_, err := jpeg.Decode(bytes.NewReader(padded))
			require.NoError(t, err, "padding of %d", n)
		}
	}
}

func TestLatePictureStandsLate(t *testing.T) {
	c, err := newShelf(1).get("late/64x48.jpg")
	require.NoError(t, err)
	_, err = jpeg.DecodeConfig(bytes.NewReader(c.body[:lateBytes]))
	require.Error(t, err)
	is, err := jpeg.DecodeConfig(bytes.NewReader(c.body))
	require.NoError(t, err)
	require.Equal(t, 64, is.Width)
}

func TestContentRefused(t *testing.T) {
	shelf := newShelf(1)
	for _, path := range []string{
		"", "nothing", "image/3x3", "image/3.png", "image/x3.png", "image/-1x3.png", "image/3x3.tiff", "image/3x3.bin", "tile/400.jpg",
		"tile/-1.jpg", "tile/x.jpg", "tile/1.bin", "late/9x9.png", "bytes/9.png", "bytes/x.bin", "mosaic/1.jpg", "../etc/passwd",
	} {
		_, err := shelf.get(path)
		require.Equal(t, errContent, err, path)
	}
	for path, want := range map[string]string{
		"image/0x3.png":       "1 to 4096 pixels a side",
		"image/4097x1.png":    "1 to 4096 pixels a side",
		"image/4096x4096.png": "at most 4194304",
		"bytes/33554433.bin":  "at most 33554432",
		"bytes/3.jpg":         "at least",
	} {
		_, err := shelf.get(path)
		require.ErrorContains(t, err, want, path)
	}
}

func TestShelfIsBounded(t *testing.T) {
	shelf := newShelf(1)
	shelf.limit = 10_000
	for i := range 30 {
		_, err := shelf.get(fmt.Sprintf("bytes/%d.bin", 3000-i))
		require.NoError(t, err)
		kept := 0
		for _, c := range shelf.kept {
			kept += len(c.body)
		}
		require.LessOrEqual(t, kept, shelf.limit)
		require.Equal(t, kept, shelf.size)
		require.NotZero(t, kept)
	}
}

// The tiles are the mosaic, piece by piece.
func TestMosaic(t *testing.T) {
	require.Equal(t, image.Rect(0, 0, 1600, 1024), Mosaic().Bounds())
	shelf := newShelf(1)
	for _, n := range []int{0, 24, 25, 187, 399} {
		c, err := shelf.get(fmt.Sprintf("tile/%d.png", n))
		require.NoError(t, err)
		m, err := png.Decode(bytes.NewReader(c.body))
		require.NoError(t, err)
		require.Equal(t, image.Pt(TileSide, TileSide), m.Bounds().Size())
		for y := range TileSide {
			for x := range TileSide {
				require.Equal(t, Mosaic().RGBAAt(n%25*64+x, n/25*64+y), m.At(x, y))
			}
		}
	}
}

// No tile is empty water of one colour, and the picture is of many colours:
// someone who looks at a hole in the mosaic sees it.
func TestMosaicIsVaried(t *testing.T) {
	warm, cold := 0, 0
	for i := 0; i < len(Mosaic().Pix); i += 4 {
		if p := Mosaic().Pix[i : i+3]; p[0] > p[2] {
			warm++
		} else {
			cold++
		}
	}
	require.Greater(t, float64(warm)/float64(warm+cold), .05, "fish")
	require.Greater(t, float64(cold)/float64(warm+cold), .60, "water")
}

func TestDiceAreEven(t *testing.T) {
	d := diceFor(1, "even")
	var count [10]int
	for range 100_000 {
		count[int(d.between(0, 10))]++
	}
	for _, n := range count {
		require.InDelta(t, 10_000, n, 5*math.Sqrt(10_000))
	}
	require.NotEqual(t, diceFor(1, "a").next(), diceFor(1, "b").next())
	require.NotEqual(t, diceFor(1, "a").next(), diceFor(2, "a").next())
}
