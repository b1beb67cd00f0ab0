//go:build !linux

package main

import "errors"

func isolate() error { return errors.ErrUnsupported }
