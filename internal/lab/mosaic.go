package lab

import (
	"image"
	"math"
	"sort"
	"sync"
)

// The mosaic is one picture, a shoal of fish, cut into tiles: 25 to a row, 16
// rows, numbered from 0 at the top left, row by row.
const (
	TileColumns = 25
	TileRows    = 16
	TileSide    = 64 // pixels; a whole number of the 16-pixel blocks of JPEG, so that no seam shows
	Tiles       = TileColumns * TileRows
)

// Mosaic is the whole picture, 1600 × 1024. It is painted when first asked
// for, which takes about a second, and is always the same (on another
// architecture, up to the rounding of its floating point); it must not be
// changed.
var Mosaic = sync.OnceValue(paintShoal)

// tile is the piece with a number from 0 to Tiles-1.
func tile(n int) image.Image {
	x, y := n%TileColumns*TileSide, n/TileColumns*TileSide
	return Mosaic().SubImage(image.Rect(x, y, x+TileSide, y+TileSide))
}

// paintShoal paints from the back to the front: water, ground, the far fish,
// the near fish, and what drifts before them.
func paintShoal() *image.RGBA {
	c := newCanvas(TileColumns*TileSide, TileRows*TileSide)
	d := diceFor(7, "shoal")
	w, h := float64(c.width), float64(c.height)
	sea := newWater(w, h, d)
	c.paint(0, 0, w, h, func(x, y float64, _ colour) (colour, float64) { return sea.at(x, y), 1 })
	c.ground(d)
	for range 90 {
		c.speck(d.between(0, w), d.between(0, h), d.between(1.2, 3.6), d.between(.05, .28))
	}
	for _, f := range gather(w, h, d) {
		f.draw(c)
	}
	for _, column := range [][2]float64{{.135, .62}, {.60, .93}, {.885, .70}} {
		c.bubbles(column[0]*w, column[1]*h, d)
	}
	return c.finish(d)
}

// bubbles rise in a loose column, and grow as they rise.
func (c *canvas) bubbles(x, y float64, d *dice) {
	for i := range 9 {
		rise := float64(i) + d.between(-.3, .3)
		c.bubble(x+20*math.Sin(rise*.9)+d.between(-12, 12), y-rise*34, 2.5+rise*.75+d.between(0, 3.5))
	}
}

// stream is the way the shoal swims: a point of its middle line for s from 0
// (left) to 1 (right), and the angle there.
func stream(s, w, h float64) (x, y, angle float64) {
	at := func(s float64) (float64, float64) {
		return w * (-.06 + 1.12*s), h * (.535 + .15*math.Sin(5.6*s+2.5) - .05*s)
	}
	x, y = at(s)
	x1, y1 := at(s + .01)
	return x, y, math.Atan2(y1-y, x1-x)
}

// gather puts fish into the stream so that no two of a size lie upon each
// other, far ones first.
func gather(w, h float64, d *dice) []*fish {
	var shoal []*fish
	layers := []struct {
		fish               int
		small, large       float64 // half lengths
		fog, spread, apart float64
	}{
		{330, 11, 19, .72, .30, .95},
		{170, 22, 34, .44, .25, .98},
		{84, 42, 58, .16, .21, 1.0},
		{22, 74, 96, 0, .22, 1.05},
	}
	for _, l := range layers {
		var layer []*fish
		for tries := 0; len(layer) < l.fish && tries < 40*l.fish; tries++ {
			f := swim(w, h, l.spread, d)
			f.half = d.between(l.small, l.large)
			f.fog = clamp(l.fog + d.between(-.07, .07))
			if free(f, layer, l.apart) {
				layer = append(layer, f)
			}
		}
		sort.SliceStable(layer, func(i, k int) bool { return layer[i].half < layer[k].half })
		shoal = append(shoal, layer...)
	}
	return shoal
}

// swim is a fish somewhere in the stream, of no size yet.
func swim(w, h, spread float64, d *dice) *fish {
	s := d.between(0, 1)
	x, y, angle := stream(s, w, h)
	// Three throws make the middle likelier than the edge.
	off := (d.between(-1, 1) + d.between(-1, 1) + d.between(-1, 1)) / 3 * 1.55
	reach := spread * h * (.42 + .75*math.Sin(math.Pi*clamp(s)))
	return &fish{
		x: x - off*reach*math.Sin(angle), y: y + off*reach*math.Cos(angle),
		angle: angle + d.between(-.11, .11), deep: d.between(.205, .25),
		phase: d.between(0, 2*math.Pi), livery: liveryAt(s+.22*off+d.between(-.12, .12), d),
	}
}

func free(f *fish, others []*fish, apart float64) bool {
	for _, o := range others {
		dx, dy := f.x-o.x, (f.y-o.y)*1.75 // fish are longer than high
		if math.Hypot(dx, dy) < apart*(f.half+o.half) {
			return false
		}
	}
	return true
}

// liveries go from gold at the tail of the shoal to rose at its head.
var (
	flanks = ramp{{0, rgb(0xffc845)}, {.35, rgb(0xff9a3c)}, {.65, rgb(0xff6f4e)}, {1, rgb(0xf2567f)}}
	backs  = ramp{{0, rgb(0xd08a12)}, {.35, rgb(0xc9520f)}, {.65, rgb(0xb52c2f)}, {1, rgb(0x8f2560)}}
)

func liveryAt(s float64, d *dice) livery {
	l := livery{back: backs.at(s), side: flanks.at(s), belly: rgb(0xfff0d2).mix(flanks.at(s), .18), fin: flanks.at(s-.1).mix(backs.at(s), .35)}
	if d.below(23) == 0 { // now and then a stranger
		l = livery{back: rgb(0x0c3f77), side: rgb(0x39c6d8), belly: rgb(0xe9fff4), fin: rgb(0x1d8fb8)}
	}
	return l
}
