package lab

import "math"

var waterColours = ramp{
	{0, rgb(0x5fd3dc)}, {.16, rgb(0x2aa3c9)}, {.42, rgb(0x0f6aa6)}, {.72, rgb(0x083a76)}, {1, rgb(0x041a44)},
}

// water is the sea without anything in it: light above, dark below, and rays
// that spread from a sun outside the picture.
type water struct {
	width, height float64
	sunX, sunY    float64
	waves         []wave
}

type wave struct{ often, phase, high float64 }

func newWater(width, height float64, d *dice) *water {
	w := &water{width: width, height: height, sunX: .34 * width, sunY: -.38 * height}
	for _, often := range []float64{9, 17, 29, 47, 83} {
		w.waves = append(w.waves, wave{often, d.between(0, 2*math.Pi), 1 / math.Sqrt(often)})
	}
	return w
}

func (w *water) at(x, y float64) colour {
	dx, dy := (x-w.sunX)/w.height, (y-w.sunY)/w.height
	away := math.Hypot(dx, dy)
	// What is as far from the sun is as dark: the surfaces of equal light
	// bend, which a straight gradient would not.
	c := waterColours.at(clamp(.55*y/w.height + .45*smooth(.35, 1.75, away)))
	c = c.add(rgb(0xbff5ea), .34*math.Exp(-5*max(0, away-.36)))
	return c.add(rgb(0x9fe6ee), .30*w.ray(math.Atan2(dx, dy))*math.Exp(-1.5*max(0, away-.38)))
}

// ray is how bright the light is in a direction from the sun, 0 to 1.
func (w *water) ray(angle float64) float64 {
	var sum float64
	for _, v := range w.waves {
		sum += v.high * math.Sin(v.often*angle+v.phase)
	}
	return math.Pow(smooth(-.35, .75, sum), 1.6)
}

// bubble is a small sphere of air: a bright rim, a spot of sun, hardly
// anything between.
func (c *canvas) bubble(x, y, radius float64) {
	c.paint(x-radius-1, y-radius-1, x+radius+1, y+radius+1, func(px, py float64, below colour) (colour, float64) {
		dx, dy := (px-x)/radius, (py-y)/radius
		away := math.Hypot(dx, dy)
		inside := clamp((1-away)*radius + .5)
		rim := math.Pow(clamp(away), 5) * (.40 - .25*dy)
		spot := smooth(.34, .10, math.Hypot(dx+.38, dy+.42))
		return rgb(0xe8fffb), inside * clamp(.07+rim+.85*spot)
	})
}

// speck is something that drifts in the light, out of focus.
func (c *canvas) speck(x, y, radius, bright float64) {
	c.paint(x-radius, y-radius, x+radius, y+radius, func(px, py float64, below colour) (colour, float64) {
		return rgb(0xd8fbff), bright * smooth(radius, 0, math.Hypot(px-x, py-y))
	})
}
