package view

import (
	"fmt"
	"strings"

	"github.com/shoalfetch/shoal/internal/kernel"
)

// Injected is the lines that --stats adds below the ledger: what --fault did
// wrong, as often as it did.
func Injected(i kernel.Injected) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-30s %10s\n", "fault on purpose", "times")
	for _, f := range []struct {
		what  string
		times uint64
	}{
		{"connect refused", i.Refused},
		{"send would block", i.SendAgain},
		{"send cut short", i.SendCut},
		{"recv would block", i.RecvAgain},
		{"recv cut short", i.RecvCut},
		{"connection reset", i.Reset},
		{"write cut short", i.WriteCut},
		{"file call slow", i.Slow},
	} {
		if f.times > 0 {
			fmt.Fprintf(&b, "%-30s %10d\n", f.what, f.times)
		}
	}
	return b.String()
}
