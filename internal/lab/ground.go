package lab

import (
	"math"
	"slices"
)

// ground is the bottom of the sea: three ridges, each nearer and darker than
// the one behind, with weed upon the two in front.
func (c *canvas) ground(d *dice) {
	w, h := float64(c.width), float64(c.height)
	for i, near := range []float64{0, .5, 1} {
		shade := rgb(0x0b4a80).mix(rgb(0x02102b), near)
		high := .115 - .03*float64(i)
		ridge := newRidge(h*(1-high), h*.035, w, d)
		if i > 0 {
			for range 16 + 4*i {
				x := d.between(0, w)
				if middle := math.Abs(x/w - .5); d.between(0, .5) < middle+.12 { // the middle stays clear
					c.weed(x, ridge.at(x)+6, h*d.between(.06, .20)*(.8+.5*near), shade.scale(.95), d)
				}
			}
		}
		c.paint(0, slices.Min(ridge)-1, w, h, func(x, y float64, below colour) (colour, float64) {
			top := ridge.at(x)
			return shade.mix(rgb(0x1b7fae), .35*(1-near)*math.Exp(-(y-top)/14)), clamp(y - top + .5)
		})
	}
}

// ridge is a line of hills: how far down it begins, for each column.
type ridge []float64

func newRidge(middle, high, width float64, d *dice) ridge {
	r := make(ridge, int(width))
	for x := range r {
		r[x] = middle
	}
	for _, often := range []float64{1.3, 2.9, 6.1, 13, 29} {
		phase := d.between(0, 2*math.Pi)
		for x := range r {
			r[x] += high / math.Pow(often, .9) * math.Sin(2*math.Pi*often*(float64(x)+.5)/width+phase)
		}
	}
	return r
}

func (r ridge) at(x float64) float64 { return r[int(x)] }

// weed is one strand: a stem that sways, with leaves to both sides in turn.
func (c *canvas) weed(x, y, high float64, shade colour, d *dice) {
	sway, phase, lean := d.between(.05, .10)*high, d.between(0, 6), d.between(.02, .22)*high
	stem := func(t float64) (float64, float64) {
		return x + lean*t*t + sway*t*math.Sin(phase+4.5*t), y - high*t
	}
	for t := 0.0; t < 1; t += 2 / high {
		sx, sy := stem(t)
		c.leaf(sx, sy, 4, 2.4*(1-.7*t), -math.Pi/2, shade)
	}
	side := 1.0
	for t := .12; t < 1.01; t += .085 {
		sx, sy := stem(t)
		long := high * .13 * (1.15 - .6*t)
		c.leaf(sx, sy, long, long*.19, -math.Pi/2+side*(.85-.35*t)+.15, shade)
		side = -side
	}
}

// leaf is a blade from a point in a direction.
func (c *canvas) leaf(x, y, long, wide, angle float64, shade colour) {
	sin, cos := math.Sincos(angle)
	c.paint(x-long-2, y-long-2, x+long+2, y+long+2, func(px, py float64, below colour) (colour, float64) {
		dx, dy := px-x, py-y
		u, v := (dx*cos+dy*sin)/long, dy*cos-dx*sin
		if u < 0 || u > 1 {
			return below, 0
		}
		return shade, clamp(wide*math.Sin(math.Pi*math.Pow(u, .8)) - math.Abs(v) + .5)
	})
}
