package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// sizeValue is a flag's number of bytes: k, M and G multiply by 1024 and its
// powers.
type sizeValue struct {
	to   *int64
	most int64
}

var errSize = errors.New("a size is a number of bytes from 1, such as 5000, 64k, 1.5M or 2G")

// Set implements pflag.Value.
func (v sizeValue) Set(text string) error {
	number, unit := text, 1.0
	if n := len(text); n > 0 {
		if power := strings.IndexByte("kmg", text[n-1]|0x20); power >= 0 {
			number, unit = text[:n-1], math.Pow(1024, float64(power+1))
		}
	}
	if strings.Trim(number, "0123456789.") != "" {
		return errSize // ParseFloat knows more: 1e3, 0x10, Inf
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n*unit < 1 {
		return errSize
	}
	if n*unit > float64(v.most) {
		return errors.New("a size is at most " + strconv.FormatInt(v.most, 10) + " bytes here, such as 64k")
	}
	*v.to = int64(n * unit)
	return nil
}

// String implements pflag.Value.
func (v sizeValue) String() string {
	if v.to == nil || *v.to == 0 {
		return ""
	}
	return strconv.FormatInt(*v.to, 10)
}

// Type implements pflag.Value.
func (sizeValue) Type() string { return "SIZE" }
