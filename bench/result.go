package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// result is a peer's seconds per fetch, by round; NaN where the run did not
// count.
type result struct {
	name     string
	perFetch []float64
}

func newResult(name string, rounds int) result {
	return result{name, slices.Repeat([]float64{math.NaN()}, rounds)}
}

// over divides by another's rounds, each by the same one.
func (r result) over(other result) result {
	ratio := newResult(r.name, len(r.perFetch))
	for i := range ratio.perFetch {
		ratio.perFetch[i] = r.perFetch[i] / other.perFetch[i]
	}
	return ratio
}

// spread writes the median and, after it, the lowest and the highest.
func (r result) spread(unit float64, format string) string {
	counted := slices.DeleteFunc(slices.Clone(r.perFetch), math.IsNaN)
	if len(counted) == 0 {
		return "–"
	}
	slices.Sort(counted)
	low, high := counted[0], counted[len(counted)-1]
	median := (counted[(len(counted)-1)/2] + counted[len(counted)/2]) / 2
	format = strings.ReplaceAll("N (N–N)", "N", format)
	return fmt.Sprintf(format, median/unit, low/unit, high/unit)
}

// table writes the results in Markdown.
func table(results []result) string {
	const microsecond = 1e-6
	floor := newResult(floorName, len(results[0].perFetch))
	if i := slices.IndexFunc(results, func(r result) bool { return r.name == floorName }); i >= 0 {
		floor = results[i]
	}
	var out strings.Builder
	out.WriteString("| client | CPU µs a fetch: median (min–max) | ÷ floor: median (min–max) |\n|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", r.name, r.spread(microsecond, "%.1f"), r.over(floor).spread(1, "%.2f"))
	}
	return out.String()
}
