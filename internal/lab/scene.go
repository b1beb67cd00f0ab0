package lab

import (
	"image"
	"math"
	"slices"
)

// palettes are the lights a scene may stand in: sky above, sky at the
// horizon, sun, the farthest hill, the nearest.
var palettes = [][5]colour{
	{rgb(0x1b2a5c), rgb(0xff9e6d), rgb(0xffe8b0), rgb(0xc4678a), rgb(0x2a1a3f)},
	{rgb(0x2f7fc1), rgb(0xcfeefb), rgb(0xfffbe0), rgb(0x7fb3c9), rgb(0x1d4a3a)},
	{rgb(0x0b1236), rgb(0x4a4f9c), rgb(0xf3f0ff), rgb(0x44508f), rgb(0x0a0f26)},
	{rgb(0x6a3d8f), rgb(0xffc6a8), rgb(0xfff2cf), rgb(0xb07bb5), rgb(0x3a2350)},
	{rgb(0x0e5a63), rgb(0xf5dca0), rgb(0xfff6d6), rgb(0x6fa795), rgb(0x123a35)},
	{rgb(0x8a2f3c), rgb(0xffb34d), rgb(0xfff0a8), rgb(0xc25a45), rgb(0x33131f)},
}

// scene paints hills under a sun, of any size; what light and which hills,
// the dice decide.
func scene(width, height int, d *dice) *image.RGBA {
	c := newCanvas(width, height)
	w, h := float64(width), float64(height)
	p := palettes[d.below(len(palettes))]
	sunX, sunY, sun := w*d.between(.2, .8), h*d.between(.22, .5), min(w, h)*d.between(.07, .12)
	c.paint(0, 0, w, h, func(x, y float64, _ colour) (colour, float64) {
		away := math.Hypot(x-sunX, y-sunY)
		sky := p[0].mix(p[1], math.Pow(clamp(y/(.75*h)), .8)).add(p[2], .45*math.Exp(-away/(3.2*sun)))
		return sky.mix(p[2], clamp(sun-away+.5)), 1
	})
	const hills = 5
	for i := range hills {
		near := float64(i) / (hills - 1)
		r := newRidge(h*(.52+.38*near), h*(.10-.03*near), w, d)
		c.paint(0, slices.Min(r)-1, w, h, func(x, y float64, _ colour) (colour, float64) {
			top := r.at(x)
			mist := .35 * (1 - near) * smooth(0, .3*h, y-top)
			return p[3].mix(p[4], near).mix(p[1], mist), clamp(y - top + .5)
		})
	}
	return c.finish(d)
}
