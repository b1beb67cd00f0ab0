//go:build linux

package main

import (
	"cmp"
	"debug/elf"
	"fmt"
	"io"
	"slices"
	"sort"
)

// functions are a program's, by address.
type functions []elf.Symbol

func readFunctions(program string) (functions, error) {
	file, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	f := slices.DeleteFunc(symbols, func(s elf.Symbol) bool { return elf.ST_TYPE(s.Info) != elf.STT_FUNC })
	slices.SortFunc(f, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	return f, nil
}

// at names the function that an address is in.
func (f functions) at(address uint64) string {
	i := sort.Search(len(f), func(i int) bool { return f[i].Value > address }) - 1
	if i < 0 || address >= f[i].Value+f[i].Size {
		return "(the kernel's page of time)" // vdso(7): nothing else is outside of the program
	}
	return f[i].Name
}

// report writes what was counted, as a table of the functions that have most.
func (f functions) report(w io.Writer, counted *count, top int) error {
	total, by := 0, map[string]int{}
	for address, n := range counted.at {
		total += n
		by[f.at(address)] += n
	}
	names := make([]string, 0, len(by))
	for name := range by {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b)) })
	fmt.Fprintf(w, "%d instructions a fetch, outside of the kernel\n\n| instructions | share | function |\n|---|---|---|\n", total/counted.requests)
	for _, name := range names[:min(top, len(names))] {
		if _, err := fmt.Fprintf(w, "| %d | %.1f %% | %s |\n", by[name]/counted.requests, 100*float64(by[name])/float64(total), name); err != nil {
			return err
		}
	}
	return nil
}
