package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// used is a run of ten fetches.
func used(cpuMicroseconds int) *figures {
	return &figures{Fetches: 10, CPU: time.Duration(10*cpuMicroseconds) * time.Microsecond,
		Wall: 1500 * time.Millisecond, Peak: 2_500_000, Switches: 5}
}

// sample sheets: of shoal a run is missing, of wget2 all.
func someSheet() sheet {
	calls := 6.04
	return sheet{
		Load: workload{Name: "10k", Fetches: 10, Size: 10_240, Conns: 64},
		Rows: []row{
			{"floor", []*figures{used(10), used(20), used(40)}, &calls},
			{"shoal", []*figures{used(11), nil, used(60)}, nil},
			{"curl", []*figures{used(22), used(20), used(40)}, nil},
			{"wget2", []*figures{nil, nil, nil}, nil},
			{"wrk", []*figures{used(5), used(5), used(5)}, nil},
		},
	}
}

func TestTable(t *testing.T) {
	s := someSheet()
	require.Equal(t, "| client | CPU, µs a fetch | ÷ floor | wall, s | peak, MB | system calls a fetch | context switches a fetch |\n|---|---|---|---|---|---|---|\n"+
		"| floor | 20.0 (10.0–40.0) | 1.00 (1.00–1.00) | 1.50 | 2.5 | 6.0 | 0.50 |\n"+
		"| shoal | 35.5 (11.0–60.0) | 1.30 (1.10–1.50) | 1.50 | 2.5 | – | 0.50 |\n"+
		"| curl | 22.0 (20.0–40.0) | 1.00 (1.00–2.20) | 1.50 | 2.5 | – | 0.50 |\n"+
		"| wget2 | – | – | – | – | – | – |\n"+
		"| wrk | 5.0 (5.0–5.0) | 0.25 (0.12–0.50) | 1.50 | 2.5 | – | 0.50 |\n", s.table())
}

func TestRatioTables(t *testing.T) {
	s := someSheet()
	without := sheet{Load: workload{Fetches: 1, Size: 1, Conns: 1}, Rows: []row{{"shoal", []*figures{used(10)}, nil}}}
	sheets := []sheet{s, without}
	overFloor := "| CPU ÷ floor | floor | shoal | curl | wget2 | wrk |\n|---|---|---|---|---|---|\n" +
		"| 10 × 10 KB, 64 connections | 1.00 (1.00–1.00) | 1.30 (1.10–1.50) | 1.00 (1.00–2.20) | – | 0.25 (0.12–0.50) |\n" +
		"| 1 × 1 B, 1 connection | – | – | – | – | – |\n"
	ofShoal := "| CPU of shoal ÷ | floor | curl | wget2 | wrk |\n|---|---|---|---|---|\n" +
		"| 10 × 10 KB, 64 connections | 1.30 (1.10–1.50) | 1.00 (0.50–1.50) | – | 7.10 (2.20–12.00) |\n" +
		"| 1 × 1 B, 1 connection | – | – | – | – |\n"
	require.Equal(t, overFloor+"\n"+ofShoal, ratioTables(sheets))
	alone := s.Rows[2:3]
	require.Empty(t, ratioTables([]sheet{{Load: s.Load, Rows: alone}}))
}

