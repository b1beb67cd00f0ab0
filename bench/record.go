package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// record appends a sheet to a file, as a line of JSON.
func record(name string, s sheet) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := json.NewEncoder(file).Encode(s); err != nil {
		return err
	}
	return file.Close()
}

// readRecords reads what record wrote, of the workloads that are chosen and in
// their order. Rounds of one workload that were recorded at different times
// are put together.
func readRecords(name string, chosen []workload) ([]sheet, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	byName := map[string]*sheet{}
	for records := json.NewDecoder(file); ; {
		var s sheet
		if err := records.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if have := byName[s.Load.Name]; have != nil {
			if have.Load != s.Load {
				return nil, fmt.Errorf("%s: two different workloads %s", name, s.Load.Name)
			}
			have.add(s)
			continue
		}
		byName[s.Load.Name] = &s
	}
	var sheets []sheet
	for _, load := range chosen {
		if s := byName[load.Name]; s != nil {
			sheets = append(sheets, *s)
		}
	}
	return sheets, nil
}

// add puts further rounds behind those that are there.
func (s *sheet) add(more sheet) {
	rounds := func(s *sheet) (n int) {
		for _, r := range s.Rows {
			n = max(n, len(r.Runs))
		}
		return n
	}
	before, after := rounds(s), rounds(&more)
	for _, r := range more.Rows {
		if !slices.ContainsFunc(s.Rows, func(have row) bool { return have.Peer == r.Peer }) {
			s.Rows = append(s.Rows, row{Peer: r.Peer, Runs: make([]*figures, before)})
		}
	}
	for i := range s.Rows {
		r := &s.Rows[i]
		new := more.row(r.Peer)
		r.Runs = append(r.Runs, new.Runs...)
		r.Runs = append(r.Runs, make([]*figures, before+after-len(r.Runs))...)
		if r.Calls == nil {
			r.Calls = new.Calls
		}
	}
}
