package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
)

// How a picture is laid out, in pixels.
const (
	plotWidth  = 900
	topMargin  = 62 // above the first workload
	titleRoom  = 26 // for a workload's title
	rowHeight  = 17
	blockSpace = 14 // below a workload
	barHeight  = 11
	nameEnd    = 78 // of the clients' names, which are flush right
	valueRoom  = 44 // behind the longest bar
	noteRoom   = 16 // below the last workload
)

// plotStyle follows the reader's choice of light or dark.
const plotStyle = `
svg { background: #ffffff; }
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #3d4752; }
.title { font-weight: 600; fill: #14191f; }
.tick, .note { font-size: 11px; fill: #77828e; }
.grid { stroke: #e3e7eb; }
.base { stroke: #77828e; }
.bar { fill: #a9b6c3; }
.ours .bar { fill: #e0592a; }
.ours text { font-weight: 600; fill: #14191f; }
.range { stroke: #3d4752; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; }
  text { fill: #b4bec9; }
  .title, .ours text { fill: #f0f3f6; }
  .tick, .note { fill: #86919d; }
  .grid { stroke: #242b33; }
  .base { stroke: #86919d; }
  .bar { fill: #55616e; }
  .ours .bar { fill: #f0753f; }
  .range { stroke: #b4bec9; }
}
`

// plot draws processor time over the floor's, and peak memory, of each client in
// each workload.
func plot(sheets []sheet) string {
	d := drawing{
		cpu:    scale{left: 88, width: 440, base: 2, format: "%g×", from: 1, to: 1},
		memory: scale{left: 620, width: 270, base: 10, format: "%g MB", from: 1, to: 1},
		height: topMargin + noteRoom,
	}
	var drawn []sheet
	for _, s := range sheets {
		s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r row) bool { return isYardstick(r.Peer) || !r.counts() })
		if len(s.Rows) == 0 {
			continue
		}
		drawn = append(drawn, s)
		d.height += titleRoom + len(s.Rows)*rowHeight + blockSpace
		for _, r := range s.Rows {
			d.cpu.include(r.cpuOver(s.base()))
			d.memory.include(r.of(peak))
		}
	}
	d.draw(drawn)
	return d.String()
}

func isYardstick(name string) bool {
	return slices.ContainsFunc(peers, func(p peer) bool { return p.name == name && p.yardstick })
}

// drawing is a picture on its way.
type drawing struct {
	strings.Builder
	cpu, memory scale
	height      int
}

// put writes a line.
func (d *drawing) put(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *drawing) draw(sheets []sheet) {
	d.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img">`, plotWidth, d.height)
	d.put(`<title>Processor time and memory of clients that fetch the same files</title>`)
	d.put(`<style>%s</style>`, plotStyle)
	d.axis(&d.cpu, "Processor time of a fetch, over the floor’s")
	d.axis(&d.memory, "Peak memory of the process")
	y := topMargin
	for _, s := range sheets {
		title := s.Load.String()
		if base := s.base().Peer; base != floorName {
			title += " (over " + base + "’s)"
		}
		d.put(`<text class="title" x="%d" y="%d">%s</text>`, d.cpu.left, y+titleRoom-9, escape(title))
		y += titleRoom
		for _, r := range s.Rows {
			d.row(r, s.base(), y)
			y += rowHeight
		}
		y += blockSpace
	}
	d.put(`<text class="note" x="%d" y="%d">Bars: medians. Thin lines: from the lowest run to the highest. The scales are logarithmic.</text>`,
		d.cpu.left, d.height-noteRoom/2)
	d.put(`</svg>`)
}

// axis draws a scale from top to bottom.
func (d *drawing) axis(s *scale, title string) {
	d.put(`<text class="title" x="%d" y="20">%s</text>`, s.left, escape(title))
	for _, tick := range s.ticks() {
		x, class := s.at(tick), "grid"
		if tick == 1 {
			class = "base"
		}
		d.put(`<line class="%s" x1="%.1f" x2="%.1[2]f" y1="48" y2="%d"/>`, class, x, d.height-noteRoom-blockSpace)
		d.put(`<text class="tick" x="%.1f" y="42" text-anchor="middle">%s</text>`, x, escape(fmt.Sprintf(s.format, tick)))
	}
}

// row draws one client's two bars.
func (d *drawing) row(r, base row, y int) {
	class := "theirs"
	if r.Peer == shoalName {
		class = "ours"
	}
	d.put(`<g class="%s">`, class)
	d.put(`<text x="%d" y="%d" text-anchor="end">%s</text>`, nameEnd, y+barHeight-1, escape(r.Peer))
	d.bar(&d.cpu, r.cpuOver(base), "%.2f", y)
	d.bar(&d.memory, r.of(peak), "%.1f", y)
	d.put(`</g>`)
}

// bar draws the median from the scale's 1, the range, and the median's number.
func (d *drawing) bar(s *scale, values sample, format string, y int) {
	median, low, high, ok := values.spread()
	if !ok {
		return
	}
	from, to := s.at(1), s.at(median)
	left, right := min(from, to), max(from, to)
	middle := float64(y) + barHeight/2.0
	d.put(`<rect class="bar" x="%.1f" y="%d" width="%.1f" height="%d"/>`, left, y, right-left, barHeight)
	d.put(`<line class="range" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1[3]f"/>`, s.at(low), s.at(high), middle)
	d.put(`<text x="%.1f" y="%d">%s</text>`, max(right, s.at(high))+5, y+barHeight-1, fmt.Sprintf(format, median))
}

// scale is logarithmic: equal steps are equal factors.
type scale struct {
	left, width int
	base        float64 // a tick at each of its powers
	format      string  // of a tick
	from, to    float64
}

// include widens the scale to what is to be shown.
func (s *scale) include(values sample) {
	if _, low, high, ok := values.spread(); ok {
		s.from, s.to = min(s.from, low), max(s.to, high)
	}
}

// at is where a value is, in pixels.
func (s *scale) at(value float64) float64 {
	whole := math.Log(s.to/s.from) + 1e-9 // never nothing
	return float64(s.left) + float64(s.width-valueRoom)*math.Log(value/s.from)/whole
}

func (s *scale) ticks() (all []float64) {
	for tick := math.Pow(s.base, math.Ceil(math.Log(s.from)/math.Log(s.base)-1e-9)); tick <= s.to; tick *= s.base {
		all = append(all, tick)
	}
	return all
}

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a Builder takes everything
	return out.String()
}
