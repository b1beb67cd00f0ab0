package lab

import "math"

// fish is one fish seen from the side. In its own measure it swims along u,
// from the tips of its tail at -1 to its nose at +1; v points down.
type fish struct {
	x, y   float64 // the middle, in pixels
	half   float64 // half its length, in pixels
	angle  float64 // where it swims, in radians below the horizon
	deep   float64 // height to length
	phase  float64 // where in its stroke the tail is
	fog    float64 // how much water lies between: 0 near, 1 lost in the blue
	livery livery
}

// livery is how a fish is coloured.
type livery struct{ back, side, belly, fin colour }

// murk is the colour of things far away under water.
var murk = rgb(0x14689f)

const (
	tailRoot = -.60 // where the body ends and the tail fin begins
	eyeU     = .70
	eyeV     = -.055
)

// draw lays the fish over what is painted already.
func (f *fish) draw(c *canvas) {
	sin, cos := math.Sincos(f.angle)
	reach := f.half * 1.12
	c.paint(f.x-reach, f.y-reach, f.x+reach, f.y+reach, func(x, y float64, below colour) (colour, float64) {
		dx, dy := (x-f.x)/f.half, (y-f.y)/f.half
		u, v := dx*cos+dy*sin, dy*cos-dx*sin
		if u < -1.02 || u > 1.02 || math.Abs(v) > .55 {
			return below, 0
		}
		v -= f.bend(u)
		over, cover := f.look(u, v)
		if cover == 0 {
			return below, 0
		}
		return over.mix(murk, .78*f.fog), cover * (1 - .45*f.fog)
	})
}

// bend is how far the backbone is from straight: more towards the tail.
func (f *fish) bend(u float64) float64 {
	back := (1 - u) / 2
	return .085 * back * back * math.Sin(f.phase+2.1*u)
}

// girth is half the height of the body.
func (f *fish) girth(u float64) float64 {
	t := (u - tailRoot) / (1 - tailRoot)
	if t < 0 || t > 1 {
		return 0
	}
	// A sine drawn towards the head, rounded at the nose; the root of the
	// tail does not taper to nothing.
	return f.deep * (math.Pow(math.Sin(math.Pi*math.Pow(t, 1.22)), .86-.32*t) + .17*(1-t)*(1-t))
}

// inside turns a distance in the fish's measure (negative within) to cover.
func (f *fish) inside(distance float64) float64 { return clamp(.5 - distance*f.half) }

// look is what is seen of the fish at a point: its colour, and how much of
// the pixel it covers.
func (f *fish) look(u, v float64) (colour, float64) {
	girth := f.girth(u)
	body := 0.0
	if girth > 0 {
		body = f.inside((math.Abs(v) - girth) * .85)
	}
	fin, shade := f.fins(u, v, girth)
	if body == 0 {
		return shade, fin
	}
	skin := f.skin(u, v, girth)
	if body == 1 {
		return skin, 1
	}
	return shade.mix(skin, body/(body+fin*(1-body))), body + fin*(1-body)
}

// fins are the tail, the fin on the back and the one below: translucent, with
// rays. The cover is 0 where there is none.
func (f *fish) fins(u, v, girth float64) (cover float64, shade colour) {
	var along float64 // 0 at the root of the fin, 1 at its edge
	switch s := (tailRoot + .06 - u) / (1 + tailRoot + .06); {
	case s > 0:
		outer := .30 * (.2 + .8*math.Pow(s, .85)) * (.55 + 1.6*f.deep)
		notch := outer * .98 * math.Pow(clamp((s-.42)/.58), 1.25)
		cover = min(f.inside(math.Abs(v)-outer), f.inside(notch-math.Abs(v)))
		along = s
	case v < 0:
		sail := .17 * math.Pow(math.Sin(math.Pi*clamp((u+.42)/.86)), .6) * (.55 + .45*smooth(-.45, .35, u))
		cover, along = f.blade(-v-girth, sail)
	default:
		keel := .12 * math.Pow(math.Sin(math.Pi*clamp((u+.50)/.50)), .7)
		cover, along = f.blade(v-girth, keel)
	}
	rays := .5 + .5*math.Sin(38*math.Atan2(v, u+.30))
	if along > 0 && u > tailRoot {
		rays = .5 + .5*math.Sin(62*(u+.1*along))
	}
	shade = f.livery.fin.scale(.80+.26*rays).mix(f.livery.belly, .28*along)
	return cover * (.90 - .34*along), shade
}

// blade is a fin that stands on the edge of the body.
func (f *fish) blade(above, high float64) (cover, along float64) {
	if high <= .004 {
		return 0, 0
	}
	return f.inside(above - high), clamp(above / high)
}

// skin is the body: dark above and light below, as fish are against the light
// of the surface, with a shine, a band, scales, a gill and an eye.
func (f *fish) skin(u, v, girth float64) colour {
	w := v / max(girth, .01) // -1 the back, +1 the belly
	l := f.livery
	c := l.back.mix(l.side, smooth(-1, -.25, w)).mix(l.belly, smooth(.05, .95, w))
	c = c.add(rgb(0xfff6dd), .34*math.Exp(-18*(w+.42)*(w+.42))*smooth(-.6, .2, u))
	c = c.scale(1 - .16*math.Exp(-40*(w-.02)*(w-.02))*smooth(.62, .40, u))
	if f.half > 24 {
		c = c.scale(1 + .08*math.Sin(40*u+58*v)*math.Sin(40*u-58*v)*smooth(.48, .36, u)*smooth(1, .6, math.Abs(w)))
	}
	c = c.scale(1 - .30*math.Exp(-900*sq(math.Hypot(u-.66, v*.95)-.235))*smooth(.56, .46, u)*smooth(1, .7, math.Abs(w)))
	c = f.pectoral(u, v, c)
	c = c.scale(1 - .45*f.inside(math.Abs(v-.045-.25*(1-u))-.007)*smooth(.89, .93, u)) // the mouth
	c = c.scale(.80 + .20*smooth(1.02, .70, math.Abs(w)))                              // the edge turns away
	return f.eye(u, v, c)
}

// pectoral is the small fin at the side.
func (f *fish) pectoral(u, v float64, c colour) colour {
	du, dv := u-.30, v-.10
	a, b := du*.88+dv*-.47, du*.47+dv*.88
	if a > .02 || a < -.24 {
		return c
	}
	wide := .075 * math.Sin(math.Pi*math.Pow(clamp((.02-a)/.26), .7))
	return c.mix(f.livery.fin.mix(f.livery.belly, .25).scale(.92+.12*math.Sin(150*b)), .85*f.inside(math.Abs(b)-wide))
}

func (f *fish) eye(u, v float64, c colour) colour {
	away := math.Hypot(u-eyeU, v-eyeV)
	c = c.mix(rgb(0xfff7e6), f.inside(away-.060))
	c = c.mix(rgb(0x0a1524), f.inside(away-.041))
	return c.mix(rgb(0xffffff), .95*f.inside(math.Hypot(u-eyeU-.014, v-eyeV+.016)-.013))
}

func sq(x float64) float64 { return x * x }
