package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"slices"
	"time"

	"github.com/shoalfetch/shoal/internal/lab"
	"github.com/shoalfetch/shoal/internal/view"
)

//go:embed demo.html
var demoText string

var demoTemplate = template.Must(template.New("demo").Funcs(template.FuncMap{
	"seconds": seconds,
	"ms":      time.Duration.Milliseconds,
	"size":    view.Size,
	"class":   func(way string) string { return "way-" + way },
}).Parse(demoText))

// demoPage is what the page shows.
type demoPage struct {
	Mark     template.HTML
	Columns  int
	Side     int // of a tile, in pixels
	Plates   []plate
	Came     int
	Holes    int
	Conns    int
	Seed     uint64
	AtOnce   int
	Took     time.Duration
	OneByOne time.Duration
	Calls    string // for each fetch
	Bytes    int64
	Ways     []wayTold
	Marks    []int64 // where the time line has its marks, in milliseconds
}

// wayTold is how the tiles of one way fared.
type wayTold struct {
	Name, About string
	Tiles, Came int
	Median      time.Duration
}

var waysTold = []wayTold{
	{Name: wayWell, About: "the whole picture at once"},
	{Name: waySlow, About: "thinks before it answers"},
	{Name: wayDrip, About: "a few bytes, a pause, a few bytes"},
	{Name: wayDie, About: "one in four resets, hangs up or says nothing"},
}

// writePage writes index.html.
func (d *demo) writePage() error {
	p := demoPage{
		Mark: demoMark, Columns: lab.TileColumns, Side: lab.TileSide, Plates: d.plates,
		Came: d.came(), Holes: len(d.plates) - d.came(), Conns: d.conns, Seed: d.seed, AtOnce: d.atOnce(),
		Took: d.took, OneByOne: d.oneByOne(), Calls: fmt.Sprintf("%.1f", d.callsEach()),
		Marks: marks(d.took.Milliseconds()),
	}
	for _, plate := range d.plates {
		p.Bytes += plate.Bytes
	}
	for _, w := range waysTold {
		p.Ways = append(p.Ways, d.fare(w))
	}
	var page bytes.Buffer
	if err := demoTemplate.Execute(&page, p); err != nil {
		panic("shoal: " + err.Error()) // the template and its data are ours
	}
	return os.WriteFile(d.page(), page.Bytes(), 0o666)
}

// fare fills in how the tiles of a way fared.
func (d *demo) fare(w wayTold) wayTold {
	var times []time.Duration
	for _, p := range d.plates {
		if p.Way != w.Name {
			continue
		}
		times = append(times, p.Took)
		w.Tiles++
		if p.Hole == "" {
			w.Came++
		}
	}
	if len(times) > 0 {
		slices.Sort(times)
		w.Median = times[len(times)/2]
	}
	return w
}

// marks are round times on a line of so many milliseconds, five or so.
func marks(all int64) (at []int64) {
	step := int64(1)
	for _, next := range []int64{2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000} {
		if all/step > 6 {
			step = next
		}
	}
	for t := step; 25*t < 24*all; t += step { // at the very end there is no room to write
		at = append(at, t)
	}
	return at
}
