package fetch

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// bead is an item of a list.
type bead struct {
	links[bead]
	n int
}

func (b *bead) place() *links[bead] { return &b.links }

type beads = list[bead, *bead]

// forwards and backwards walk a list by its links.
func forwards(l *beads) (all []*bead) {
	for b := l.first; b != nil; b = b.next {
		all = append(all, b)
	}
	return all
}

func backwards(l *beads) (all []*bead) {
	for b := l.last; b != nil; b = b.prev {
		all = append(all, b)
		if b.prev == b {
			break
		}
	}
	slices.Reverse(all)
	return all
}

// requireSame compares a list with a slice, both ways round.
func requireSame(t *testing.T, want []*bead, l *beads) {
	t.Helper()
	require.Equal(t, len(want), l.count)
	require.True(t, slices.Equal(want, forwards(l)))
	require.True(t, slices.Equal(want, backwards(l)))
}

// TestList does to a list, at random, what it does to a slice.
func TestList(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l beads
		var model, loose []*bead
		for n := range 8 {
			loose = append(loose, &bead{n: n})
		}
		take := func(from *[]*bead) *bead {
			at := r.IntN(len(*from))
			b := (*from)[at]
			*from = slices.Delete(*from, at, at+1)
			return b
		}
		for range 300 {
			switch op := r.IntN(4); {
			case op == 0 && len(loose) > 0:
				b := take(&loose)
				l.pushBack(b)
				model = append(model, b)
			case op == 1 && len(loose) > 0:
				b := take(&loose)
				l.pushFront(b)
				model = slices.Insert(model, 0, b)
			case op == 2 && len(model) > 0:
				b := take(&model)
				l.remove(b)
				loose = append(loose, b)
			case op == 3:
				b := l.first
				if len(model) == 0 {
					require.Nil(t, b)
					break
				}
				require.Same(t, model[0], b)
				l.remove(b)
				loose, model = append(loose, b), model[1:]
			}
			requireSame(t, model, &l)
			for _, b := range loose {
				require.False(t, b.linked())
			}
			for _, b := range model {
				require.True(t, b.linked())
			}
		}
	}
}

// TestListRefuses what only a mistake in the engine could ask of it.
func TestListRefuses(t *testing.T) {
	var one, other beads
	b := new(bead)
	require.Panics(t, func() { one.remove(b) }, "in no list")
	one.pushBack(b)
	require.Panics(t, func() { one.pushBack(b) }, "in this list")
	require.Panics(t, func() { other.pushFront(b) }, "in another")
	requireSame(t, []*bead{b}, &one)
	requireSame(t, nil, &other)
}

// TestListAllocatesNothing: joining and leaving is free.
func TestListAllocatesNothing(t *testing.T) {
	var l beads
	a, b := new(bead), new(bead)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		l.pushBack(a)
		l.pushFront(b)
		l.remove(a)
		l.remove(l.first)
	}))
}
