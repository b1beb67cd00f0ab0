package main

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// durationValue is a flag's time: seconds, with a fraction or without, or a
// number with a unit.
type durationValue struct {
	to       *time.Duration
	zeroGoes bool // and means no limit
}

var (
	errDuration     = errors.New("a time is such as 10, 0.5, 200ms, 10s or 2m")
	errZeroDuration = errors.New("a time must be more than 0, such as 0.5, 10s or 2m")
	errLongDuration = errors.New("a time is at most 8760h, a year")
)

// longestDuration keeps sums of times from running over.
const longestDuration = 8760 * time.Hour

// Set implements pflag.Value.
func (v durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if seconds, bareErr := strconv.ParseFloat(text, 64); bareErr == nil && !math.IsNaN(seconds) {
		seconds = max(-1, min(seconds, 2*longestDuration.Seconds()))
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	switch {
	case err != nil || d < 0:
		return errDuration
	case d == 0 && !v.zeroGoes:
		return errZeroDuration
	case d > longestDuration:
		return errLongDuration
	}
	*v.to = d
	return nil
}

// String implements pflag.Value.
func (v durationValue) String() string {
	if v.to == nil || *v.to == 0 {
		return ""
	}
	return v.to.String()
}

// Type implements pflag.Value.
func (durationValue) Type() string { return "TIME" }