func TestRecords(t *testing.T) {
	name := filepath.Join(t.TempDir(), "runs.json")
	s := someSheet()
	require.NoError(t, record(name, s))
	back, err := readRecords(name, workloads)
	require.NoError(t, err)
	require.Equal(t, []sheet{s}, back)

	calls := 9.0
	later := sheet{Load: s.Load, Rows: []row{
		{"shoal", []*figures{used(1), used(2)}, &calls},
		{"aria2c", []*figures{nil, used(3)}, nil},
	}}
	require.NoError(t, record(name, later))
	other := sheet{Load: workload{Name: "j1"}, Rows: []row{}}
	require.NoError(t, record(name, other))
	back, err = readRecords(name, workloads)
	require.NoError(t, err)
	require.Len(t, back, 2)
	require.Equal(t, other, back[1])
	require.Equal(t, row{"floor", []*figures{used(10), used(20), used(40), nil, nil}, s.Rows[0].Calls}, back[0].row("floor"))
	require.Equal(t, row{"shoal", []*figures{used(11), nil, used(60), used(1), used(2)}, &calls}, back[0].row("shoal"))
	require.Equal(t, row{"aria2c", []*figures{nil, nil, nil, nil, used(3)}, nil}, back[0].row("aria2c"))

	back, err = readRecords(name, []workload{{Name: "j1"}})
	require.NoError(t, err)
	require.Equal(t, []sheet{other}, back)

	later.Load.Size++
	require.NoError(t, record(name, later))
	_, err = readRecords(name, workloads)
	require.ErrorContains(t, err, "two different workloads 10k")
	require.NoError(t, os.WriteFile(name, []byte(`{"Load"`), 0o600))
	_, err = readRecords(name, workloads)
	require.Error(t, err)
}

// element is what a picture has of one thing.
type element struct {
	name string
	attr map[string]string
	text string
}

// number is an attribute's.
func (e element) number(t *testing.T, name string) float64 {
	n, err := strconv.ParseFloat(e.attr[name], 64)
	require.NoError(t, err, "%s of %v", name, e)
	return n
}

// elements reads XML, strictly.
func elements(t *testing.T, text string) (all []element) {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			all = append(all, e)
		case xml.CharData:
			if len(all) > 0 {
				all[len(all)-1].text += string(token)
			}
		}
	}
}

// TestPlot reads a picture: it is XML, shows what it should, and everything is
// within its frame.
func TestPlot(t *testing.T) {
	s := someSheet()
	s.Rows[2].Peer = "curl & <co>"
	all := elements(t, plot([]sheet{s, {Load: workload{}, Rows: []row{{"wrk", []*figures{used(1)}, nil}}}}))
	var bars []element
	texts := map[string]int{}
	height := all[0].number(t, "height")
	for _, e := range all {
		texts[strings.TrimSpace(e.text)]++
		switch e.name {
		case "rect":
			bars = append(bars, e)
			require.GreaterOrEqual(t, e.number(t, "x"), 0.0)
			require.GreaterOrEqual(t, e.number(t, "width"), 0.0)
			require.LessOrEqual(t, e.number(t, "x")+e.number(t, "width"), float64(plotWidth))
			require.LessOrEqual(t, e.number(t, "y")+e.number(t, "height"), height)
		case "line":
			require.LessOrEqual(t, e.number(t, "x2"), float64(plotWidth))
			require.LessOrEqual(t, e.number(t, "y2"), height)
		case "script":
			t.Error("a script")
		}
	}
	for _, shown := range []string{"floor", "shoal", "curl & <co>", "10 × 10 KB, 64 connections", "1.30", "2.5", "1×", "2×", "1 MB"} {
		require.Positive(t, texts[shown], shown)
	}
	for _, hidden := range []string{"wrk", "wget2"} {
		require.Zero(t, texts[hidden], hidden)
	}
	require.Len(t, bars, 6, "processor time and memory of three clients")
	require.Zero(t, bars[0].number(t, "width"), "the floor over itself is 1, where bars begin")
	require.Positive(t, bars[2].number(t, "width"), "shoal's processor time")
	require.Less(t, bars[2].number(t, "x")+bars[2].number(t, "width"), bars[3].number(t, "x"), "its memory begins further right")
}

// TestScale: a bar below 1 goes to the left.
func TestScale(t *testing.T) {
	s := scale{left: 100, width: 300 + valueRoom, base: 2, from: 1, to: 1}
	s.include(sample{0.5, 4})
	require.InDelta(t, 100, s.at(0.5), 0.01)
	require.InDelta(t, 200, s.at(1), 0.01)
	require.InDelta(t, 400, s.at(4), 0.01)
	require.Equal(t, []float64{0.5, 1, 2, 4}, s.ticks())
}
