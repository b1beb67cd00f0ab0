package main

import (
	"io"
	"os"
)

// isTerminal says whether what is written to w is seen at once by a person: w
// is a character device, and not the one that swallows everything.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
