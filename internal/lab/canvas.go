package lab

import (
	"image"
	"math"
)

// colour is red, green and blue, each from 0 to 1.
type colour struct{ r, g, b float64 }

// rgb is a colour from its usual hexadecimal form, 0xRRGGBB.
func rgb(hex uint32) colour {
	return colour{float64(hex>>16&255) / 255, float64(hex>>8&255) / 255, float64(hex&255) / 255}
}

// mix goes from c (t = 0) to d (t = 1); t outside is taken to the nearer end.
func (c colour) mix(d colour, t float64) colour {
	t = clamp(t)
	return colour{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

// scale makes a colour darker (k < 1) or brighter.
func (c colour) scale(k float64) colour { return colour{c.r * k, c.g * k, c.b * k} }

// add is light upon light.
func (c colour) add(d colour, k float64) colour {
	return colour{c.r + d.r*k, c.g + d.g*k, c.b + d.b*k}
}

func clamp(t float64) float64 { return min(max(t, 0), 1) }

// smooth rises from 0 at from to 1 at to, without a corner at either end.
func smooth(from, to, x float64) float64 {
	t := clamp((x - from) / (to - from))
	return t * t * (3 - 2*t)
}

// ramp is a gradient through stops, each a height and the colour there.
type ramp []struct {
	at float64
	is colour
}

func (r ramp) at(t float64) colour {
	for i := 1; i < len(r); i++ {
		if t < r[i].at {
			return r[i-1].is.mix(r[i].is, smooth(r[i-1].at, r[i].at, t))
		}
	}
	return r[len(r)-1].is
}

// canvas is a picture being painted, in more shades than the finished one.
type canvas struct {
	width, height int
	pixels        []colour
}

func newCanvas(width, height int) *canvas {
	return &canvas{width, height, make([]colour, width*height)}
}

// paint asks for the colour and the cover (0 to 1) of every pixel in a
// rectangle, given its centre, and lays it over what is there.
func (c *canvas) paint(left, top, right, bottom float64, ask func(x, y float64, below colour) (colour, float64)) {
	x0, x1 := max(0, int(left)), min(c.width, int(right)+1)
	y0, y1 := max(0, int(top)), min(c.height, int(bottom)+1)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			p := &c.pixels[y*c.width+x]
			if over, cover := ask(float64(x)+.5, float64(y)+.5, *p); cover > 0 {
				*p = p.mix(over, cover)
			}
		}
	}
}

// finish rounds to 8 bits. A little noise is added first: without it the
// slow gradients would show as bands.
func (c *canvas) finish(dice *dice) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, c.width, c.height))
	for i, p := range c.pixels {
		noise := dice.between(0, 1)
		out.Pix[4*i] = level(p.r, noise)
		out.Pix[4*i+1] = level(p.g, noise)
		out.Pix[4*i+2] = level(p.b, noise)
		out.Pix[4*i+3] = 255
	}
	return out
}

func level(v, noise float64) uint8 { return uint8(math.Floor(clamp(v)*254 + noise)) }
