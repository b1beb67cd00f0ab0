package main

import (
	"fmt"
	"slices"
	"strings"
)

// table writes one workload's figures in Markdown: medians, and of some the
// lowest and the highest.
func (s *sheet) table() string {
	base := s.base()
	var out strings.Builder
	fmt.Fprintf(&out, "| client | CPU, µs a fetch | ÷ %s | wall, s | peak, MB | system calls a fetch | context switches a fetch |\n|---|---|---|---|---|---|---|\n", base.Peer)
	for _, r := range s.Rows {
		calls := "–"
		if r.Calls != nil {
			calls = fmt.Sprintf("%.1f", *r.Calls)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Peer,
			r.of(cpuPerFetch).write("%.1f"), r.cpuOver(base).write("%.2f"), r.of(wall).writeMedian("%.2f"),
			r.of(peak).writeMedian("%.1f"), calls, r.of(switchesPerFetch).writeMedian("%.2f"))
	}
	return out.String()
}

// ratioTables compare processor times over all workloads: every peer's with the
// floor's, and shoal's with every peer's.
func ratioTables(sheets []sheet) string {
	columns := peersOf(sheets)
	var tables []string
	if slices.Contains(columns, floorName) {
		tables = append(tables, ratioTable("CPU ÷ floor", columns, sheets, func(s *sheet, peer string) sample {
			return s.row(peer).cpuOver(s.row(floorName))
		}))
	}
	if slices.Contains(columns, shoalName) {
		others := slices.DeleteFunc(columns, func(name string) bool { return name == shoalName })
		tables = append(tables, ratioTable("CPU of shoal ÷", others, sheets, func(s *sheet, peer string) sample {
			return s.row(shoalName).cpuOver(s.row(peer))
		}))
	}
	return strings.Join(tables, "\n")
}

func ratioTable(title string, columns []string, sheets []sheet, ratio func(s *sheet, peer string) sample) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | %s |\n|%s\n", title, strings.Join(columns, " | "), strings.Repeat("---|", len(columns)+1))
	for i := range sheets {
		fmt.Fprintf(&out, "| %s |", sheets[i].Load)
		for _, peer := range columns {
			fmt.Fprintf(&out, " %s |", ratio(&sheets[i], peer).write("%.2f"))
		}
		out.WriteString("\n")
	}
	return out.String()
}

// peersOf are those that some sheet has, in the order of the list of all.
func peersOf(sheets []sheet) (names []string) {
	for _, p := range peers {
		if slices.ContainsFunc(sheets, func(s sheet) bool { return len(s.row(p.name).Runs) > 0 }) {
			names = append(names, p.name)
		}
	}
	return names
}
