package main

import (
	"math"
	"slices"
	"time"
)

// The chart of a demo's page: a row for each fetch, time from left to right.
const (
	chartWidth = 1600.0
	chartRow   = 1.7 // units from one row to the next
	chartInset = 8.0
)

// Finished is when a tile came.
func (p plate) Finished() time.Duration { return p.Began + p.Took }

// InOrder are the tiles in the order in which they began.
func (p demoPage) InOrder() []plate {
	return slices.SortedStableFunc(slices.Values(p.Plates), func(a, b plate) int { return int(a.Began - b.Began) })
}

// X is where a time in milliseconds stands.
func (p demoPage) X(ms int64) float64 {
	return tenth(chartInset + (chartWidth-2*chartInset)*float64(ms)/float64(max(1, p.Took.Milliseconds())))
}

// Y is where a row stands.
func (p demoPage) Y(row int) float64 { return tenth(chartInset + chartRow*float64(row)) }

// tenth rounds, since long fractions make a long page.
func tenth(x float64) float64 { return math.Round(10*x) / 10 }

// Wide is how wide a tile's time is; it is to be seen, however short.
func (p demoPage) Wide(of plate) float64 {
	return tenth(max(2, p.X(of.Finished().Milliseconds())-p.X(of.Began.Milliseconds())))
}

// ChartFoot, ChartText and ChartHeight are where the rows end, the writing
// stands, and the chart ends.
func (p demoPage) ChartFoot() float64   { return p.Y(len(p.Plates)) + 4 }
func (p demoPage) ChartText() float64   { return p.ChartFoot() + 16 }
func (p demoPage) ChartHeight() float64 { return p.ChartFoot() + 24 }
