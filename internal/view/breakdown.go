package view

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shoalfetch/shoal/fetch"
)

// Breakdown is why fetches failed: how many in which phase of which cause, with
// one example each. The zero value is ready for use. It is for one goroutine.
type Breakdown struct {
	causes map[cause]*failures
}

// cause is one row.
type cause struct {
	phase fetch.Phase
	kind  string // of KindOf, with the code of a status
}

type failures struct {
	count   int
	example string // the first URL
}

// Add counts a result, if it failed. Memory grows with the number of different
// causes alone.
func (b *Breakdown) Add(res *fetch.Result, err error) {
	if err == nil {
		return
	}
	c := cause{kind: KindOf(err)}
	if e, ok := errors.AsType[*fetch.Error](err); ok {
		c.phase = e.Phase
	}
	if s, ok := errors.AsType[*fetch.StatusError](err); ok {
		c.kind = fmt.Sprintf("%s %d", kindStatus, s.Code)
	}
	f := b.causes[c]
	if f == nil {
		if b.causes == nil {
			b.causes = map[cause]*failures{}
		}
		f = &failures{example: fetch.WithoutUserinfo(res.Request.URL)}
		b.causes[c] = f
	}
	f.count++
}

// String is a table with the most frequent cause first, a line each; empty when
// nothing failed. It is safe to print on a terminal.
func (b *Breakdown) String() string {
	if len(b.causes) == 0 {
		return ""
	}
	var text strings.Builder
	const row = "%8s  %-8s %-12s %s\n"
	fmt.Fprintf(&text, row, "failed", "phase", "cause", "for example")
	for _, c := range b.sorted() {
		f := b.causes[c]
		fmt.Fprintf(&text, row, fmt.Sprint(f.count), c.phase, c.kind, Plain(f.example))
	}
	return text.String()
}

// sorted are the causes, the most frequent first.
func (b *Breakdown) sorted() []cause {
	all := make([]cause, 0, len(b.causes))
	for c := range b.causes {
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y cause) int {
		return cmp.Or(
			cmp.Compare(b.causes[y].count, b.causes[x].count),
			cmp.Compare(x.phase, y.phase),
			cmp.Compare(x.kind, y.kind))
	})
	return all
}
