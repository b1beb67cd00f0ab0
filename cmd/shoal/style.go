package main

import (
	"errors"

	"github.com/shoalfetch/shoal/internal/view"
)

// styleValue is how progress is shown.
type styleValue struct {
	style view.Style
	set   bool // otherwise what suits standard error
}

// Set implements pflag.Value.
func (v *styleValue) Set(text string) error {
	style, ok := view.ParseStyle(text)
	if !ok {
		return errors.New("progress is shown as plain, line or none")
	}
	*v = styleValue{style, true}
	return nil
}

// String implements pflag.Value.
func (v *styleValue) String() string {
	if !v.set {
		return ""
	}
	return v.style.String()
}

// Type implements pflag.Value.
func (*styleValue) Type() string { return "plain|line|none" }
