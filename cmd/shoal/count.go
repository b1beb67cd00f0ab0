package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// countValue is a flag's whole number, from some least one.
type countValue struct {
	to      *int
	least   int
	example string // of a use
}

// Set implements pflag.Value.
func (v countValue) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < v.least || n > math.MaxInt32 {
		return fmt.Errorf("it takes a whole number from %d to %d, not %s (for example %s)", v.least, math.MaxInt32, text, v.example)
	}
	*v.to = n
	return nil
}

// String implements pflag.Value.
func (v countValue) String() string {
	if v.to == nil {
		return ""
	}
	return strconv.Itoa(*v.to)
}

// Type implements pflag.Value.
func (countValue) Type() string { return "N" }

// patience is how many failures a run bears.
type patience struct {
	set   bool
	most  int // so many, or
	share int // so many of a hundred that have ended; 0: see most
}

// shareFrom is how many must have ended before their share of failures says
// anything.
const shareFrom = 100

// exhausted says whether so many failures of so many ends are too many.
func (p *patience) exhausted(failed, ended int) bool {
	switch {
	case !p.set:
		return false
	case p.share > 0:
		return ended >= shareFrom && failed*100 > p.share*ended
	}
	return failed > p.most
}

// Set implements pflag.Value.
func (p *patience) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 0 || n > math.MaxInt32 || percent && (n < 1 || n > 99):
		return fmt.Errorf("it takes a number from 0, or a share from 1%% to 99%%, not %s (for example --max-failed 100 or --max-failed 5%%)", text)
	case percent:
		*p = patience{set: true, share: n}
	default:
		*p = patience{set: true, most: n}
	}
	return nil
}

// String implements pflag.Value.
func (p *patience) String() string {
	switch {
	case p == nil || !p.set:
		return ""
	case p.share > 0:
		return strconv.Itoa(p.share) + "%"
	}
	return strconv.Itoa(p.most)
}

// Type implements pflag.Value.
func (*patience) Type() string { return "N|P%" }
