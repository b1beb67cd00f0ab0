package fetch

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestTable adds and removes at random. Each living token finds its own item,
// at the same place as before, and each dead one finds nothing, for ever.
func TestTable(t *testing.T) {
	for _, mark := range []token{0, jobToken} {
		r := rand.New(rand.NewPCG(1, uint64(mark)))
		table := table[int]{mark: mark}
		type life struct {
			item *int
			n    int
		}
		living := map[token]life{}
		var tokens, dead []token
		for n := range 5000 {
			if r.IntN(2) == 0 || len(tokens) == 0 {
				item, k := table.add()
				require.Zero(t, *item, "not zeroed")
				require.NotContains(t, living, k)
				require.NotContains(t, dead, k, "a token came back")
				require.Equal(t, mark, k&jobToken)
				*item = n + 1
				living[k] = life{item, n + 1}
				tokens = append(tokens, k)
			} else {
				at := r.IntN(len(tokens))
				k := tokens[at]
				tokens = slices.Delete(tokens, at, at+1)
				table.remove(k)
				delete(living, k)
				dead = append(dead, k)
			}
			require.Equal(t, len(living), table.len())
		}
		for k, want := range living {
			require.Same(t, want.item, table.get(k))
			require.Equal(t, want.n, *want.item)
		}
		for _, k := range dead {
			require.Nil(t, table.get(k))
			require.Panics(t, func() { table.remove(k) })
		}
	}
}

// TestTokensNobodyGave find nothing.
func TestTokensNobodyGave(t *testing.T) {
	var table table[int]
	require.Nil(t, table.get(0))
	_, k := table.add()
	for _, other := range []token{k + 1, k + token(table.perChunk()), k + 1<<32, k + 1<<20, ^token(0)} {
		require.Nil(t, table.get(other), "%x", other)
	}
	require.NotNil(t, table.get(k))
}

// TestGenerations go round without reaching the mark.
func TestGenerations(t *testing.T) {
	var table table[int]
	_, k := table.add()
	table.remove(k)
	table.slot(uint32(k)).generation = generationMask
	_, last := table.add()
	require.Zero(t, last&jobToken)
	require.NotNil(t, table.get(last))
	table.remove(last)
	require.Nil(t, table.get(last))
	_, first := table.add()
	require.Equal(t, k, first, "after two thousand million lives it begins again")
}

// TestEach visits the living, which it may remove.
func TestEach(t *testing.T) {
	var table table[token]
	for range 100 {
		item, k := table.add()
		*item = k
	}
	visited := map[token]bool{}
	table.each(func(k *token) {
		require.False(t, visited[*k])
		visited[*k] = true
		if len(visited)%2 == 0 {
			table.remove(*k)
		}
	})
	require.Len(t, visited, 100)
	require.Equal(t, 50, table.len())
	left := 0
	table.each(func(*token) { left++ })
	require.Equal(t, 50, left)
}

// TestTableGrowsOnce: what was once made is used again.
func TestTableGrowsOnce(t *testing.T) {
	var table table[[64]byte]
	var tokens []token
	churn := func() {
		tokens = tokens[:0]
		for range 100 {
			_, k := table.add()
			tokens = append(tokens, k)
		}
		for _, k := range tokens {
			table.remove(k)
		}
	}
	churn()
	chunks := len(table.chunks)
	require.Zero(t, testing.AllocsPerRun(100, churn))
	require.Len(t, table.chunks, chunks)
}

// TestMemoryPerSlot is what ARCHITECTURE.md says of a waiting fetch: how many of
// these fit into memory depends on it.
func TestMemoryPerSlot(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skip("the sizes are those of 64 bits")
	}
	require.LessOrEqual(t, unsafe.Sizeof(job{}), uintptr(256))
	require.LessOrEqual(t, unsafe.Sizeof(conn{}), uintptr(320))
}
