package poller

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the kernel is told, for what the caller did since it was last told.
// Every row begins with descriptor 5 unwatched, does before and lets the
// kernel hear of it, and then does after.
func TestTableChanges(t *testing.T) {
	const both = Readable | Writable
	add := func(interest Interest) func(*table) { return func(t *table) { t.add(5, 1, interest) } }
	modify := func(interest Interest) func(*table) { return func(t *table) { t.modify(5, 2, interest) } }
	remove := func(t *table) { t.remove(5) }
	type steps = []func(*table)

	for _, c := range []struct {
		name          string
		before, after steps
		want          []change
	}{
		{"add", nil, steps{add(Readable)}, []change{{5, Readable, true}}},
		{"add both", nil, steps{add(both)}, []change{{5, Readable, true}, {5, Writable, true}}},
		{"nothing new", steps{add(both)}, nil, nil},
		{"new token", steps{add(both)}, steps{modify(both)}, nil},
		{"widen", steps{add(Readable)}, steps{modify(both)}, []change{{5, Writable, true}}},
		{"narrow", steps{add(both)}, steps{modify(Readable)}, []change{{5, Writable, false}}},
		{"turn", steps{add(Writable)}, steps{modify(Readable)},
			[]change{{5, Writable, false}, {5, Readable, true}}},
		{"there and back", steps{add(Readable)}, steps{modify(both), modify(Readable)}, nil},
		{"add and modify", nil, steps{add(Writable), modify(Readable)}, []change{{5, Readable, true}}},
		{"remove", steps{add(both)}, steps{remove}, []change{{5, Readable, false}, {5, Writable, false}}},
		{"removed before the kernel knew", nil, steps{add(both), remove}, nil},
		{"removed after a modify it does not know", steps{add(Readable)}, steps{modify(both), remove},
			[]change{{5, Readable, false}}},
		{"removed twice", steps{add(both), remove}, steps{remove}, nil},
		{"same again, perhaps another file", steps{add(Readable)}, steps{remove, add(Readable)},
			[]change{{5, Readable, true}}},
		{"less, perhaps of another file", steps{add(both)}, steps{remove, add(Writable)},
			[]change{{5, Readable, false}, {5, Writable, true}}},
		{"more, perhaps of another file", steps{add(Readable)}, steps{remove, add(Writable), modify(both)},
			[]change{{5, Readable, true}, {5, Writable, true}}},
		{"gone for good after all", steps{add(Readable)}, steps{remove, add(both), remove},
			[]change{{5, Readable, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var table table
			for _, step := range c.before {
				step(&table)
			}
			table.take()
			for _, step := range c.after {
				step(&table)
			}
			require.Equal(t, c.want, append([]change(nil), table.take()...))
			require.Empty(t, table.take(), "changes are handed in once")
		})
	}
}

func TestTableOutOfTurn(t *testing.T) {
	var table table
	require.Equal(t, syscall.ENOENT, table.modify(5, 1, Readable))
	require.Equal(t, syscall.ENOENT, table.remove(5))
	require.Equal(t, syscall.ENOENT, table.remove(-1))
	require.Equal(t, syscall.EBADF, table.add(-1, 1, Readable))
	require.NoError(t, table.add(5, 1, Readable))
	require.Equal(t, syscall.EEXIST, table.add(5, 1, Readable))
	require.Equal(t, []change{{5, Readable, true}}, table.take())
}

func TestTableReady(t *testing.T) {
	var table table
	require.NoError(t, table.add(5, 77, Readable|Writable))
	for _, c := range []struct {
		filter Interest
		eof    bool
		want   Event
	}{
		{Readable, false, Event{77, true, false}},
		{Writable, false, Event{77, false, true}},
		{Readable, true, Event{77, true, true}},
		{Writable, true, Event{77, true, true}},
	} {
		e, ok := table.ready(5, c.filter, c.eof)
		require.True(t, ok)
		require.Equal(t, c.want, e)
	}
	require.NoError(t, table.remove(5))
	for _, fd := range []int{-1, 4, 5, 6, 1 << 20} {
		_, ok := table.ready(fd, Readable, false)
		require.False(t, ok, "descriptor %d is not watched", fd)
	}
}

// A refused add is reported like a broken descriptor, and again and again
// until the caller does something about it; a refused delete is not news.
func TestTableRefused(t *testing.T) {
	var table table
	require.NoError(t, table.add(5, 77, Readable|Writable))
	table.take()
	for range 3 {
		e, ok := table.refused(5, Writable)
		require.True(t, ok)
		require.Equal(t, Event{77, true, true}, e)
		require.Equal(t, []change{{5, Writable, true}}, table.take())
	}
	_, ok := table.refused(5, Writable)
	require.True(t, ok)
	require.NoError(t, table.remove(5))
	require.Equal(t, []change{{5, Readable, false}}, table.take())
	_, ok = table.refused(5, Readable)
	require.False(t, ok)
	_, ok = table.refused(9, Readable)
	require.False(t, ok)
	require.Empty(t, table.take())
}
